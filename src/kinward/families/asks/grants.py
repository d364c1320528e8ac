"""What a yes to an ask leads to: a choice, a temporary setting or extra minutes."""

from datetime import datetime

import msgspec
from django.utils import timezone

from kinward.access import Actor
from kinward.families.asks.consensus import missing_yeses
from kinward.families.asks.expiry import TIDY
from kinward.families.models import Answer, Ask, AskState, ExtraMinutes, Pairing
from kinward.families.pairing.power import has_power, is_held, shows_power
from kinward.families.pairing.proof import is_proven, may_give
from kinward.families.screen_time.usage import zones_of
from kinward.families.settings.choices import put_choice
from kinward.families.settings.grant_order import yeses_of
from kinward.families.settings.held import shown_values, weekly
from kinward.families.settings.settlement import end_grant, settle
from kinward.ground.jobs import enqueue
from kinward.people.api import LockedAccount
from kinward.policy import Weekly


class Missing(msgspec.Struct, frozen=True):
    """The pairings whose yes an ask waits for, really and as it looks during a quiet dispute."""

    really: list[Pairing] = []
    shown: list[Pairing] = []


def grant(ask: Ask, teen: LockedAccount, pairing: Pairing, actor: Actor) -> Missing:
    """Grant a teen's ask to which a pairing's guardian has said yes, unless another yes is missing.

    Returns the pairings whose yes is missing. Nothing changes until the last of them has said it.
    Then an ask for minutes gives them until the end of this day. A value becomes the choice of each
    guardian who said yes without an end, and otherwise a setting until the first of those ends.

    A yes that is held grants nothing. An ask that would be granted with it looks granted.
    """
    really = missing_yeses(ask, teen)
    shown_by = shown_values(teen, teen)
    shown = really if shown_by is None else missing_yeses(ask, teen, shown_by)
    missing = Missing(really, shown)
    before = ask.state == AskState.GRANTED and not ask.held  # and looks open
    grants = before or (not really and not is_held(pairing))
    refused = ask.looks == AskState.REFUSED
    looks = not shown and not refused
    ask.held = looks and not grants
    ask.looks = "" if looks else AskState.REFUSED if refused else AskState.OPEN if grants else ""
    ask.state = AskState.GRANTED if grants or looks else AskState.OPEN
    if before:
        if looks:
            own = [yes for yes in _powerful_yeses(ask, held=True) if yes.pairing_id == pairing.pk]
            _choose(ask, teen, own, actor)
    elif grants or looks:
        ask.granted_by = pairing
        _give(ask, teen, actor, held=looks)
    ask.save(update_fields=["state", "granted_by", "until", "held", "looks"])
    return missing


def _give(ask: Ask, teen: LockedAccount, actor: Actor, *, held: bool) -> None:
    """Give what an ask is for, by the yeses in force or, with `held`, also by those that are."""
    yeses = _powerful_yeses(ask, held=held)
    ends = [yes.until for yes in yeses if yes.until is not None]
    if ask.minutes is not None:
        _give_minutes(ask, ask.minutes, teen)
        return
    _choose(ask, teen, yeses, actor)
    if ends:
        _give_value(ask, teen, min(ends), actor)


def _choose(ask: Ask, teen: LockedAccount, yeses: list[Answer], actor: Actor) -> None:
    for yes in yeses:
        if yes.until is None and yes.pairing is not None and ask.minutes is None:
            value = value_of(ask)
            put_choice(yes.pairing, teen, ask.capability, value, actor, agreed=True, held=ask.held)


def may_say_yes(pairing: Pairing, ask: Ask) -> bool:
    """Whether a guardian may say yes: it gives no more than the default, or they are proven."""
    if ask.minutes is not None:
        return is_proven(pairing, ask.capability)
    return may_give(pairing, ask.capability, value_of(ask))


def _powerful_yeses(ask: Ask, *, held: bool) -> list[Answer]:
    """Return the yeses to an ask whose guardians still may say it; with `held`, as it is shown.

    They have the power, and the proof for what the ask gives.
    """
    lasting = [yes.pk for yes in yeses_of(ask, held=held).values()]
    yeses = Answer.objects.select_related("pairing__guardian", "pairing__teen").filter(
        pk__in=lasting, pairing__ended_at=None
    )
    gives_power = shows_power if held else has_power
    return [
        yes
        for yes in yeses
        if yes.pairing is not None and gives_power(yes.pairing) and may_say_yes(yes.pairing, ask)
    ]


def _give_minutes(ask: Ask, minutes: int, teen: LockedAccount) -> None:
    zones, now = zones_of(teen), timezone.now()
    ExtraMinutes.objects.update_or_create(
        ask=ask,
        defaults={
            "account": teen,
            "day": zones.local(now).date(),
            "minutes": minutes,
            "until": zones.end_of_day(now),
            "held": ask.held,
        },
    )


def _give_value(ask: Ask, teen: LockedAccount, until: datetime, actor: Actor) -> None:
    # A capability has one temporary setting, so the earlier grant ends with its setting. Homes that
    # are apart have one grant each, and do not notice each other's.
    others = Ask.objects.select_related("teen").filter(
        teen=teen,
        capability=ask.capability,
        state=AskState.GRANTED,
        until__isnull=False,
        only_for=ask.only_for_id,
    )
    for other in others.exclude(pk=ask.pk):
        if ask.held and not other.held:
            other.looks = AskState.ENDED
            other.save(update_fields=["looks"])
        else:
            end_grant(other, teen, AskState.ENDED, actor=actor)
    ask.until = until
    ask.save(update_fields=["state", "granted_by", "until", "held", "looks"])
    settle(teen, ask.capability, actor=actor)
    enqueue(TIDY, at=until, teen_id=ask.teen_id)


def take_back_grant(ask: Ask, teen: LockedAccount, actor: Actor) -> None:
    """End a temporary grant because a guardian says no."""
    if ask.looks == AskState.OPEN:
        ask.looks = ""
        ask.save(update_fields=["looks"])
    end_grant(ask, teen, AskState.REFUSED, actor=actor)
    ExtraMinutes.objects.filter(ask=ask).delete()


def take_back_quietly(ask: Ask) -> None:
    """Make a grant look ended because a guardian says no whose answer is held."""
    if ask.held:
        ExtraMinutes.objects.filter(ask=ask).delete()
        ask.state = AskState.OPEN
    ask.held, ask.looks = False, AskState.REFUSED
    ask.save(update_fields=["state", "held", "looks"])


def value_of(ask: Ask) -> Weekly:
    """Return the value that an ask is for, as it was sent."""
    return weekly(ask.value)
