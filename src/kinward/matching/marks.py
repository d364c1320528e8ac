"""What people say of a banked hash: that it is a false positive, or right after all."""

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.ground.events import Event
from kinward.ledger.api import kinds, record
from kinward.matching.models import BankedHash, Flood
from kinward.matching.services import announce_new_hashes
from kinward.matching.versions import next_version, renew_if_negative

HASH_WRONG = Event("matching.hash_wrong")


@transaction.atomic
def mark_hash_false_positive(*, row: BankedHash, wrong: bool, actor: Actor) -> None:
    """Mark a banked hash as a false positive, or reinstate it. Idempotent.

    A false positive matches nothing, even if a list adds it again. A flood guard that holds it is
    settled, and what it took is given back by a job.
    """
    actor.must(Permission.MARK_HASHES)
    changed = BankedHash.objects.filter(pk=row.pk, false_positive=not wrong)
    if changed.update(false_positive=wrong, version=next_version()):
        kind = kinds.HashFalsePositive if wrong else kinds.HashReinstated
        record(actor=actor, subject=str(row), fact=kind(bank=row.bank.name))
        renew_if_negative(row.bank)
        _settle_flood(row, wrong=wrong, actor=actor)
        if wrong:
            HASH_WRONG.announce(hash_id=row.pk, by=str(actor))
        else:
            announce_new_hashes()


def _settle_flood(row: BankedHash, *, wrong: bool, actor: Actor) -> None:
    """Settle the guard of a hash that is wrong, or arm it again for one that was right."""
    flood = Flood.objects.filter(pk=row.pk)
    if wrong:
        said = {"settled_at": timezone.now(), "settled_by": str(actor)[:200], "right": False}
        flood.filter(began_at__isnull=False, settled_at=None).update(**said)
    else:
        flood.filter(right=False).update(began_at=None, settled_at=None, settled_by="", right=None)
