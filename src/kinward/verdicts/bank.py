"""Our own bank: the hashes of what people confirmed."""

from typing import Final
from uuid import UUID

from django.db import transaction

from kinward.access import Actor
from kinward.ledger.api import kinds, record
from kinward.matching.api import Bank, withdraw_hashes
from kinward.verdicts.models import Backing

OWN_BANK: Final = "confirmed-here"


@transaction.atomic
def unbank(case_id: UUID, actor: Actor) -> int:
    """Remove a case's hashes from our own bank unless another case backs them; return how many."""
    bank = lock_own_bank()
    if bank is None:
        return 0
    mine = Backing.objects.filter(case=case_id)
    hashes = set(mine.values_list("hash", flat=True))
    mine.delete()
    others = Backing.objects.filter(hash__in=hashes).values_list("hash", flat=True)
    count = withdraw_hashes(bank, hashes - set(others), named=True)
    if count:
        record(actor=actor, subject=f"bank:{bank.name}", fact=kinds.BankRemoved(hashes=count))
    return count


def lock_own_bank() -> Bank | None:
    """Return our own bank, locked until the transaction ends, or None before there is one."""
    return Bank.objects.select_for_update(no_key=True).filter(name=OWN_BANK).first()
