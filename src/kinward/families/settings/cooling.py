"""The time after a teen's step away from a guardian, in which that guardian does not tighten alone.

It runs from a teen's notice to end the pairing, and from a dispute, until 14 days after. A change
of time or of contact that tightens then takes the teen's yes. After a quiet dispute the guardian is
not to notice: the change looks done, and is held until the time is over.
"""

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from kinward.experience.api import live, person_of
from kinward.families.errors import GuardianCooling
from kinward.families.models import Pairing
from kinward.families.pairing.homes import pairings_seen_by
from kinward.families.settings.groups import SETTING_GROUPS
from kinward.families.settings.held import sees_held
from kinward.families.settings.settlement import choices_of, strictest
from kinward.people.api import Account
from kinward.policy import WEEK, Weekly, bounds_in_general

COOLING: Final = timedelta(days=14)
GUARDED: Final = frozenset((*SETTING_GROUPS["time"], *SETTING_GROUPS["people"]))


def is_cooling(pairing: Pairing, now: datetime | None = None) -> bool:
    """Whether the guardian knows of a reason to wait: a notice, or a dispute that was no secret."""
    until = pairing.cools_until
    return pairing.ends_at is not None or (until is not None and until > (now or timezone.now()))


def is_cooling_quietly(pairing: Pairing, now: datetime | None = None) -> bool:
    """Whether what the guardian tightens is held, after a quiet dispute that a person restored."""
    until = pairing.cools_quietly_until
    return pairing.quiet and until is not None and until > (now or timezone.now())


def refuse_tightening(pairing: Pairing, capability: str) -> None:
    """Raise `GuardianCooling` if the guardian may not tighten a capability alone now."""
    if capability in GUARDED and is_cooling(pairing):
        raise GuardianCooling


def tightens(pairing: Pairing, teen: Account, capability: str, value: Weekly | None) -> bool:
    """Whether a guardian's choice makes time or contact stricter on any day, as they see it.

    None takes the choice back, which leaves the other guardians' choices or the default.
    """
    pack = live().in_force().for_account(teen.platform_id)
    known = None if pack is None else pack.capabilities.get(capability)
    if pack is None or known is None or capability not in GUARDED:
        return False
    bounds = bounds_in_general(pack.ruling, capability, person_of(teen))
    if bounds is None:
        return False
    kind, default = known.kind, known.kind.value(bounds.default)
    held, only = sees_held(teen, pairing.guardian), pairings_seen_by(teen, pairing.guardian)
    shown = choices_of(teen, held=held, only=only).get(capability, [])
    others = [choice.value for choice in shown if choice.pairing_id != pairing.pk]
    before = strictest(kind, [choice.value for choice in shown])
    after = strictest(kind, others if value is None else [*others, value])
    for weekday in range(WEEK):
        now = kind.code_on(default if before is None else before, weekday)
        then = kind.code_on(default if after is None else after, weekday)
        if kind.strictest(then, now) != now:
            return True
    return False
