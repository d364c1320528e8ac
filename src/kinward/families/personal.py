"""What `families` holds of a person, on either side of a pairing.

The export says nothing of the other side, of a dispute, or of what is held quietly: a guardian may
have the phone of the teen in hand.
"""

from collections.abc import Iterator

from django.db.models import Q

from kinward.families.models import (
    ActiveHour,
    Activity,
    Answer,
    Ask,
    Choice,
    ExtraMinutes,
    GuardianProof,
    Invitation,
    Keyword,
    Notice,
    Pairing,
    PortalSession,
    Side,
    TrustedAdult,
    WrongCode,
    ZoneChange,
)
from kinward.families.others import others_of
from kinward.ground.personal import ERASED, Delay, Holding, Person, delayed_by, holds

QUIET = "shows what is held quietly while a dispute is settled"


def _of_pairing(field: str) -> tuple[str, str]:
    return f"{field}__teen", f"{field}__guardian"


def _about_them(person: Person) -> Q:
    """What the other side of a pairing or a trust was told of somebody.

    A notice keeps a name as it was, and the account has lost its own by now. So all go that name
    anybody, those about another child of one guardian, too.
    """
    return others_of(person.pk) & Q(fill__has_key="other")


holds(
    Holding(model=PortalSession, whose=("account",), acts=("made_by",), told=("opened_at",)),
    Holding(
        model=Invitation,
        whose=("maker",),
        told=("side", "made_at", "used_at"),
        shown=lambda person: Q(side=Side.GUARDIAN),
    ),
    Holding(model=WrongCode, whose=("account",), untold="counts guesses for a day"),
    # A teen's pairings, invitations and proofs would show one guardian that there is another home.
    Holding(
        model=Pairing,
        whose=("teen", "guardian"),
        told=("started_at",),
        shown=lambda person: Q(guardian=person.pk),
    ),
    Holding(
        model=GuardianProof,
        whose=("teen", "guardian"),
        acts=("told_by",),
        told=("method", "checked_on", "expires_at", "told_at"),
        shown=lambda person: Q(guardian=person.pk),
    ),
    Holding(model=Choice, whose=_of_pairing("pairing"), untold=QUIET),
    Holding(
        model=Keyword,
        whose=("teen",),
        told=("word", "made_at"),
        shown=lambda person: Q(pairing=None),
    ),
    Holding(
        model=Keyword,
        whose=("pairing__guardian",),
        blank={"pairing": None, "word": ERASED},
        untold=QUIET,
    ),
    Holding(
        model=Ask,
        whose=("teen", *_of_pairing("proposed_by")),
        told=("capability", "value", "minutes", "day", "reason", "made_at"),
        shown=lambda person: Q(teen=person.pk, proposed_by=None),
    ),
    Holding(model=Ask, whose=("granted_by__guardian",), blank={"granted_by": None}, untold=QUIET),
    Holding(
        model=Answer,
        whose=("ask__teen", *_of_pairing("ask__proposed_by"), *_of_pairing("pairing")),
        untold=QUIET,
    ),
    Holding(
        model=ExtraMinutes,
        whose=("account", *_of_pairing("ask__proposed_by")),
        told=("day", "minutes"),
        shown=lambda person: Q(account=person.pk, held=False),
    ),
    Holding(
        model=ExtraMinutes, whose=("pairing__guardian",), blank={"pairing": None}, untold=QUIET
    ),
    Holding(
        model=TrustedAdult, whose=("teen", "adult"), untold="no guardian may see whom a teen trusts"
    ),
    Holding(model=Activity, whose=("account",), told=("day", "counts")),
    Holding(
        model=Notice,
        whose=("account", "ask__teen", *_of_pairing("ask__proposed_by")),
        also=_about_them,
        untold="its words name other people",
    ),
    Holding(model=ActiveHour, whose=("account",), told=("hour", "bits")),
    Holding(model=ZoneChange, whose=("account",), told=("since", "zone")),
)


@delayed_by
def _paired(person: Person) -> Iterator[Delay]:
    """A deleted account leaves its families by a job, which tells who is left."""
    if Pairing.objects.filter(Q(teen=person.pk) | Q(guardian=person.pk), ended_at=None).exists():
        yield Delay("A pairing has not ended.")
    disputed = Pairing.objects.exclude(disputed_at=None)
    if disputed.filter(Q(teen=person.pk) | Q(guardian=person.pk)).exists():
        yield Delay("A dispute about a pairing is not settled.")
