"""Attempts to sign in, limited by budgets that strangers cannot spend for somebody else.

Each budget has a key: a network, an account for all unknown devices together, or one device that
has signed in before. An attempt is taken before anything is checked, so that no two of them run in
parallel past a limit, and it is given back if what was sent is right.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access.models import RecentAttempts
from kinward.ground.errors import KinwardError

SOON: Final = timedelta(minutes=5)
DAY: Final = timedelta(days=1)
MAX_KEY: Final = 120  # characters
AT_A_TIME: Final = 100  # rows that are forgotten with one attempt


class TooManyAttempts(KinwardError):
    """Too many attempts. Wait, use a passkey, or sign in on a device that has signed in before."""

    code = "sign_in.too_many"
    status = 429


class Budget(msgspec.Struct, frozen=True):
    """How many failed attempts one key has in five minutes, and in a day."""

    soon: int
    day: int

    def has_room(self, times: Iterable[datetime], now: datetime) -> bool:
        """Return whether one more attempt fits, after the ones at these times.

        >>> now = datetime(2026, 1, 2)
        >>> [Budget(2, 3).has_room([now] * count, now) for count in (1, 2)]
        [True, False]
        >>> Budget(2, 3).has_room([now - SOON] * 3, now)
        False
        """
        since = [now - time for time in times]
        soon, day = (sum(age < span for age in since) for span in (SOON, DAY))
        return soon < self.soon and day < self.day


NETWORK: Final = Budget(soon=30, day=300)  # one address, or one /64 network
ACCOUNT: Final = Budget(soon=5, day=30)  # all devices that never signed in to the account
DEVICE: Final = Budget(soon=10, day=100)  # one that did, or a session that is signed in


class Attempt(msgspec.Struct, frozen=True):
    """One attempt, as its budgets have counted it."""

    keys: list[str]
    at: datetime


def begin_attempt(*, what: str, login: str, network: str, device: str = "") -> Attempt:
    """Count an attempt, before it is checked. Raises `TooManyAttempts`.

    `what` is tried: a password or a code. `login`: the name of the account, as it was typed.
    `network`: the caller's address group. `device`: the id of a device that has signed in to this
    account before. It has a budget of its own, and needs no other.
    """
    if device:
        budgets = {f"{what}:device:{device}": DEVICE}
    else:
        named = hashlib.sha256(login.strip().lower().encode()).hexdigest()
        budgets = {f"network:{network}": NETWORK, f"{what}:account:{named}": ACCOUNT}
    budgets = {key[:MAX_KEY]: budget for key, budget in budgets.items()}
    attempt = Attempt(list(budgets), timezone.now())
    # Without a lock: a flood on a spent budget waits for nobody, and writes nothing.
    for row in RecentAttempts.objects.filter(pk__in=budgets):
        _require_room(row, budgets[row.pk], attempt.at)
    _forget(attempt.at - DAY)
    for key, budget in budgets.items():
        _take(key, budget, attempt.at)
    return attempt


def give_back(attempt: Attempt) -> None:
    """Give an attempt back to its budgets: what was sent is right."""
    for key in attempt.keys:
        with transaction.atomic():
            row = RecentAttempts.objects.select_for_update().filter(pk=key).first()
            if row is not None and attempt.at in row.times:
                row.times.remove(attempt.at)
                row.save(update_fields=["times"])


@transaction.atomic
def _take(key: str, budget: Budget, now: datetime) -> None:
    RecentAttempts.objects.bulk_create(
        [RecentAttempts(key=key, times=[], last=now)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["last"],
    )
    row = RecentAttempts.objects.select_for_update().get(pk=key)
    _require_room(row, budget, now)
    row.times = [*(time for time in row.times if now - time < DAY), now]
    row.save(update_fields=["times"])


def _require_room(row: RecentAttempts, budget: Budget, now: datetime) -> None:
    if not budget.has_room(row.times, now):
        raise TooManyAttempts


@transaction.atomic
def _forget(before: datetime) -> None:
    old = RecentAttempts.objects.filter(last__lt=before).select_for_update(skip_locked=True)
    RecentAttempts.objects.filter(pk__in=old.values("pk")[:AT_A_TIME]).delete()
