"""What `enforcement` holds of a person: actions with their deliveries, sanctions and strikes."""

from collections.abc import Iterator

from django.db.models import Q

from kinward.enforcement.models import (
    Action,
    ActionState,
    BlockedIdentifier,
    Effect,
    Removal,
    Sanction,
    Strike,
)
from kinward.families.api import others_of
from kinward.ground.personal import Delay, Holding, Person, delayed_by, holds

WAITING = (ActionState.PENDING, ActionState.PARKED)
BLOCKED = "keyed hashes, which keep a terminated person from registering again"


def _told_others(person: Person) -> Q:
    """The notices to the other side of a pairing or a trust, whose words may name somebody.

    Their statements of reasons and what they grew into name nobody else. They are theirs, and prove
    what they were told.
    """
    own = Q(notice__has_key="statement_id") | Q(notice__topic__in=("growing_up", "growing_soon"))
    return others_of(person.pk) & Q(effect=Effect.NOTIFY) & ~own


holds(
    Holding(
        model=Action,
        whose=("account",),
        also=_told_others,
        ids=("id",),
        untold="statements and notices say what was done; the platform has each action",
    ),
    Holding(model=Removal, whose=("case__account",), ids=(), untold="follows from a verdict"),
    Holding(
        model=Sanction,
        whose=("account",),
        told=("kind", "capabilities", "began_at", "until", "ended_at"),
    ),
    Holding(model=Strike, whose=("account",), told=("count", "given_at", "expires_at")),
    # Otherwise whoever was terminated would be erased first, and then register anew.
    Holding(
        model=BlockedIdentifier,
        whose=("case__account",),
        ids=(),
        blank={"case": None},
        untold=BLOCKED,
    ),
)


@delayed_by
def _undelivered(person: Person) -> Iterator[Delay]:
    """An action has to reach the platform first."""
    if Action.objects.filter(account=person.pk, state__in=WAITING).exists():
        yield Delay("The platform has not accepted an action about the account.")
    if Action.objects.filter(_told_others(person), state__in=WAITING).exists():
        yield Delay("The platform has not accepted a notice that may name the account.")
