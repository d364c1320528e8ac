"""What a family is told when consent is withdrawn, or given again."""

from django.db import transaction

from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import live_pairings
from kinward.people.api import lock_account


@transaction.atomic
def tell_family(account_id: int, *, withdrawn: bool) -> None:
    """Tell the account, and its guardians whose pairing is not disputed. Locks the account."""
    topic = "consent.gone" if withdrawn else "consent.back"
    account = lock_account(account_id)
    tell(account, topic)
    pairings = live_pairings().filter(teen=account, disputed_at=None).select_related("guardian")
    for pairing in pairings:
        tell(pairing.guardian, f"{topic}.theirs", other=name_in_notices(account))
