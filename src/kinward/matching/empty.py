"""Deletion of a bank that has never had a hash, so that its name is free again."""

from django.db import transaction
from django.db.models import ProtectedError

from kinward.access import Actor, Permission
from kinward.ledger.api import kinds, record
from kinward.matching.models import Addition, Bank, BankedHash


@transaction.atomic
def delete_empty_bank(*, bank: Bank, actor: Actor) -> bool:
    """Delete a bank if it has never had a hash; returns whether it did. A hash is never deleted."""
    actor.must(Permission.FILL_BANKS)
    row = Bank.objects.select_for_update().get(pk=bank.pk)
    if BankedHash.objects.filter(bank=row).exists():
        return False
    try:
        with transaction.atomic():
            Addition.objects.filter(bank=row).delete()
            row.delete()
    except ProtectedError:  # people agreed to something about it, which is not forgotten
        return False
    record(actor=actor, subject=f"bank:{bank.name}", fact=kinds.BankDeleted())
    return True
