"""The face of `people`: what other rooms may use."""

from kinward.people.days import day_begins, local_day
from kinward.people.models import Account, Standing
from kinward.people.services import (
    AccountUnknown,
    IdentifierIn,
    LockedAccount,
    Profile,
    digests_of,
    get_account,
    lock_account,
    lock_accounts,
    put_account,
    related_accounts,
    set_age,
    set_standing,
    set_zone,
)
from kinward.people.unread import unread_signals

__all__ = [
    "Account",
    "AccountUnknown",
    "IdentifierIn",
    "LockedAccount",
    "Profile",
    "Standing",
    "day_begins",
    "digests_of",
    "get_account",
    "local_day",
    "lock_account",
    "lock_accounts",
    "put_account",
    "related_accounts",
    "set_age",
    "set_standing",
    "set_zone",
    "unread_signals",
]
