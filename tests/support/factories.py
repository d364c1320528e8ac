"""Rows that a test needs but is not about."""

from datetime import date
from typing import Any

from django.utils import timezone

from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.custody.models import Release
from kinward.people.models import Account


def make_case(account: Account, **fields: Any) -> Case:
    """A case of an account. It is decided, unless `state` says otherwise."""
    return Case.objects.create(account=account, **{"state": "enforced"} | fields)


def agreed_release(account: Account) -> Release:
    """A release of an account's records to which two custodians have agreed."""
    one, two = (
        Staff.objects.get_or_create(username=name, defaults={"roles": ["evidence custodian"]})[0]
        for name in ("agrees-one", "agrees-two")
    )
    return Release.objects.create(
        account=account,
        since=date(2026, 1, 1),
        until=date(2026, 12, 31),
        recipient="age1",
        to="a court",
        reference="1",
        why="x",
        state="approved",
        asked_by=one,
        decided_by=two,
        decided_at=timezone.now(),
    )
