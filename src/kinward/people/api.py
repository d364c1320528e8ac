"""The face of `people`: what other rooms may use."""

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
)
from kinward.people.unread import unread_signals

__all__ = [
    "Account",
    "AccountUnknown",
    "IdentifierIn",
    "LockedAccount",
    "Profile",
    "Standing",
    "digests_of",
    "get_account",
    "lock_account",
    "lock_accounts",
    "put_account",
    "related_accounts",
    "set_age",
    "set_standing",
    "unread_signals",
]
