"""What `enforcement` holds of a person: actions with their deliveries, sanctions and strikes."""

from collections.abc import Iterator

from kinward.enforcement.models import (
    Action,
    ActionState,
    BlockedIdentifier,
    Removal,
    Sanction,
    Strike,
)
from kinward.ground.personal import Delay, Holding, Person, delayed_by, holds

BLOCKED = "keyed hashes, which keep a terminated person from registering again"

holds(
    Holding(
        model=Action,
        whose=("account",),
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
    waiting = (ActionState.PENDING, ActionState.PARKED)
    if Action.objects.filter(account=person.pk, state__in=waiting).exists():
        yield Delay("The platform has not accepted an action about the account.")
