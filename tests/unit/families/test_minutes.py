"""Minutes of use, against a slow and obvious reference."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kinward.families.screen_time.minutes import (
    EPOCH,
    Zones,
    bits_by_hour,
    is_zone,
    minute_of,
    minutes_per_day,
    week,
)

DAYS = 10_000
# Half and three-quarter hours, both hemispheres' summer time, a day that was skipped.
PLACES = [
    *("Europe/Stockholm", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "UTC"),
    *("Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns", "Africa/Casablanca"),
]


def reference(seen: list[datetime], zones: list[tuple[datetime, str]]) -> dict[date, int]:
    """Each moment by itself: its minute in UTC, and the date on the wall where the person was."""
    days: dict[date, set[str]] = defaultdict(set)
    for at in seen:
        zone = zones[0][1]
        for since, name in zones:
            if since <= at.replace(second=0, microsecond=0):
                zone = name
        day = at.replace(second=0, microsecond=0).astimezone(ZoneInfo(zone)).date()
        days[day].add(f"{at:%Y-%m-%d %H:%M}")
    return {day: len(minutes) for day, minutes in days.items()}


def a_days_use(chosen: random.Random) -> tuple[list[datetime], list[tuple[datetime, str]]]:
    """A day of three devices that report late, twice and all at once, and perhaps a journey."""
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=chosen.randrange(3 * 525_600))
    seen = []
    for _device in range(3):
        at = start + timedelta(minutes=chosen.randrange(600))
        for _ in range(chosen.randrange(1, 25)):
            at += timedelta(seconds=chosen.choice((20, 60, 60, 60, 61, 90, 4000)))
            seen += [at] * chosen.choice((1, 1, 2))
    chosen.shuffle(seen)
    zones = [(start - timedelta(days=1), chosen.choice(PLACES))]
    if chosen.random() < 0.5:
        moved = start + timedelta(minutes=chosen.randrange(900))
        zones.append((moved.replace(second=0), chosen.choice(PLACES)))
    return seen, zones


def test_ten_thousand_days_agree_to_the_minute() -> None:
    chosen = random.Random(7)
    moved = 0
    for _ in range(DAYS):
        seen, zones = a_days_use(chosen)
        hours: dict[int, int] = {}
        for batch in (seen[::2], seen[1::2], seen[: len(seen) // 3]):  # in parts, and some again
            for hour, bits in bits_by_hour(map(minute_of, batch)).items():
                hours[hour] = hours.get(hour, 0) | bits
        found = minutes_per_day(hours, Zones((minute_of(at), name) for at, name in zones))
        assert found == reference(seen, zones), zones
        moved += len(zones) > 1
    assert moved > DAYS // 3


@pytest.mark.parametrize(
    ("day", "minutes"),
    [(date(2026, 3, 29), 23 * 60), (date(2026, 10, 25), 25 * 60), (date(2026, 7, 1), 24 * 60)],
)
def test_a_day_on_which_the_clocks_change(day: date, minutes: int) -> None:
    """Used without a pause: the day has as many minutes as it has."""
    first = minute_of(datetime(day.year, day.month, day.day, tzinfo=UTC)) - 24 * 60
    hours = bits_by_hour(range(first, first + 72 * 60))
    assert minutes_per_day(hours, Zones([(0, "Europe/Stockholm")]))[day] == minutes


def test_the_week_has_seven_days() -> None:
    found = week({date(2026, 11, 20): 5}, date(2026, 11, 21))
    assert [day for day, _ in found] == [date(2026, 11, number) for number in range(15, 22)]
    assert [minutes for _, minutes in found] == [0, 0, 0, 0, 0, 5, 0]


def test_without_a_zone_days_are_those_of_utc() -> None:
    assert Zones().name_at(0) == "UTC"
    assert minutes_per_day({0: 0b11}, Zones()) == {EPOCH.date(): 2}
    assert is_zone("Europe/Berlin")
    assert not is_zone("Berlin")
    assert not is_zone("../../etc/passwd")
