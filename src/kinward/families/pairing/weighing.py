"""Families are settled anew when a guardian gains or loses power: by a job, and by a sweep.

Power itself is checked each time. What follows from it is a stored setting, so it has to be settled
anew: when an account changes, and every ten minutes for whatever else moved, such as the pack.
"""

from typing import Final

from django.db import transaction
from django.db.models import Q

from kinward.access import Actor
from kinward.experience.api import live
from kinward.families.models import Pairing
from kinward.families.pairing.power import has_power, live_pairings
from kinward.families.settings.settlement import settle_all
from kinward.people.api import Account, Standing, lock_account
from kinward.policy import FamilyRules

MOST: Final = 1000  # families in one sweep


def weigh_families_of(account_id: int) -> None:
    """Settle anew each family in which an account is a guardian whose power changed."""
    teens = live_pairings().filter(guardian=account_id).values_list("teen_id", flat=True)
    for teen_id in sorted(set(teens)):
        weigh_family(teen_id)


def weigh_family(teen_id: int) -> bool:
    """Settle a teen's family anew if a guardian's power changed. Idempotent. Locks the teen."""
    with transaction.atomic():
        teen = lock_account(teen_id)
        pairings = live_pairings().filter(teen=teen).select_related("guardian", "teen")
        changed = any(_is_changed(pairing) for pairing in pairings)
        if changed:
            settle_all(teen, actor=Actor.system("families"))
    return changed


def _is_changed(pairing: Pairing) -> bool:
    return has_power(pairing) == (pairing.asleep_since is not None)


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
    """Return teens of whom a guardian's power differs from how it was settled, at most `MOST`."""
    in_force = live().in_force()
    rules = [pack.families for pack in (in_force.pack, in_force.rest) if pack is not None]
    rules = rules or [FamilyRules(guardian_assurance="verified")]
    adult = max(family.guardian_age for family in rules)
    sure = set.intersection(*(set(family.assurances) for family in rules))
    unsure = (
        Q(disputed_at__isnull=False)
        | ~Q(guardian__standing=Standing.ACTIVE)
        | Q(guardian__deleted_at__isnull=False)
        | Q(guardian__age_lower__lt=adult)
        | ~Q(guardian__age_assurance__in=sure)
    )
    candidates = live_pairings().filter(Q(asleep_since__isnull=False) | unsure)
    changed = {
        pairing.teen_id
        for pairing in candidates.select_related("guardian", "teen")[: 10 * MOST]
        if _is_changed(pairing)
    }
    return sorted(changed)[:MOST]
