"""Disputes: a teen says "this is not my guardian", and a reviewer settles it."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.families.errors import NotPaired
from kinward.families.models import Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.ending import finish_pairing, lock_own_pairing
from kinward.families.pairing.trusted_adults import call_trusted
from kinward.families.settings.settlement import settle_all
from kinward.ground.errors import Invalid
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, lock_account


@transaction.atomic
def pause_disputed_pairing(*, teen: Account, pairing_id: UUID) -> Pairing:
    """Pause a pairing because the teen disputes it, and call the teen's trusted adults.

    A paused pairing gives the guardian no power until a reviewer has settled the dispute. The
    caller opens a case for it in the same transaction. Idempotent.
    """
    pairing, locked = lock_own_pairing(teen, pairing_id)
    if teen.pk != pairing.teen_id:
        raise NotPaired
    if pairing.disputed_at is None:
        pairing.disputed_at = timezone.now()
        pairing.save(update_fields=["disputed_at"])
        record(actor=teen.actor, subject=str(pairing), fact=kinds.PairingDisputed())
        settle_all(locked, actor=teen.actor)
        tell(pairing.guardian, "paused", other=name_in_notices(teen))
        call_trusted(teen)
    return pairing


@transaction.atomic
def settle_pairing_dispute(*, pairing_id: UUID, ends: bool, actor: Actor) -> Pairing:
    """Settle a dispute as a reviewer: end the pairing, or restore it as it was."""
    pairing = Pairing.objects.select_related("guardian", "teen").filter(pk=pairing_id).first()
    if pairing is None:
        raise NotPaired
    teen = lock_account(pairing.teen_id)
    pairing.refresh_from_db()
    if pairing.disputed_at is None or pairing.ended_at is not None:
        raise Invalid("Nobody disputes this pairing any more.")
    if ends:
        finish_pairing(pairing, teen, "not a guardian", timezone.now(), actor)
        return pairing
    pairing.disputed_at = None
    pairing.save(update_fields=["disputed_at"])
    record(actor=actor, subject=str(pairing), fact=kinds.PairingRestored())
    settle_all(teen, actor=actor)
    for person, other in ((pairing.guardian, pairing.teen), (pairing.teen, pairing.guardian)):
        tell(person, "restored", other=name_in_notices(other))
    return pairing
