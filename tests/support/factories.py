"""Rows that a test needs but is not about."""

from typing import Any

from kinward.casebook.models import Case
from kinward.people.models import Account


def make_case(account: Account, **fields: Any) -> Case:
    """A case of an account. It is decided, unless `state` says otherwise."""
    return Case.objects.create(account=account, **{"state": "enforced"} | fields)
