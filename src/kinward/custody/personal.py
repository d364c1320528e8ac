"""What `custody` holds of a person: releases of their records, and destructions."""

from collections.abc import Iterator

from kinward.access.api import AgreementState
from kinward.custody.models import Destruction, Release
from kinward.ground.personal import Delay, Holding, Person, delayed_by, holds

ORDERED = "legal process, of which nobody is told"

holds(
    Holding(model=Release, whose=("account",), untold=ORDERED),
    Holding(model=Destruction, whose=("case__account",), untold=ORDERED),
)


@delayed_by
def _released(person: Person) -> Iterator[Delay]:
    """Records that a court asked for stay until they are handed over."""
    open_states = (AgreementState.ASKED, AgreementState.APPROVED)
    if Release.objects.filter(account=person.pk, state__in=open_states).exists():
        yield Delay("A release for legal process is not handed over.")
    asked = AgreementState.ASKED
    if Destruction.objects.filter(case__account=person.pk, state=asked).exists():
        yield Delay("A destruction that an authority asks for is not decided.")
