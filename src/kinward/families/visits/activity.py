"""Counts of a day: how often something was done, as the platform tells it; never what."""

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
    """Write the totals of a day, in place of earlier ones; the same again changes nothing."""
    if not all(0 <= each <= MOST for each in msgspec.structs.astuple(counts)):
        raise Invalid(f"A count is 0 to {MOST:,}.")
    today = local_now(account, timezone.now()).date()
    if not today - KEPT <= day <= today:
        raise Invalid(f"A day is one of the last {KEPT.days} of the account's own days.")
    Activity.objects.update_or_create(
        account=account, day=day, defaults={"counts": msgspec.to_builtins(counts)}
    )


def counts_of(account: Account, first: date, last: date) -> dict[str, int]:
    """The totals from a day to a day."""
    found: dict[str, Any] = {}
    for each in Activity.objects.filter(account=account, day__gte=first, day__lte=last):
        for name, count in each.counts.items():
            found[name] = found.get(name, 0) + count
    return found


def forget_activity() -> int:
    """Forget counts after weeks; returns how many rows."""
    oldest = timezone.now().date() - KEPT
    return Activity.objects.filter(day__lt=oldest).delete()[0]
