"""Strikes: they count against an account for a time, and a won appeal takes them back."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from kinward.enforcement.models import Strike
from kinward.people.api import Account


def strikes_of(account: Account) -> int:
    """Count the strikes that stand against an account now."""
    live = account.strikes.filter(expires_at__gt=timezone.now(), taken_back_at=None)
    return int(live.aggregate(Sum("count"))["count__sum"] or 0)


def add_strike(*, account: Account, case_id: UUID, clause: str, count: int, days: int) -> None:
    """Count a verdict against an account for `days` days, in the caller's transaction."""
    if count:
        Strike.objects.create(
            account=account,
            case_id=case_id,
            clause=clause,
            count=count,
            expires_at=timezone.now() + timedelta(days=days),
        )


def take_back_strikes(case_id: UUID) -> None:
    """Take back the strikes of a case."""
    Strike.objects.filter(case_id=case_id, taken_back_at=None).update(taken_back_at=timezone.now())
