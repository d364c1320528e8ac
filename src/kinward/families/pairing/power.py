"""The power that a pairing gives its guardian now. It is checked each time and never stored.

A pairing gives power only while it is live and undisputed, the guardian's account is active, and
both ages fit the pack in force. During a quiet dispute it gives none either, but it shows power:
pages open and verbs answer as if nobody had disputed it, and `settings.held` keeps what the
guardian does from taking effect.
"""

from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from kinward.experience.api import live, person_of
from kinward.families.errors import NeedsNoGuardian, NotAGuardian, NotPaired, PairingPaused
from kinward.families.models import Pairing
from kinward.people.api import Account, LockedAccount, lock_account
from kinward.policy import FamilyRules

# Where the pack is unusable.
STRICTEST: Final = FamilyRules(guardian_assurance="verified", guardian_proof="court")


def rules_for(teen: Account) -> FamilyRules:
    """Return the family rules of the pack in force for a teen; the strictest if it is unusable."""
    pack = live().in_force().for_account(teen.platform_id)
    return STRICTEST if pack is None else pack.families


def live_pairings(now: datetime | None = None) -> QuerySet[Pairing]:
    """Return the pairings that have not ended, including disputed ones."""
    now = now or timezone.now()
    return Pairing.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), ended_at=None)


def pairings_of(account: Account) -> list[Pairing]:
    """Return the live pairings of an account, as guardian or as teen, oldest first."""
    about = Q(guardian=account) | Q(teen=account)
    return list(live_pairings().select_related("guardian", "teen").filter(about))


def require_power(*, guardian: Account, teen_id: str) -> tuple[Pairing, LockedAccount]:
    """Return the pairing that lets a guardian act for a teen now, and the teen, locked.

    Raises the same `NotPaired` for somebody else's teen and for one who does not exist, and
    otherwise as `check_shown_power`. What a verb then writes is held during a quiet dispute.
    """
    teen_pk = (
        live_pairings()
        .filter(guardian=guardian, teen__platform_id=teen_id)
        .values_list("teen_id", flat=True)
        .first()
    )
    if teen_pk is None:
        raise NotPaired
    teen = lock_account(teen_pk)
    # Read under the lock: the pairing may have ended while this waited.
    pairing = (
        live_pairings()
        .select_related("guardian", "teen")
        .filter(guardian=guardian, teen=teen)
        .first()
    )
    if pairing is None:
        raise NotPaired
    check_shown_power(pairing)
    return pairing, teen


def check_power(pairing: Pairing) -> None:
    """Raise unless a live pairing gives power now.

    Raises `PairingPaused` during a dispute, quiet or not, and otherwise as `check_shown_power`.
    """
    if is_held(pairing):
        raise PairingPaused
    check_shown_power(pairing)


def is_paused(pairing: Pairing) -> bool:
    """Whether everybody sees that a dispute pauses the pairing."""
    return pairing.disputed_at is not None and not pairing.quiet


def is_held(pairing: Pairing) -> bool:
    """Whether a dispute that its guardian does not notice holds what that guardian does now."""
    return pairing.disputed_at is not None and pairing.quiet


def check_shown_power(pairing: Pairing) -> None:
    """Raise unless a live pairing looks to its guardian as if it gave power.

    Raises `PairingPaused` during a dispute that is not quiet, `NotPaired` if the guardian's account
    is not active, and `NotAGuardian` or `NeedsNoGuardian` if an age does not fit.
    """
    if is_paused(pairing):
        raise PairingPaused
    rules = rules_for(pairing.teen)
    if not pairing.guardian.is_active:
        raise NotPaired
    if not rules.may_guard(person_of(pairing.guardian).age):
        raise NotAGuardian
    if not rules.may_be_guarded(person_of(pairing.teen).age):
        raise NeedsNoGuardian


def has_power(pairing: Pairing) -> bool:
    """Whether what the guardian of a live pairing does takes effect now."""
    return not is_held(pairing) and shows_power(pairing)


def shows_power(pairing: Pairing) -> bool:
    """Whether a live pairing looks to its guardian as if it gave power, also while it is quiet."""
    try:
        check_shown_power(pairing)
    except (NeedsNoGuardian, NotAGuardian, NotPaired, PairingPaused):
        return False
    return True


def in_power(pairing: Pairing, *, held: bool = False) -> bool:
    """Whether a pairing lives, and gives its guardian power now; with `held`, as it is shown.

    What its guardian chose, granted and left out counts only then.
    """
    ends = pairing.ends_at
    lives = pairing.ended_at is None and (ends is None or ends > timezone.now())
    return lives and (shows_power(pairing) if held else has_power(pairing))
