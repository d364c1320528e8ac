"""What a pairing lets a guardian do at this moment: looked at each time, never remembered.

A pairing gives power only while it is live, undisputed, and both are of an age for it by the pack.
"""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from kinward.experience.api import live, person_of
from kinward.families.errors import NeedsNoGuardian, NotAGuardian, NotPaired, PairingPaused
from kinward.families.models import Pairing
from kinward.people.api import Account, LockedAccount, Standing, lock_account
from kinward.policy import FamilyRules


def rules_for(teen: Account) -> FamilyRules:
    """What the pack in force for a teen says of families; without a usable pack, the strictest."""
    pack = live().in_force().for_account(teen.platform_id)
    return FamilyRules(guardian_assurance="verified") if pack is None else pack.families


def live_pairings(now: datetime | None = None) -> QuerySet[Pairing]:
    """The pairings that have not ended; a disputed one is among them."""
    now = now or timezone.now()
    return Pairing.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), ended_at=None)


def empowered(*, guardian: Account, teen_id: str) -> tuple[Pairing, LockedAccount]:
    """Return the pairing by which a guardian may act for a teen now, and the teen, locked.

    Raises the same `NotPaired` for a teen who is somebody else's and for one who does not exist.
    """
    found = (
        live_pairings().filter(guardian=guardian, teen__platform_id=teen_id).values("teen_id")
    ).first()
    if found is None:
        raise NotPaired
    teen = lock_account(found["teen_id"])
    pairing = (
        live_pairings()
        .select_related("guardian", "teen")
        .filter(guardian=guardian, teen=teen)
        .first()
    )
    if pairing is None:
        raise NotPaired
    check_power(pairing)
    return pairing, teen


def check_power(pairing: Pairing) -> None:
    """Raise unless a live pairing gives power now: undisputed, both of an age for it."""
    rules = rules_for(pairing.teen)
    if pairing.disputed_at is not None:
        raise PairingPaused
    if pairing.guardian.standing != Standing.ACTIVE:
        raise NotPaired
    if not rules.may_guard(person_of(pairing.guardian).age):
        raise NotAGuardian
    if not rules.may_be_guarded(person_of(pairing.teen).age):
        raise NeedsNoGuardian


def has_power(pairing: Pairing) -> bool:
    """Whether the guardian of a live pairing may act and see."""
    try:
        check_power(pairing)
    except (NeedsNoGuardian, NotAGuardian, NotPaired, PairingPaused):
        return False
    return True
