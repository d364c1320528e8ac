"""Extra minutes: what guardians gave for today, as far as each guardian with a choice agreed."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import Q

from kinward.experience.api import decide_all, live, load_states
from kinward.families.models import Ask, ExtraMinutes, Pairing
from kinward.families.pairing.power import in_power
from kinward.families.settings.grant_order import yeses_of
from kinward.families.settings.settlement import choices_of
from kinward.people.api import Account
from kinward.policy import DAY_MINUTES, MINUTES, About, Request

TIME: Final = "session.time"


class Extra(msgspec.Struct, frozen=True):
    """Minutes that were given, and the pairings whose guardians agreed; None for all of them."""

    minutes: int
    agreed: frozenset[UUID] | None


def with_extra(base: int, chosen: Mapping[UUID, int], extras: Iterable[Extra]) -> int:
    """Return the minutes of a day with its extra ones.

    `base` is the limit without them, and `chosen` each guardian's own choice of minutes. Nothing
    exceeds a choice by more than its guardian agreed to.

    >>> mum, dad = UUID(int=1), UUID(int=2)
    >>> given = [Extra(60, frozenset([dad]))]
    >>> with_extra(30, {mum: 30, dad: 120}, given), with_extra(30, {dad: 30}, given)
    (30, 90)
    >>> with_extra(30, {mum: 70, dad: 30}, given * 3)
    70
    """
    extras = list(extras)
    reach = [base + sum(extra.minutes for extra in extras)]
    for pairing_id, minutes in chosen.items():
        agreed = (e.minutes for e in extras if e.agreed is None or pairing_id in e.agreed)
        reach.append(max(minutes, base) + sum(agreed))
    return min(max(base, min(reach)), DAY_MINUTES)


def chosen_minutes(teen: Account, local: datetime) -> dict[UUID, int]:
    """Return each guardian's own choice of minutes for a local day, by pairing."""
    choices = choices_of(teen).get(TIME, [])
    weekday = local.weekday()
    return {choice.pairing_id: MINUTES.code_on(choice.value, weekday) for choice in choices}


def extras_at(account: Account, now: datetime, day: date) -> list[Extra]:
    """Return the extra minutes that count at a moment, which is on the account's local `day`.

    They end with the power of whoever gave them.
    """
    rows = (
        ExtraMinutes.objects.select_related(
            *("pairing__guardian", "pairing__teen"),
            *("ask__granted_by__guardian", "ask__granted_by__teen"),
        )
        .prefetch_related("ask__answers")
        .filter(Q(until__gt=now) | Q(until=None, day=day), account=account)
    )
    return [Extra(row.minutes, _agreed(row)) for row in rows if _still_given(row)]


def _still_given(row: ExtraMinutes) -> bool:
    giver = row.pairing if row.ask is None else row.ask.granted_by
    if giver is None:  # a pass-code from before each guardian had their own
        return any(map(in_power, Pairing.objects.filter(teen=row.account_id, ended_at=None)))
    return in_power(giver)


def _agreed(row: ExtraMinutes) -> frozenset[UUID] | None:
    if row.ask is not None:
        return frozenset(yeses_of(row.ask))
    return None if row.pairing_id is None else frozenset([row.pairing_id])


def limit_without_extra(teen: Account, local: datetime) -> int:
    """Return the minutes of a local day without extra ones, as this transaction sees them."""
    return _limit(teen, local, None)


def _limit(teen: Account, local: datetime, chosen: int | None) -> int:
    """Decide the minutes of a local day, as if guardian and teen had chosen some, if any."""
    about = About(id=teen.platform_id)
    question = Request(capability=TIME, actor=about, at=local)
    if chosen is not None:
        question = msgspec.structs.replace(question, guardian=chosen, self_=chosen)
    states = load_states([teen.platform_id])
    value = decide_all(live().in_force(), [question], states)[0].value
    return value if isinstance(value, int) else 0


def minutes_with_extra(teen: Account, local: datetime) -> int:
    """Return the minutes of a local day with extra ones, as this transaction sees them."""
    base, extras = limit_without_extra(teen, local), extras_at(teen, local, local.date())
    if not extras or base >= DAY_MINUTES:
        return base
    return max(base, _limit(teen, local, with_extra(base, chosen_minutes(teen, local), extras)))


def would_exceed(ask: Ask, teen: Account, local: datetime) -> set[UUID]:
    """Return the pairings whose own choice of minutes an ask for more would exceed unagreed."""
    return _exceeded(Extra(ask.minutes or 0, frozenset(yeses_of(ask))), teen, local)


def is_agreed_alone(pairing: Pairing, local: datetime, minutes: int) -> bool:
    """Whether a guardian may give minutes alone, because they exceed no other guardian's choice."""
    given = Extra(minutes, frozenset([pairing.pk]))
    return not _exceeded(given, pairing.teen, local)


def _exceeded(given: Extra, teen: Account, local: datetime) -> set[UUID]:
    base, chosen = limit_without_extra(teen, local), chosen_minutes(teen, local)
    extras = [*extras_at(teen, local, local.date()), given]
    whole = min(base + sum(extra.minutes for extra in extras), DAY_MINUTES)
    return {
        pairing_id
        for pairing_id, minutes in chosen.items()
        if with_extra(base, {pairing_id: minutes}, extras) < whole
    }
