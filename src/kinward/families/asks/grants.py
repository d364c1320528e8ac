"""What a yes to an ask leads to: a choice, a temporary setting or extra minutes."""

from datetime import datetime
from typing import Any, cast

from django.utils import timezone

from kinward.access import Actor
from kinward.families.asks.consensus import missing_yeses
from kinward.families.asks.expiry import TIDY
from kinward.families.models import Answer, Ask, AskState, ExtraMinutes, Pairing
from kinward.families.pairing.power import has_power
from kinward.families.screen_time.usage import zones_of
from kinward.families.settings.choices import put_choice
from kinward.families.settings.grant_order import yeses_of
from kinward.families.settings.settlement import end_grant, settle
from kinward.ground.jobs import enqueue
from kinward.people.api import LockedAccount
from kinward.policy import Value, Weekly


def is_passing(ask: Ask) -> bool:
    """Whether a grant is temporary and has not ended. Extra minutes always are temporary."""
    if ask.state != AskState.GRANTED:
        return False
    return ask.minutes is not None or (ask.until is not None and ask.until > timezone.now())


def grant(ask: Ask, teen: LockedAccount, pairing: Pairing, actor: Actor) -> list[Pairing]:
    """Grant a teen's ask to which a pairing's guardian has said yes, unless another yes is missing.

    Returns the pairings whose yes is missing. Nothing changes until the last of them has said it.
    Then an ask for minutes gives them until the end of this day. A value becomes the choice of each
    guardian who said yes without an end, and otherwise a setting until the first of those ends.
    """
    missing = missing_yeses(ask, teen)
    if missing:
        ask.state = AskState.OPEN
        ask.save(update_fields=["state"])
        return missing
    ask.state, ask.granted_by = AskState.GRANTED, pairing
    yeses = _powerful_yeses(ask)
    ends = [yes.until for yes in yeses if yes.until is not None]
    if ask.minutes is not None:
        _give_minutes(ask, ask.minutes, teen)
    else:
        for yes in yeses:
            if yes.until is None and yes.pairing is not None:
                put_choice(yes.pairing, teen, ask.capability, value_of(ask), actor)
        if ends:
            _give_value(ask, teen, min(ends), actor)
    ask.save(update_fields=["state", "granted_by", "until"])
    return []


def _powerful_yeses(ask: Ask) -> list[Answer]:
    """Return the yeses to an ask whose guardians still have power."""
    lasting = [yes.pk for yes in yeses_of(ask).values()]
    yeses = Answer.objects.select_related("pairing__guardian", "pairing__teen").filter(
        pk__in=lasting, pairing__ended_at=None
    )
    return [yes for yes in yeses if yes.pairing is not None and has_power(yes.pairing)]


def _give_minutes(ask: Ask, minutes: int, teen: LockedAccount) -> None:
    zones, now = zones_of(teen), timezone.now()
    ExtraMinutes.objects.create(
        account=teen,
        day=zones.local(now).date(),
        minutes=minutes,
        ask=ask,
        until=zones.end_of_day(now),
    )


def _give_value(ask: Ask, teen: LockedAccount, until: datetime, actor: Actor) -> None:
    # A capability has one temporary setting, so the earlier grant ends with its setting.
    others = Ask.objects.select_related("teen").filter(
        teen=teen, capability=ask.capability, state=AskState.GRANTED, until__isnull=False
    )
    for other in others:
        end_grant(other, teen, AskState.ENDED, actor=actor)
    ask.until = until
    ask.save(update_fields=["state", "granted_by", "until"])
    settle(teen, ask.capability, actor=actor)
    enqueue(TIDY, at=until, teen_id=ask.teen_id)


def take_back_grant(ask: Ask, teen: LockedAccount, actor: Actor) -> None:
    """End a temporary grant because a guardian says no."""
    end_grant(ask, teen, AskState.REFUSED, actor=actor)
    ExtraMinutes.objects.filter(ask=ask).delete()


def value_of(ask: Ask) -> Weekly:
    """Return the value that an ask is for, as it was sent: JSON has no tuples."""
    value: Any = ask.value
    return tuple(value) if isinstance(value, list) else cast("Value", value)
