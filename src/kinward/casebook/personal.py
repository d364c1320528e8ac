"""What `casebook` holds of a person: cases, findings, verdicts, and what people reported."""

from collections.abc import Iterator

from django.db.models import Q

from kinward.casebook.models import (
    Case,
    Finding,
    PendingVerdict,
    UserReport,
    Verdict,
    VerdictProposal,
)
from kinward.casebook.states import UNDECIDED, CaseState
from kinward.families.api import Pairing
from kinward.ground.personal import (
    ERASED,
    Delay,
    Going,
    Holding,
    Person,
    delayed_by,
    holds,
    scrubbed_by,
)

# Where the grounds of a finding have the id of an account: `casebook.kinds` writes them.
ACCOUNTS_IN_GROUNDS = ("grounds.writers", "grounds.guardian")
STATED = "a statement of reasons says what was decided, and why"


def _not_about_home(person: Person) -> Q:
    """The reports that a page may show: none about a pairing, or who guards or guarded them."""
    guardians = Pairing.objects.filter(teen=person.pk).values("guardian")
    return Q(pairing=None) & ~Q(account__in=guardians)


holds(
    Holding(model=Case, whose=("account",), untold=STATED),
    Holding(model=UserReport, whose=("account",), untold="what other people said"),
    Holding(
        model=UserReport,
        whose=("reporter",),
        blank={"reporter": None, "text": ERASED},
        told=("category", "text", "at"),
        shown=_not_about_home,
    ),
    Holding(
        model=UserReport,
        whose=("pairing__teen", "pairing__guardian"),
        blank={"pairing": None},
        untold="what other people said",
    ),
    Holding(model=Finding, whose=("case__account",), mentions=ACCOUNTS_IN_GROUNDS, untold=STATED),
    Holding(model=VerdictProposal, whose=("case__account",), untold=STATED),
    Holding(model=Verdict, whose=("case__account",), untold=STATED),
    Holding(model=PendingVerdict, whose=("case__account",), untold=STATED),
)


@delayed_by
def _open_cases(person: Person) -> Iterator[Delay]:
    """A case stays until it is decided, and so does what somebody reported in one."""
    waiting = (*UNDECIDED, CaseState.CONFIRMED)
    if Case.objects.filter(account=person.pk, state__in=waiting).exists():
        yield Delay("A case about the account is open.")
    reported = Finding.objects.filter(user_report__reporter=person.pk, case__state__in=waiting)
    if reported.exists():
        yield Delay("A case is open in which the account reported somebody.")


@scrubbed_by
def unsay_reports(going: Going) -> None:
    """Empty what somebody reported in a finding about another account. The finding stays."""
    for finding in Finding.objects.filter(user_report__reporter=going.person.pk):
        finding.grounds = [ground | {"text": ERASED} for ground in finding.grounds]
        finding.save(update_fields=["grounds"])
