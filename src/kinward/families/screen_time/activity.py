"""Activity: how often an account did things on a day, as counted by the platform. Never content."""

from datetime import date
from typing import Any, Final

import msgspec
from django.utils import timezone

from kinward.families.models import Activity
from kinward.families.screen_time.usage import KEPT, local_now
from kinward.ground.errors import Invalid
from kinward.people.api import Account

MOST: Final = 100_000


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The totals of one local day so far."""

    posts: int = 0
    comments: int = 0
    messages: int = 0
    searches: int = 0
    new_followers: int = 0


def put_activity(*, account: Account, day: date, counts: Counts) -> None:
    """Replace the totals of a local day. Idempotent.

    Raises `Invalid` for a count out of range and for a day in the future or older than `KEPT`.
    """
    if not all(0 <= count <= MOST for count in msgspec.structs.astuple(counts)):
        raise Invalid(f"A count is 0 to {MOST:,}.")
    today = local_now(account, timezone.now()).date()
    if not today - KEPT <= day <= today:
        raise Invalid(f"A day is one of the last {KEPT.days} of the account's own days.")
    Activity.objects.update_or_create(
        account=account, day=day, defaults={"counts": msgspec.to_builtins(counts)}
    )


def counts_of(account: Account, first: date, last: date) -> dict[str, int]:
    """Return the totals of the days from `first` through `last`, by name."""
    totals: dict[str, Any] = {}
    for activity in Activity.objects.filter(account=account, day__gte=first, day__lte=last):
        for name, count in activity.counts.items():
            totals[name] = totals.get(name, 0) + count
    return totals


def forget_activity() -> int:
    """Delete counts older than `KEPT`; return how many rows."""
    oldest = timezone.now().date() - KEPT
    return Activity.objects.filter(day__lt=oldest).delete()[0]
