"""What `evidence` holds of a person: the sealed files of their cases, and legal holds."""

from collections.abc import Iterator

from django.utils import timezone

from kinward.casebook.api import Case, about_or_reported_by
from kinward.evidence.holds import AFTER_HOLD
from kinward.evidence.models import Evidence, HoldEnding
from kinward.evidence.services import forget_objects
from kinward.evidence.terms import term_of
from kinward.ground.personal import Delay, Going, Holding, Person, delayed_by, holds, scrubbed_by

SEALED = "sealed, and opened for a case only"

holds(
    Holding(model=Evidence, whose=("case__account",), untold=SEALED),
    Holding(model=HoldEnding, whose=("case__account",), untold="a legal order names it"),
)


@delayed_by
def _holds(person: Person) -> Iterator[Delay]:
    """A legal hold keeps evidence until two people lift it, and for a week after.

    It keeps what a person reported of another's case, too: those words are part of the evidence.
    """
    cases = Case.objects.filter(about_or_reported_by(person))
    files = Evidence.objects.filter(case__in=cases, destroyed_at=None)
    told = [term_of(file) for file in files.defer("ciphertext")]  # whatever a row says
    if files.exclude(hold_reference="").exists() or any(term.hold for term in told):
        yield Delay("A legal hold keeps evidence of the account.")
    ends = [*files.values_list("hold_ended_at", flat=True), *(term.hold_ended_at for term in told)]
    ended = max((end for end in ends if end is not None), default=None)
    if ended is not None and ended + AFTER_HOLD > timezone.now():
        yield Delay("A legal hold ended less than a week ago.", ended + AFTER_HOLD)


@scrubbed_by
def _objects(going: Going) -> None:
    forget_objects(going.rows.get(Evidence, []))
