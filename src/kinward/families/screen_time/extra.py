"""Extra minutes: what guardians gave for today, as far as each guardian with a choice agreed."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import Q

from kinward.experience.api import decide_with
from kinward.families.models import Ask, ExtraMinutes, Pairing
from kinward.families.pairing.power import in_power
from kinward.families.pairing.proof import is_proven
from kinward.families.settings.grant_order import yeses_of
from kinward.families.settings.settlement import choices_of
from kinward.families.settings.shown import ShownValues
from kinward.people.api import Account
from kinward.policy import DAY_MINUTES, MINUTES, About, Request

TIME: Final = "session.time"

# Values of guardians by capability as somebody's pages show them, also what is held; None for those
# in force.
Shown = ShownValues | None


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


def chosen_minutes(teen: Account, local: datetime, shown: Shown = None) -> dict[UUID, int]:
    """Return each guardian's own choice of minutes for a local day, by pairing; or as shown."""
    held, only = (False, None) if shown is None else (shown.held, shown.only)
    choices = choices_of(teen, held=held, only=only).get(TIME, [])
    weekday = local.weekday()
    return {choice.pairing_id: MINUTES.code_on(choice.value, weekday) for choice in choices}


def extras_at(account: Account, now: datetime, day: date, shown: Shown = None) -> list[Extra]:
    """Return the extra minutes that count at a moment, which is on the account's local `day`.

    They end with the power and the proof of whoever gave them. With `shown`, they are those that
    are shown.
    """
    held = shown is not None and shown.held
    rows = (
        ExtraMinutes.objects.select_related(
            *("pairing__guardian", "pairing__teen"),
            *("ask__granted_by__guardian", "ask__granted_by__teen"),
        )
        .prefetch_related("ask__answers__pairing")
        .filter(Q(until__gt=now) | Q(until=None, day=day), account=account)
    )
    rows = rows.exclude(ask__looks__gt="") if held else rows.filter(held=False)
    if shown is not None and shown.only is not None:
        rows = rows.filter(Q(pairing__in=shown.only) | Q(ask__granted_by__in=shown.only))
    given = [row for row in rows if _still_given(row, held=held)]
    return [Extra(row.minutes, _agreed(row, held=held)) for row in given]


def _still_given(row: ExtraMinutes, *, held: bool) -> bool:
    giver = row.pairing if row.ask is None else row.ask.granted_by
    if giver is not None:
        return in_power(giver, held=held) and is_proven(giver, TIME)
    # A pass-code from before each guardian had their own.
    pairings = Pairing.objects.select_related("guardian", "teen").filter(teen=row.account_id)
    return any(in_power(each, held=held) and is_proven(each, TIME) for each in pairings)


def _agreed(row: ExtraMinutes, *, held: bool) -> frozenset[UUID] | None:
    if row.ask is not None:
        return frozenset(yeses_of(row.ask, held=held))
    return None if row.pairing_id is None else frozenset([row.pairing_id])


def limit_without_extra(teen: Account, local: datetime, shown: Shown = None) -> int:
    """Return the minutes of a local day without extra ones, as this transaction sees them."""
    return _limit(teen, local, None, shown)


def _limit(teen: Account, local: datetime, chosen: int | None, shown: Shown) -> int:
    """Decide the minutes of a local day, as if guardian and teen had chosen some, if any."""
    about = About(id=teen.platform_id)
    question = Request(capability=TIME, actor=about, at=local)
    if chosen is not None:
        question = msgspec.structs.replace(question, guardian=chosen, self_=chosen)
    value = decide_with(teen, [question], shown)[0].value
    return value if isinstance(value, int) else 0


def minutes_with_extra(teen: Account, local: datetime, shown: Shown = None) -> int:
    """Return the minutes of a local day with extra ones, as this transaction sees them."""
    base = limit_without_extra(teen, local, shown)
    extras = extras_at(teen, local, local.date(), shown)
    if not extras or base >= DAY_MINUTES:
        return base
    more = with_extra(base, chosen_minutes(teen, local, shown), extras)
    return max(base, _limit(teen, local, more, shown))


def would_exceed(ask: Ask, teen: Account, local: datetime, shown: Shown = None) -> set[UUID]:
    """Return the pairings whose own choice of minutes an ask for more would exceed unagreed."""
    agreed = frozenset(yeses_of(ask, held=shown is not None and shown.held))
    return _exceeded(Extra(ask.minutes or 0, agreed), teen, local, shown)


def is_agreed_alone(pairing: Pairing, local: datetime, minutes: int, shown: Shown = None) -> bool:
    """Whether a guardian may give minutes alone, because they exceed no other guardian's choice."""
    given = Extra(minutes, frozenset([pairing.pk]))
    return not _exceeded(given, pairing.teen, local, shown)


def _exceeded(given: Extra, teen: Account, local: datetime, shown: Shown) -> set[UUID]:
    base = limit_without_extra(teen, local, shown)
    chosen = chosen_minutes(teen, local, shown)
    extras = [*extras_at(teen, local, local.date(), shown), given]
    whole = min(base + sum(extra.minutes for extra in extras), DAY_MINUTES)
    return {
        pairing_id
        for pairing_id, minutes in chosen.items()
        if with_extra(base, {pairing_id: minutes}, extras) < whole
    }
