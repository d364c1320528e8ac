"""Days that survive travel: no sequence of time zones gives more than the limit and the grants."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.families.screen_time.minutes import (
    DAY,
    Zones,
    bits_by_hour,
    counted_minutes,
    minute_of,
    minutes_between,
)

LIMIT = 60
STEP = 20  # minutes, after which somebody greedy looks at the app again
DAYS = 4
START = minute_of(datetime(2026, 3, 28, tzinfo=UTC))  # over a change to summer time
PLACES = (
    *("America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"),
    *("Asia/Kathmandu", "Australia/Lord_Howe", "UTC"),
)

moves = st.lists(
    st.tuples(st.integers(START, START + DAYS * DAY), st.sampled_from(PLACES)),
    max_size=6,
    unique_by=lambda move: move[0],
).map(sorted)
grants = st.lists(
    st.tuples(st.integers(START, START + DAYS * DAY), st.sampled_from((15, 30, 60))), max_size=3
)


def at(minute: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)


@settings(max_examples=60, deadline=None)
@given(changes=moves, given_=grants)
def test_no_sequence_of_zones_gives_more_than_limit_and_grants_in_24_hours(
    changes: list[tuple[int, str]], given_: list[tuple[int, int]]
) -> None:
    """Somebody uses the app as soon and as long as they may.

    Whoever stays at home may use one limit before midnight and one after it. No traveller gets more
    in 24 hours. After a change of zone it is one limit, counted back from each minute of use.
    """
    hours: dict[int, int] = {}
    windows: list[tuple[int, int, int]] = []

    def used_and_granted(last: int) -> tuple[int, int]:
        first = last - DAY
        near = sum(extra for begins, end, extra in windows if begins <= last and end > first)
        return minutes_between(hours, first, last), near

    for minute in range(START, START + DAYS * DAY, STEP):
        # What nobody has told us yet is not known: neither a zone nor a grant.
        zones = Zones(change for change in changes if change[0] <= minute)
        for since, extra in given_:
            if minute - STEP < since <= minute:
                windows.append((minute, minute_of(zones.end_of_day(at(minute))), extra))
        extras = sum(extra for first, end, extra in windows if first <= minute < end)
        left = LIMIT + extras - counted_minutes(hours, zones, minute)
        use = range(minute, minute + max(0, min(left, STEP)))
        for hour, bits in bits_by_hour(use).items():
            hours[hour] = hours.get(hour, 0) | bits
        used, granted = used_and_granted(minute + STEP)
        assert used <= 2 * LIMIT + granted
        if use and zones.left_since(minute - DAY, minute):
            used, granted = used_and_granted(use[-1])
            assert used <= LIMIT + granted


@settings(max_examples=60, deadline=None)
@given(changes=moves, minute=st.integers(START, START + DAYS * DAY))
def test_a_day_ends_at_a_moment_that_no_later_change_moves(
    changes: list[tuple[int, str]], minute: int
) -> None:
    known = Zones(change for change in changes if change[0] <= minute)
    ends = known.end_of_day(at(minute))
    assert Zones(changes).end_of_day(at(minute)) == ends or min(c[0] for c in changes) > minute
    assert timedelta() < ends - at(minute) <= timedelta(hours=26)


def test_the_first_zone_gives_nothing_to_somebody_who_used_the_app_before() -> None:
    """Without a zone days are those of UTC. A first zone far to the east would begin another."""
    noon = minute_of(datetime(2026, 11, 25, 12, tzinfo=UTC))
    hours = bits_by_hour(range(noon - 180, noon - 120))
    east = Zones([(noon, "Pacific/Kiritimati")])
    assert counted_minutes(hours, Zones(), noon) == 60
    assert counted_minutes(hours, east, noon) == 60
    assert counted_minutes(hours, east, noon + DAY) == 0


def test_the_first_zone_of_a_new_account_is_as_if_it_had_always_been_there() -> None:
    evening = minute_of(datetime(2026, 11, 25, 20, tzinfo=UTC))
    hours = bits_by_hour(range(evening + 60, evening + 120))
    zones = Zones([(evening, "Europe/Berlin")])
    assert counted_minutes(hours, zones, evening + 130) == 60
    assert counted_minutes(hours, zones, evening + 200) == 0  # after midnight in Berlin


def test_new_zones_are_counted_and_known_ones_are_not() -> None:
    names = ("Europe/Berlin", "America/New_York", "Europe/Berlin", "Asia/Tokyo", "Europe/Berlin")
    zones = Zones((START + number * 60, name) for number, name in enumerate(names))
    now = START + 300
    assert zones.new_since(now - DAY, now, known=2 * DAY) == 2
    assert zones.held_since(now - DAY, now) == set(names)
    later = now + 3 * DAY
    assert zones.held_since(later - 2 * DAY, later) == {"Europe/Berlin"}
    assert Zones().held_since(0, START) == set()
