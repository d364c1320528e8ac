"""Whose yes an ask needs: a guardian's whose choice it exceeds, and both after a disagreement."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from kinward.experience.api import live
from kinward.families.models import Ask, Pairing
from kinward.families.pairing.power import has_power, live_pairings, shows_power
from kinward.families.screen_time.extra import Shown, would_exceed
from kinward.families.screen_time.usage import local_now
from kinward.families.settings.grant_order import standing_against, was_held, yeses_of
from kinward.families.settings.settlement import choices_of, strictest
from kinward.people.api import LockedAccount

REMEMBERED: Final = timedelta(days=30)  # how long a yes counts that another guardian took back


def missing_yeses(ask: Ask, teen: LockedAccount, shown: Shown = None) -> list[Pairing]:
    """Return the pairings whose guardians still have to say yes before an ask is granted.

    They are the guardians with power whose own choice the ask exceeds, or who disagreed about the
    same lately. What is held counts only with `shown`, the values that are shown: then whose yes
    seems to be missing.
    """
    if ask.only_for_id is not None:  # what others chose binds what it gives
        return []
    held = shown is not None and shown.held
    gives_power = shows_power if held else has_power
    yeses, exceeded = yeses_of(ask, held=held), _exceeded(ask, teen, shown)
    disagreed = _disagreed(ask, held=held)
    return [
        pairing
        for pairing in live_pairings().select_related("guardian", "teen").filter(teen=teen)
        if pairing.pk not in yeses
        and (pairing.pk in exceeded or (pairing.pk in disagreed and gives_power(pairing)))
    ]


def _exceeded(ask: Ask, teen: LockedAccount, shown: Shown) -> set[UUID]:
    """Return the pairings whose own choice an ask exceeds without their yes."""
    if ask.minutes is not None:
        return would_exceed(ask, teen, local_now(teen, timezone.now()), shown)
    pack = live().in_force().for_account(teen.platform_id)
    known = None if pack is None else pack.capabilities.get(ask.capability)
    if known is None or ask.value is None:
        return set()
    asked, held = strictest(known.kind, [ask.value]), shown is not None and shown.held
    choices = choices_of(teen, held=held).get(ask.capability, [])
    return {
        choice.pairing_id
        for choice in standing_against(choices, yeses_of(ask, held=held))
        if strictest(known.kind, [ask.value, choice.value]) != asked
    }


def _disagreed(ask: Ask, *, held: bool) -> set[UUID]:
    """Return the pairings of a yes and of a later no to the same ask; with `held`, as it looks.

    The same is any ask for minutes, or any ask for a value of the capability.
    """
    earlier = Ask.objects.filter(
        teen_id=ask.teen_id,
        proposed_by=None,
        only_for=None,
        capability=ask.capability,
        minutes__isnull=ask.minutes is None,
        made_at__gt=timezone.now() - REMEMBERED,
    ).exclude(pk=ask.pk)
    asks = earlier.filter(answers__answer="yes").filter(answers__answer="no").distinct()
    parties: set[UUID] = set()
    for other in asks.prefetch_related("answers__pairing"):
        said_so = [a for a in other.answers.all() if held or not was_held(a)]
        by = {
            said: {a.pairing_id for a in said_so if a.answer == said and a.pairing_id}
            for said in ("yes", "no")
        }
        if any(by["yes"] - {pairing_id} for pairing_id in by["no"]):
            parties |= {*by["yes"], *by["no"]}
    return parties
