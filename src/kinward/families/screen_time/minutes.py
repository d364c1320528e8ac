"""Minutes of use as a pure set, so that repeats, late heartbeats and several devices count once.

A minute is a whole number: minutes since 1970-01-01T00:00Z. The minutes of an hour (UTC) are the 60
lowest bits of a number, so adding a minute is idempotent.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

HOUR: Final = 60
DAY: Final = 24 * HOUR
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Zones:
    """The time zones (IANA) of an account, each with its first minute. They define its days."""

    def __init__(self, changes: Iterable[tuple[int, str]] = ()) -> None:
        ordered = sorted(changes)
        self._since = [since for since, _ in ordered]
        self._names = [name for _, name in ordered]

    def name_at(self, minute: int) -> str:
        """Return the name of the zone at a minute.

        Before the first change the first zone holds. Without any change it is UTC.
        """
        if not self._names:
            return "UTC"
        return self._names[max(0, bisect_right(self._since, minute) - 1)]

    def local(self, at: datetime) -> datetime:
        """Convert a moment to the zone in force at that moment."""
        return at.astimezone(self.zone_at(at))

    def zone_at(self, at: datetime) -> ZoneInfo:
        """Return the zone at a moment."""
        return _zone(self.name_at(minute_of(at)))

    def end_of_day(self, at: datetime) -> datetime:
        """Return the moment (UTC) at which the local day of a moment ends."""
        local = self.local(at)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        return (midnight + timedelta(days=1)).astimezone(UTC)

    def day_of(self, minute: int) -> date:
        """Return the local day of a minute. It is exactly one, also when clocks change."""
        return _local_day(minute, self.name_at(minute))

    def left_since(self, minute: int, now: int) -> list[str]:
        """Return the zones that were left after a minute and no later than `now`, oldest first.

        The first zone of an account replaces none: what was before it is as if it had been there.
        """
        return [
            self._names[number - 1]
            for number in range(1, len(self._since))
            if minute < self._since[number] <= now
        ]

    def held_since(self, minute: int, now: int) -> set[str]:
        """Return the zones that were in force after a minute and no later than `now`."""
        return {self.name_at(now), *self.left_since(minute, now)} if self._names else set()

    def new_since(self, minute: int, now: int, *, known: int) -> int:
        """Return how often an account moved after a minute to a zone that it did not know.

        It knows the zones that it held in the `known` minutes before. The first zone is no move.
        """
        return sum(
            name not in self.held_since(since - 1 - known, since - 1)
            for since, name in list(zip(self._since, self._names, strict=True))[1:]
            if minute < since <= now
        )

    def begins(self) -> int | None:
        """Return the minute of the first zone, None without any."""
        return self._since[0] if self._since else None

    def changes_within(self, first: int, last: int) -> bool:
        """Whether the zone changes after minute `first` and no later than `last`."""
        return bisect_right(self._since, last) != bisect_right(self._since, first)


def streak(hours: Mapping[int, int], minute: int, *, gap: int) -> int:
    """Return how many minutes of use lead up to `minute` without a pause longer than `gap` minutes.

    Counted from the first to the last minute of use, pauses included.

    >>> streak(bits_by_hour([1, 2, 30, 31, 33]), 34, gap=3)
    4
    """
    first, last = minute, None
    at = minute
    while True:
        hour, bit = divmod(at, HOUR)
        if hours.get(hour, 0) >> bit & 1:
            first, last = at, at if last is None else last
        elif first - at > gap:
            break
        at -= 1
    return 0 if last is None else last - first + 1


def is_zone(name: str) -> bool:
    """Whether a name is a time zone of the IANA database, such as `Europe/Stockholm`."""
    return name in _known_zones()


@lru_cache(1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _local_day(minute: int, zone: str) -> date:
    return (EPOCH + timedelta(minutes=minute)).astimezone(_zone(zone)).date()


def minute_of(at: datetime) -> int:
    """Return the minute that contains a moment.

    >>> minute_of(datetime(1970, 1, 1, 1, 0, 59, tzinfo=UTC))
    60
    """
    return int((at - EPOCH).total_seconds() // 60)


def bits_by_hour(minutes: Iterable[int]) -> dict[int, int]:
    """Return minutes as bits, by hour.

    >>> bits_by_hour([60, 61, 60, 125])
    {1: 3, 2: 32}
    """
    bits: dict[int, int] = {}
    for minute in minutes:
        hour, bit = divmod(minute, HOUR)
        bits[hour] = bits.get(hour, 0) | 1 << bit
    return bits


def minutes_per_day(hours: Mapping[int, int], zones: Zones) -> dict[date, int]:
    """Count the minutes of use of each local day. `hours` is as returned by `bits_by_hour`."""
    per_day: Counter[date] = Counter()
    for hour, bits in hours.items():
        first, last = hour * HOUR, hour * HOUR + HOUR - 1
        day = zones.day_of(first)
        # Nearly every hour lies within one local day. The others are counted minute by minute.
        if not zones.changes_within(first, last) and zones.day_of(last) == day:
            per_day[day] += bits.bit_count()
            continue
        for bit in range(HOUR):
            if bits >> bit & 1:
                per_day[zones.day_of(first + bit)] += 1
    return dict(per_day)


def minutes_between(hours: Mapping[int, int], first: int, last: int) -> int:
    """Count the minutes of use after minute `first` and no later than `last`.

    >>> minutes_between(bits_by_hour([59, 60, 61, 130]), 59, 130)
    3
    """
    counted = 0
    if last <= first:
        return counted
    for hour in range((first + 1) // HOUR, last // HOUR + 1):
        bits = hours.get(hour, 0)
        start, end = max(0, first + 1 - hour * HOUR), min(HOUR - 1, last - hour * HOUR)
        counted += (bits >> start & (1 << (end - start + 1)) - 1).bit_count()
    return counted


def counted_minutes(hours: Mapping[int, int], zones: Zones, minute: int) -> int:
    """Return the minutes of use that count against the limit at a minute: those of the local day.

    For a day after a change of zone those of the last 24 hours count, so that no change gives more.
    The same holds after the first zone if there was use before it.
    """
    today = minutes_per_day(hours, zones).get(zones.day_of(minute), 0)
    yesterday, begins = minute - DAY, zones.begins()
    if not zones.left_since(yesterday, minute) and not (
        begins is not None and minutes_between(hours, yesterday, begins - 1)
    ):
        return today
    return max(today, minutes_between(hours, yesterday, minute))


def week(per_day: Mapping[date, int], today: date) -> list[tuple[date, int]]:
    """Return the seven days that end today, oldest first, with their minutes."""
    days: Sequence[date] = [today - timedelta(days=back) for back in range(6, -1, -1)]
    return [(day, per_day.get(day, 0)) for day in days]
