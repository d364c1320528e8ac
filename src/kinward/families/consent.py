"""What a family is told when consent is withdrawn or given, for the app or for a change of it."""

from django.db import transaction

from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import is_paused, live_pairings
from kinward.people.api import lock_account


@transaction.atomic
def tell_family(account_id: int, *, withdrawn: bool) -> None:
    """Tell the account, and its guardians whose pairing is not paused. Locks the account."""
    _tell(account_id, "consent.gone" if withdrawn else "consent.back")


@transaction.atomic
def tell_of_change(account_id: int, *, state: str) -> None:
    """As `tell_family`, for consent for a change that was asked, given or refused."""
    _tell(account_id, f"change.{state}")


def _tell(account_id: int, topic: str) -> None:
    account = lock_account(account_id)
    tell(account, topic)
    for pairing in live_pairings().filter(teen=account).select_related("guardian"):
        if is_paused(pairing):
            continue
        tell(pairing.guardian, f"{topic}.theirs", other=name_in_notices(account))
