"""Families are settled anew when a guardian gains or loses power or proof: by a job, and a sweep.

Power and proof are checked each time. What follows from them is a stored setting, so it has to be
settled anew: when an account changes, and every ten minutes for whatever else moved, such as the
pack, which may ask for a stronger proof.
"""

from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import live
from kinward.families.models import Ask, AskState, Choice, GuardianProof, Pairing
from kinward.families.pairing.power import STRICTEST, has_power, live_pairings
from kinward.families.pairing.proof import method_of
from kinward.families.settings.settlement import packs_in_force, settle_all
from kinward.people.api import Account, Standing, lock_account

MOST: Final = 1000  # families in one sweep


def weigh_families_of(account_id: int) -> None:
    """Settle anew each family in which an account is a guardian whose power changed, or the teen.

    The rules of another age or place may ask a guardian for another proof.
    """
    weigh_family(account_id, anyway=True)
    teens = live_pairings().filter(guardian=account_id).values_list("teen_id", flat=True)
    for teen_id in sorted(set(teens)):
        weigh_family(teen_id)


def weigh_family(teen_id: int, *, anyway: bool = False) -> bool:
    """Settle a teen's family anew if a guardian's power or proof changed, or `anyway`.

    Idempotent. Locks the teen, if there is a guardian.
    """
    if not live_pairings().filter(teen=teen_id).exists():
        return False
    with transaction.atomic():
        teen = lock_account(teen_id)
        pairings = live_pairings().filter(teen=teen).select_related("guardian", "teen")
        changed = anyway or any(_is_changed(pairing) for pairing in pairings)
        if changed:
            settle_all(teen, actor=Actor.system("families"))
    return changed


def _is_changed(pairing: Pairing) -> bool:
    if has_power(pairing) == (pairing.asleep_since is not None):
        return True
    proof = method_of(pairing.guardian, pairing.teen)
    return (pairing.settled_proof, pairing.settled_packs) != (proof, packs_in_force())


def accounts_gone() -> list[int]:
    """Return accounts that are gone and still in a pairing, at most `MOST`."""
    deleted = Q(deleted_at__isnull=False)
    guards = Account.objects.filter(
        deleted | Q(standing=Standing.TERMINATED), guarding__ended_at=None, guarding__isnull=False
    )
    guarded = Account.objects.filter(deleted, guarded__ended_at=None, guarded__isnull=False)
    return sorted({*guards.values_list("pk", flat=True), *guarded.values_list("pk", flat=True)})[
        :MOST
    ]


def families_to_weigh() -> list[int]:
    """Return teens whose guardian has another power or proof than was settled, at most `MOST`."""
    in_force = live().in_force()
    rules = [pack.families for pack in (in_force.pack, in_force.rest) if pack is not None]
    rules = rules or [STRICTEST]
    adult = max(family.guardian_age for family in rules)
    sure = set.intersection(*(set(family.assurances) for family in rules))
    unsure = (
        Q(disputed_at__isnull=False)
        | ~Q(guardian__standing=Standing.ACTIVE)
        | Q(guardian__deleted_at__isnull=False)
        | Q(guardian__age_lower__lt=adult)
        | ~Q(guardian__age_assurance__in=sure)
    )
    gave = Ask.objects.filter(state=AskState.GRANTED, until__gt=timezone.now())
    chosen = Exists(Choice.objects.filter(pairing=OuterRef("pk"), ended_at=None)) | Exists(
        gave.filter(granted_by=OuterRef("pk"))
    )
    proofs = GuardianProof.objects.filter(
        guardian=OuterRef("guardian"), teen=OuterRef("teen"), ended_at=None
    )
    told = Coalesce(Subquery(proofs.values("method")[:1]), Value(""))
    moved = ~Q(settled_packs=packs_in_force()) | ~Q(settled_proof=told)
    candidates = live_pairings().filter(
        Q(asleep_since__isnull=False) | unsure | (moved & Q(chosen))
    )
    changed = {
        pairing.teen_id
        for pairing in candidates.select_related("guardian", "teen")[: 10 * MOST]
        if _is_changed(pairing)
    }
    return sorted(changed)[:MOST]
