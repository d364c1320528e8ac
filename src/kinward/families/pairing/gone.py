"""Accounts that are gone, terminated or deleted: their pairings end, and who is left is told.

Nobody is told why an account is gone. Its guardians are not named to each other.
"""

from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor
from kinward.families.models import Invitation, Pairing, PortalSession, TrustedAdult
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.ending import close_pairing
from kinward.families.pairing.homes import are_apart
from kinward.families.pairing.power import live_pairings
from kinward.families.pairing.proving import end_proofs_of
from kinward.ground.events import Event
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, Standing, lock_account

# A guardian's account was terminated. A room above decides whether a person looks at the teen.
WARD_LEFT: Final = Event("families.ward_left")
FAMILIES: Final = Actor.system("families")


def leave_families(account_id: int) -> int:
    """End the pairings of an account that is gone; return how many. Idempotent.

    A teen whose account is only terminated keeps the guardians: they can appeal together.
    """
    account = Account.objects.get(pk=account_id)
    if not account.is_gone:
        return 0
    sides = Q(guardian=account)
    if account.deleted_at is not None:
        sides |= Q(teen=account)
        _close_doors(account)
    ended = 0
    for pk in Pairing.objects.filter(sides, ended_at=None).values_list("pk", flat=True):
        ended += _end(pk, account)
    return ended


@transaction.atomic
def _end(pairing_id: UUID, account: Account) -> bool:
    pairing = Pairing.objects.select_related("guardian", "teen").get(pk=pairing_id)
    teen = lock_account(pairing.teen_id)
    pairing.refresh_from_db(fields=["ended_at"])
    if pairing.ended_at is not None:
        return False
    deleted = account.deleted_at is not None
    why = "account deleted" if deleted else "account ended"
    close_pairing(pairing, teen, why, timezone.now(), FAMILIES)
    if account.pk == teen.pk:
        tell(pairing.guardian, "gone", other=name_in_notices(pairing.teen))
        return True
    tell(teen, "gone", other=name_in_notices(pairing.guardian))
    for other in live_pairings().filter(teen=teen).select_related("guardian"):
        if are_apart(other, pairing):
            continue
        tell(other.guardian, "gone.theirs", other=name_in_notices(teen))
    if account.standing == Standing.TERMINATED:
        WARD_LEFT.announce(teen_id=teen.pk, guardian_id=account.pk)
    return True


@transaction.atomic
def _close_doors(account: Account) -> None:
    """End the visits, codes, proofs and trust of a deleted account."""
    now = timezone.now()
    PortalSession.objects.filter(account=account, ended_at=None).update(ended_at=now)
    Invitation.objects.filter(maker=account, ended_at=None).update(ended_at=now)
    end_proofs_of(account, FAMILIES)
    trust = TrustedAdult.objects.filter(Q(adult=account) | Q(teen=account), ended_at=None)
    for trusted in trust.select_related("teen"):
        trusted.ended_at = now
        trusted.save(update_fields=["ended_at"])
        subject = f"account:{trusted.teen.platform_id}"
        record(actor=FAMILIES, subject=subject, fact=kinds.TrustedEnded())
