"""Screen time: heartbeats become minutes of use, and those count against the day's limit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from kinward.experience.api import decide_with, live
from kinward.families.models import ActiveHour, ZoneChange
from kinward.families.screen_time.extra import (
    Extra,
    Shown,
    chosen_minutes,
    extras_at,
    with_extra,
)
from kinward.families.screen_time.minutes import (
    DAY,
    HOUR,
    Zones,
    bits_by_hour,
    counted_minutes,
    minute_of,
    minutes_per_day,
    streak,
    week,
)
from kinward.people.api import Account
from kinward.policy import (
    ALWAYS_OPEN,
    DAY_MINUTES,
    About,
    Decision,
    Request,
    known_language,
    minutes_words,
    reason_words,
)

MAX_EVENTS: Final = 5_000
MAX_MINUTES: Final = 15  # in one heartbeat
SKEW: Final = timedelta(minutes=2)
OLDEST: Final = timedelta(hours=48)
KEPT: Final = timedelta(days=35)
PAUSE: Final = 5  # a longer pause, in minutes, counts as a break
Decide = Callable[[list[Request]], list[Decision]]
BREAKS: Final = {"15 minutes": 15, "30 minutes": 30, "60 minutes": 60}
SOON: Final = 15  # minutes left from which the person is told


class Heartbeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Use of the app for `minutes` minutes, of which the last contains `at`."""

    account_id: str
    at: datetime
    minutes: int = 1


class Refusal(msgspec.Struct, frozen=True):
    """A heartbeat that was refused: its index in the batch, and why."""

    index: int
    why: str


class ScreenTime(msgspec.Struct, frozen=True):
    """An account's minutes today and in the seven days that end today.

    `allowed` and `left` are None if there is no limit. `extra` are the minutes by which guardians
    raised today's limit, which `allowed` includes. `closed` means that the time is outside
    `session.hours`, and `break_due` that it is time for a break. `sentence` tells the person so.
    It may be empty. `always_open` is what the app keeps open even then.
    """

    day: date
    time_zone: str
    used: int
    allowed: int | None
    left: int | None
    sentence: str
    extra: int = 0
    closed: bool = False
    break_due: bool = False
    week: list[tuple[date, int]] = []
    always_open: tuple[str, ...] = ALWAYS_OPEN


def take_heartbeats(heartbeats: Sequence[Heartbeat]) -> tuple[dict[str, ScreenTime], list[Refusal]]:
    """Store the valid heartbeats of a batch in one transaction. Idempotent.

    Returns the screen time of each account with a valid heartbeat, and the refused heartbeats.
    """
    now = timezone.now()
    accounts = {
        account.platform_id: account
        for account in Account.objects.filter(
            platform_id__in={heartbeat.account_id for heartbeat in heartbeats}
        )
    }
    minutes: dict[str, set[int]] = {}
    refused = []
    for index, heartbeat in enumerate(heartbeats):
        why = _why_refused(heartbeat, accounts, now)
        if why:
            refused.append(Refusal(index, why))
            continue
        last = minute_of(heartbeat.at)
        covered = range(last - heartbeat.minutes + 1, last + 1)
        minutes.setdefault(heartbeat.account_id, set()).update(covered)
    _write({accounts[name].pk: used for name, used in minutes.items()})
    return {name: screen_time(accounts[name], now) for name in minutes}, refused


def _why_refused(heartbeat: Heartbeat, accounts: Mapping[str, Account], now: datetime) -> str:
    if heartbeat.account_id not in accounts:
        return f"There is no account {heartbeat.account_id[:60]!r}."
    if heartbeat.at.tzinfo is None:
        return "`at` needs a time zone, as in 2026-01-31T12:00:00Z."
    if heartbeat.at > now + SKEW:
        return "It is from the future. Is the clock right?"
    if heartbeat.at < now - OLDEST:
        return f"It is older than {OLDEST.days * 24} hours."
    if not 1 <= heartbeat.minutes <= MAX_MINUTES:
        return f"A heartbeat speaks for 1 to {MAX_MINUTES} minutes."
    return ""


@transaction.atomic
def _write(minutes: Mapping[int, Iterable[int]]) -> None:
    # Sorted, so that two batches about the same accounts cannot deadlock.
    rows = sorted(
        (account, hour, bits)
        for account, used in minutes.items()
        for hour, bits in bits_by_hour(used).items()
    )
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO families_activehour (account_id, hour, bits) VALUES (%s, %s, %s)"
            " ON CONFLICT (account_id, hour)"
            " DO UPDATE SET bits = families_activehour.bits | EXCLUDED.bits",
            rows,
        )


def screen_time(account: Account, now: datetime, shown: Shown = None) -> ScreenTime:
    """Return an account's minutes today and this week, and what its limit leaves.

    `shown`: values of guardians, by capability, which a page shows in place of those in force. The
    extra minutes are then those that are shown.
    """
    decide: Decide = live().decide
    if shown is not None:
        decide = partial(decide_with, account, guardian=shown)
    zones, minute = zones_of(account), minute_of(now)
    today = zones.day_of(minute)
    first = minute // HOUR - 24 * 9  # a week, and room for any change of zone
    hours = ActiveHour.objects.filter(account=account, hour__gte=first)
    bits = dict(hours.values_list("hour", "bits"))
    used = counted_minutes(bits, zones, minute)
    question, time, opening, pause = _strictest_decisions(account, zones, now, decide)
    limit = time.value if isinstance(time.value, int) else 0
    extras = extras_at(account, now, today, shown)
    chosen = chosen_minutes(account, question.at, shown) if extras and question.at else {}
    allowed = _with_extra(limit, chosen, extras, question, decide)
    left = None if allowed >= DAY_MINUTES else max(0, allowed - used)
    closed = opening.effect == "deny"
    sitting = streak(bits, minute, gap=PAUSE)
    rests = isinstance(pause.value, str) and pause.value in BREAKS
    break_due = rests and sitting >= BREAKS[str(pause.value)]
    language = known_language(account.language)
    sentence = opening.sentence(language) if closed else _time_left(left, language)
    if not sentence and break_due:
        sentence = minutes_words("time.break", sitting, language)
    return ScreenTime(
        day=today,
        time_zone=zones.name_at(minute),
        used=used,
        allowed=None if left is None else allowed,
        left=left,
        sentence=sentence,
        extra=allowed - limit,
        closed=closed,
        break_due=break_due,
        week=week(minutes_per_day(bits, zones), today),
    )


def _strictest_decisions(
    account: Account, zones: Zones, now: datetime, decide: Decide
) -> tuple[Request, Decision, Decision, Decision]:
    """Decide `session.time`, `.hours` and `.break`; return them after the question about time.

    For a day after a change of zone the hours of each place count, and the shorter of their days.
    So nobody's night ends early, and no weekend begins early, because they travel.
    """
    about, minute = About(id=account.platform_id), minute_of(now)
    places = [zones.name_at(minute), *zones.left_since(minute - DAY, minute)]
    names = ("session.time", "session.hours", "session.break")
    questions = [
        Request(capability=name, actor=about, at=now.astimezone(ZoneInfo(place)))
        for place in dict.fromkeys(places)
        for name in names
    ]
    decisions = decide(questions)
    times = list(zip(questions[::3], decisions[::3], strict=True))
    question, time = min(times, key=lambda pair: pair[1].code)
    opening = next((each for each in decisions[1::3] if each.effect == "deny"), decisions[1])
    return question, time, opening, decisions[2]


def _time_left(left: int | None, language: str) -> str:
    """Return the sentence about the time left; empty while more than `SOON` minutes are left."""
    if left is None or left > SOON:
        return ""
    return (
        minutes_words("time.left", left, language) if left else reason_words("time.over", language)
    )


def _with_extra(
    limit: int,
    chosen: Mapping[UUID, int],
    extras: Sequence[Extra],
    question: Request,
    decide: Decide,
) -> int:
    """Return the minutes allowed on a day: its limit, and the extra ones as far as they reach.

    They reach as far as each guardian with a choice agreed, and as the pack's bounds allow. The
    bounds are applied by deciding again, as if guardian and teen had chosen the sum.
    """
    if not extras or limit >= DAY_MINUTES:
        return limit
    more = with_extra(limit, chosen, extras)
    question = msgspec.structs.replace(question, guardian=more, self_=more)
    bounded = decide([question])[0].value
    return max(limit, bounded) if isinstance(bounded, int) else limit


def local_now(account: Account, now: datetime) -> datetime:
    """Convert a moment to the account's time zone at that moment."""
    return zones_of(account).local(now)


def zones_of(account: Account) -> Zones:
    """Return the time zones of an account."""
    changes = ZoneChange.objects.filter(account=account)
    return Zones(changes.values_list("since", "zone"))


def forget_minutes(now: datetime) -> int:
    """Delete minutes of use older than `KEPT`; return how many rows."""
    oldest = minute_of(now - KEPT) // HOUR
    return ActiveHour.objects.filter(hour__lt=oldest).delete()[0]
