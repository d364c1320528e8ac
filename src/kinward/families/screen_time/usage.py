"""Screen time: heartbeats become minutes of use, and those count against the day's limit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final

import msgspec
from django.db import connection, transaction
from django.db.models import Sum

from kinward.access import Actor
from kinward.experience.api import decide_with, live
from kinward.families.models import ActiveHour, ExtraMinutes, ZoneChange
from kinward.families.screen_time.minutes import (
    HOUR,
    Zones,
    bits_by_hour,
    is_zone,
    minute_of,
    minutes_per_day,
    streak,
    week,
)
from kinward.ground.errors import Invalid
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, get_account, lock_account, set_zone
from kinward.policy import (
    DAY_MINUTES,
    About,
    Decision,
    Request,
    Weekly,
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
BREAKS: Final = {"15 minutes": 15, "30 minutes": 30, "60 minutes": 60}
SOON: Final = 15  # minutes left from which the person is told
MAX_ZONE_CHANGES: Final = 2  # in a day


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

    `allowed` and `left` are None if there is no limit. `extra` are the minutes that guardians gave
    for today, which `allowed` includes. `closed` means that the time is outside `session.hours`,
    and `break_due` that it is time for a break. `sentence` tells the person so; it may be empty.
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


def take_heartbeats(heartbeats: Sequence[Heartbeat]) -> tuple[dict[str, ScreenTime], list[Refusal]]:
    """Store the valid heartbeats of a batch in one transaction. Idempotent.

    Returns the screen time of each account with a valid heartbeat, and the refused heartbeats.
    """
    now = datetime.now(UTC)
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


def screen_time(
    account: Account, now: datetime, shown: Mapping[str, Weekly] | None = None
) -> ScreenTime:
    """Return an account's minutes today and this week, and what its limit leaves.

    `shown`: values of guardians, by capability, which a page shows in place of those in force. The
    extra minutes are then those that are shown.
    """
    decide = live().decide if shown is None else partial(decide_with, account, guardian=shown)
    zones, minute = zones_of(account), minute_of(now)
    today = zones.day_of(minute)
    first = minute // HOUR - 24 * 9  # a week, and room for any change of zone
    hours = ActiveHour.objects.filter(account=account, hour__gte=first)
    bits = dict(hours.values_list("hour", "bits"))
    per_day = minutes_per_day(bits, zones)
    used = per_day.get(today, 0)
    about, local = About(id=account.platform_id), zones.local(now)
    names = ("session.time", "session.hours", "session.break")
    questions = [Request(capability=name, actor=about, at=local) for name in names]
    time, opening, pause = decide(questions)
    extra = extra_minutes(account, today, held=shown is not None)
    allowed = _allowed(time, extra, questions[0], decide)
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
        extra=extra,
        closed=closed,
        break_due=break_due,
        week=week(per_day, today),
    )


def _time_left(left: int | None, language: str) -> str:
    """Return the sentence about the time left; empty while more than `SOON` minutes are left."""
    if left is None or left > SOON:
        return ""
    return (
        minutes_words("time.left", left, language) if left else reason_words("time.over", language)
    )


def _allowed(
    time: Decision, extra: int, question: Request, decide: Callable[[list[Request]], list[Decision]]
) -> int:
    """Return the minutes allowed on a day, with the extra ones as far as the pack's bounds allow.

    The bounds are applied by deciding again, as if guardian and teen had chosen the sum.
    """
    allowed = time.value if isinstance(time.value, int) else 0
    if not extra or allowed >= DAY_MINUTES:
        return allowed
    more = min(allowed + extra, DAY_MINUTES)
    question = msgspec.structs.replace(question, guardian=more, self_=more)
    limit = decide([question])[0].value
    return max(allowed, limit) if isinstance(limit, int) else allowed


def extra_minutes(account: Account, day: date, *, held: bool = False) -> int:
    """Return the extra minutes of a local day, from asks and pass-codes; with `held`, as shown."""
    extra = ExtraMinutes.objects.filter(account=account, day=day)
    if not held:
        extra = extra.filter(held=False)
    return int(extra.aggregate(sum=Sum("minutes"))["sum"] or 0)


def local_now(account: Account, now: datetime) -> datetime:
    """Convert a moment to the account's time zone at that moment."""
    return zones_of(account).local(now)


def zones_of(account: Account) -> Zones:
    """Return the time zones of an account."""
    changes = ZoneChange.objects.filter(account=account)
    return Zones(changes.values_list("since", "zone"))


@transaction.atomic
def set_time_zone(*, account_id: str, zone: str, actor: Actor) -> None:
    """Set the time zone of an account from now on. Minutes already counted keep their day.

    Raises `Invalid` for an unknown zone and after two changes in 24 hours. Locks the account.
    """
    if not is_zone(zone):
        raise Invalid(f"{zone[:64]!r} is not a time zone such as 'Europe/Stockholm'.")
    account = lock_account(get_account(account_id).pk)
    minute = minute_of(datetime.now(UTC))
    changes = ZoneChange.objects.filter(account=account)
    if Zones(changes.values_list("since", "zone")).name_at(minute) == zone and changes.exists():
        return
    # Else a new day, with new minutes, could be begun by moving the clock to and fro.
    if changes.filter(since__gt=minute - 24 * HOUR).count() >= MAX_ZONE_CHANGES:
        raise Invalid(f"A time zone changes at most {MAX_ZONE_CHANGES} times in 24 hours.")
    ZoneChange.objects.update_or_create(account=account, since=minute, defaults={"zone": zone})
    set_zone(account=account, zone=zone)
    record(
        actor=actor, subject=f"account:{account.platform_id}", fact=kinds.AccountTimeZone(zone=zone)
    )


def forget_minutes(now: datetime) -> int:
    """Delete minutes of use older than `KEPT`; return how many rows."""
    oldest = minute_of(now - KEPT) // HOUR
    return ActiveHour.objects.filter(hour__lt=oldest).delete()[0]
