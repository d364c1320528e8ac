"""Disputes: a teen says "this is not my guardian", and a reviewer settles it.

A dispute is quiet or not. While a quiet one waits, the guardian sees, hears and measures nothing of
it, and what the guardian does is held. Nobody but a reviewer learns of it.
"""

from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor
from kinward.families.errors import NotPaired
from kinward.families.models import Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.ending import finish_pairing, lock_own_pairing
from kinward.families.pairing.proving import end_proof
from kinward.families.pairing.trusted_adults import call_trusted
from kinward.families.settings.cooling import COOLING
from kinward.families.settings.held import drop_held, release_held
from kinward.families.settings.settlement import settle_all
from kinward.ground.errors import Invalid
from kinward.ground.jobs import enqueue
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, lock_account

MAX_REACH: Final = 300
COOLED: Final = "families.end_cooling"


@transaction.atomic
def pause_disputed_pairing(
    *, teen: Account, pairing_id: UUID, quiet: bool = False, reach: str = ""
) -> Pairing:
    """Dispute a pairing as its teen. It gives no power until a reviewer has settled the dispute.

    Quietly, the guardian notices nothing, nobody is told and nobody is called. Otherwise the
    guardian is told, and the teen's trusted adults are called. `reach`: how and when the teen can
    be reached safely, for the reviewer alone. The caller opens a case in the same transaction.
    Idempotent, and a quiet dispute can become one that is not.
    """
    reach = reach.strip()
    if len(reach) > MAX_REACH:
        raise Invalid(f"How to reach you has at most {MAX_REACH} characters.")
    pairing, locked = lock_own_pairing(teen, pairing_id)
    if teen.pk != pairing.teen_id:
        raise NotPaired
    fresh = pairing.disputed_at is None
    loud = not quiet and (fresh or pairing.quiet)
    if fresh:
        pairing.disputed_at, pairing.quiet = timezone.now(), quiet
        fact = kinds.PairingDisputedQuietly() if quiet else kinds.PairingDisputed()
        record(actor=teen.actor, subject=str(pairing), fact=fact)
    elif loud:
        pairing.quiet = False
        record(actor=teen.actor, subject=str(pairing), fact=kinds.PairingDisputed())
    pairing.reach = reach or pairing.reach
    pairing.save(update_fields=["disputed_at", "quiet", "reach"])
    if fresh or loud:
        settle_all(locked, actor=teen.actor)
    if loud:
        tell(pairing.guardian, "paused", other=name_in_notices(teen))
        call_trusted(teen)
    return pairing


@transaction.atomic
def settle_pairing_dispute(*, pairing_id: UUID, ends: bool, actor: Actor) -> Pairing:
    """Settle a dispute as a reviewer: end the pairing, or restore it as it was.

    Settles every dispute between the same two accounts, also of a pairing that its guardian has
    ended. If they end, the two cannot pair again without a person. If they are restored, what was
    held takes effect, and nobody is told of a dispute that was quiet. The guardian does not tighten
    alone for 14 days. Raises `Invalid` without a dispute.
    """
    pairing = Pairing.objects.select_related("guardian", "teen").filter(pk=pairing_id).first()
    if pairing is None:
        raise NotPaired
    teen = lock_account(pairing.teen_id)
    disputed = Pairing.objects.select_related("guardian", "teen").filter(
        guardian=pairing.guardian, teen=teen, disputed_at__isnull=False
    )
    if not disputed.filter(pk=pairing_id).exists():
        raise Invalid("Nobody disputes this pairing any more.")
    for one in disputed:
        if ends:
            _end(one, teen, actor)
        else:
            _restore(one, teen, actor)
    pairing.refresh_from_db()
    return pairing


def end_between(pairing: Pairing, teen: LockedAccount, actor: Actor) -> None:
    """End every pairing of the same two accounts that lives or is disputed, as a person decided."""
    between = Pairing.objects.select_related("guardian", "teen").filter(
        Q(ended_at=None) | Q(disputed_at__isnull=False), guardian=pairing.guardian, teen=teen
    )
    for one in between:
        _end(one, teen, actor)


def _end(pairing: Pairing, teen: LockedAccount, actor: Actor) -> None:
    end_proof(pairing, actor)
    if pairing.ended_at is None:
        finish_pairing(pairing, teen, "not a guardian", timezone.now(), actor)
    pairing.disputed_at, pairing.quiet, pairing.barred_at = None, False, timezone.now()
    pairing.save(update_fields=["disputed_at", "quiet", "barred_at"])
    drop_held(teen)
    record(actor=actor, subject=str(pairing), fact=kinds.PairingBarred())


def _restore(pairing: Pairing, teen: LockedAccount, actor: Actor) -> None:
    told = not pairing.quiet and pairing.ended_at is None
    until = timezone.now() + COOLING
    if pairing.quiet:
        pairing.cools_quietly_until = until  # and so it stays quiet
        enqueue(COOLED, at=until, teen_id=teen.pk)
    else:
        pairing.cools_until = until
    pairing.disputed_at = None
    pairing.save(update_fields=["disputed_at", "cools_until", "cools_quietly_until"])
    if pairing.ended_at is None:  # after that, since what was said counts from now on
        release_held(pairing, teen, actor)
    drop_held(teen)
    record(actor=actor, subject=str(pairing), fact=kinds.PairingRestored())
    settle_all(teen, actor=actor)
    if told:
        for person, other in ((pairing.guardian, pairing.teen), (pairing.teen, pairing.guardian)):
            tell(person, "restored", other=name_in_notices(other))


def end_quiet_cooling(teen_id: int | None = None) -> int:
    """Let go what was held after quiet disputes whose time is over; return how many pairings."""
    over = Pairing.objects.filter(
        quiet=True, disputed_at=None, cools_quietly_until__lte=timezone.now()
    )
    if teen_id is not None:
        over = over.filter(teen_id=teen_id)
    ended = 0
    for pk, teen_pk in list(over.values_list("pk", "teen_id")):
        with transaction.atomic():
            teen = lock_account(teen_pk)
            pairing = over.select_related("guardian", "teen").filter(pk=pk).first()
            if pairing is None:
                continue
            if pairing.ended_at is None:
                release_held(pairing, teen, Actor.system("families"))
            pairing.quiet = False
            pairing.save(update_fields=["quiet"])
            drop_held(teen)
            ended += 1
    return ended


@transaction.atomic
def allow_pairing_again(*, pairing_id: UUID, actor: Actor) -> None:
    """Let two accounts pair again whom a person had separated, as a reviewer.

    Raises `Invalid` where nothing keeps them from it.
    """
    pairing = Pairing.objects.filter(pk=pairing_id, barred_at__isnull=False).first()
    if pairing is None:
        raise Invalid("Nothing keeps these two from pairing.")
    lock_account(pairing.teen_id)
    barred = Pairing.objects.filter(guardian=pairing.guardian_id, teen=pairing.teen_id)
    barred.update(barred_at=None)
    record(actor=actor, subject=str(pairing), fact=kinds.PairingAllowed())
