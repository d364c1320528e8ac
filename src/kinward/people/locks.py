"""Locks on the rows of accounts, as types."""

from typing import NewType

from kinward.people.models import Account

# An account whose row this transaction has locked. A function that needs the lock takes this type,
# so mypy holds the lock order: the account, then the case, then the ledger. Only this module makes
# one.
LockedAccount = NewType("LockedAccount", Account)


def lock_account(account_id: int) -> LockedAccount:
    """Lock an account until the transaction ends, and return it as it is now."""
    return LockedAccount(Account.objects.select_for_update(no_key=True).get(pk=account_id))


def lock_accounts(*account_ids: int) -> dict[int, LockedAccount]:
    """Lock several accounts, and return them by id."""
    # Everybody locks in the order of the ids: two transactions never wait for each other.
    return {account_id: lock_account(account_id) for account_id in sorted(set(account_ids))}
