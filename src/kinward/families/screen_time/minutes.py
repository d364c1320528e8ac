"""Minutes of use, pure: a set of minutes, so that repeats, disorder and devices at once count once.

A minute is a whole number: minutes since 1970-01-01T00:00Z. The minutes of an hour (UTC) are the 60
lowest bits of a number, so that adding what is known already changes nothing.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

HOUR: Final = 60
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Zones:
    """Where somebody's days begin: time zones (IANA), each from a minute on."""

    def __init__(self, changes: Iterable[tuple[int, str]] = ()) -> None:
        ordered = sorted(changes)
        self._since = [since for since, _ in ordered]
        self._names = [name for _, name in ordered]

    def name_at(self, minute: int) -> str:
        """The zone in force at a minute; the first one held before it, and UTC without any."""
        if not self._names:
            return "UTC"
        return self._names[max(0, bisect_right(self._since, minute) - 1)]

    def local(self, at: datetime) -> datetime:
        """A moment in the zone in force at it."""
        return at.astimezone(self.zone_at(at))

    def zone_at(self, at: datetime) -> ZoneInfo:
        """The zone in force at a moment."""
        return _zone(self.name_at(minute_of(at)))

    def day_of(self, minute: int) -> date:
        """The local day that a minute is part of: exactly one, whatever the clocks do."""
        return _local_day(minute, self.name_at(minute))

    def changes_within(self, first: int, last: int) -> bool:
        """Whether the zone changes after `first` and up to `last`."""
        return bisect_right(self._since, last) != bisect_right(self._since, first)


def streak(hours: Mapping[int, int], minute: int, *, gap: int) -> int:
    """For how many minutes somebody has been there without a pause longer than `gap`.

    >>> streak(bits_by_hour([1, 2, 30, 31, 33]), 34, gap=3)
    4
    """
    first = last = None
    at = minute
    while True:
        hour, bit = divmod(at, HOUR)
        if hours.get(hour, 0) >> bit & 1:
            first, last = at, at if last is None else last
        elif (minute if first is None else first) - at > gap:
            break
        at -= 1
    return 0 if first is None or last is None else last - first + 1


def is_zone(name: str) -> bool:
    """Whether this is a time zone of the IANA database, such as `Europe/Stockholm`."""
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
    """The minute that a moment is in.

    >>> minute_of(datetime(1970, 1, 1, 1, 0, 59, tzinfo=UTC))
    60
    """
    return int((at - EPOCH).total_seconds() // 60)


def bits_by_hour(minutes: Iterable[int]) -> dict[int, int]:
    """Minutes as the bits of their hours.

    >>> bits_by_hour([60, 61, 60, 125])
    {1: 3, 2: 32}
    """
    found: dict[int, int] = {}
    for minute in minutes:
        hour, bit = divmod(minute, HOUR)
        found[hour] = found.get(hour, 0) | 1 << bit
    return found


def minutes_per_day(hours: Mapping[int, int], zones: Zones) -> dict[date, int]:
    """How many minutes of use each local day has. `hours` is as `bits_by_hour` makes it."""
    found: Counter[date] = Counter()
    for hour, bits in hours.items():
        first, last = hour * HOUR, hour * HOUR + HOUR - 1
        day = zones.day_of(first)
        if not zones.changes_within(first, last) and zones.day_of(last) == day:
            found[day] += bits.bit_count()
            continue
        for bit in range(HOUR):
            if bits >> bit & 1:
                found[zones.day_of(first + bit)] += 1
    return dict(found)


def week(per_day: Mapping[date, int], today: date) -> list[tuple[date, int]]:
    """The seven days up to today, with their minutes."""
    days: Sequence[date] = [today - timedelta(days=back) for back in range(6, -1, -1)]
    return [(day, per_day.get(day, 0)) for day in days]
