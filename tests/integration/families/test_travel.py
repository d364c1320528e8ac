"""A teen who travels: no fresh day, no lost grant, a way back, no short night. All hear of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.experience.live import decide_all, live, load_states
from kinward.families.asks import answers, requests
from kinward.families.models import Ask, AskState, Notice, ZoneChange
from kinward.families.screen_time.minutes import minute_of
from kinward.families.screen_time.usage import Heartbeat, screen_time, take_heartbeats
from kinward.families.screen_time.zones import MAX_TOLD, forget_zones, set_time_zone
from kinward.families.settings import choices
from kinward.ground.errors import Invalid
from kinward.people.models import Account
from kinward.policy import Decision, Request, ids_of
from tests.support.families import make_account, pair, told

pytestmark = pytest.mark.django_db

NEW_YORK, KIRITIMATI, BERLIN = "America/New_York", "Pacific/Kiritimati", "Europe/Berlin"
EVENING = datetime(2026, 11, 25, 20, tzinfo=UTC)  # 15:00 in New York, 10:00 next day in Kiritimati

Clock = Callable[[datetime], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the clock, and decide without the caches, which hear of a change when it commits."""
    lasting = live()

    def decide(questions: Sequence[Request]) -> list[Decision]:
        return decide_all(lasting.in_force(), questions, load_states(ids_of(questions)))

    def set_clock(now: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now)

    monkeypatch.setattr(lasting, "decide", decide)
    set_clock(EVENING)
    return set_clock


@pytest.fixture
def teen(clock: Clock) -> Account:
    return make_account("tea", 14)


@pytest.fixture
def hal(teen: Account) -> Account:
    guardian = make_account("hal", 41)
    pair(guardian, teen)
    return guardian


def at_home(teen: Account, zone: str) -> None:
    """The zone in which an account has been for a week."""
    since = minute_of(timezone.now() - timedelta(days=7))
    ZoneChange.objects.create(account=teen, since=since, zone=zone)


def move(zone: str, teen_id: str = "tea") -> None:
    set_time_zone(account_id=teen_id, zone=zone, actor=Actor.key("app"))


def use(minutes: int, last: datetime) -> None:
    beats = [Heartbeat("tea", last - timedelta(minutes=back)) for back in range(minutes)]
    _, refused = take_heartbeats(beats)
    assert refused == []


def test_no_fresh_day_by_flying_east_and_the_grant_comes_along(
    teen: Account, hal: Account, clock: Clock
) -> None:
    at_home(teen, NEW_YORK)
    use(60, EVENING)
    ask = requests.ask_guardians(teen=teen, capability="session.time", reason="", minutes=30)
    answers.answer_ask(guardian=hal, ask_id=ask.pk, said="yes")
    before = screen_time(teen, EVENING)
    assert (before.used, before.allowed, before.left, before.extra) == (60, 90, 30, 30)
    move(KIRITIMATI)
    there = screen_time(teen, EVENING)
    assert there.day.isoformat() == "2026-11-26"
    assert (there.used, there.allowed, there.left, there.extra) == (60, 90, 30, 30)
    # The grant ends with the day in which it was given, which is New York's.
    midnight = datetime(2026, 11, 26, 5, tzinfo=UTC)
    assert screen_time(teen, midnight - timedelta(minutes=1)).left == 30
    assert screen_time(teen, midnight).left == 0
    # A day later the app is open again, as it would be at home.
    assert screen_time(teen, EVENING + timedelta(hours=24)).left == 60


def test_an_ask_for_minutes_survives_a_change_of_zone_and_ends_with_its_day(
    teen: Account, hal: Account, clock: Clock
) -> None:
    at_home(teen, NEW_YORK)
    ask = requests.ask_guardians(teen=teen, capability="session.time", reason="", minutes=30)
    assert ask.lapses_at == datetime(2026, 11, 26, 5, tzinfo=UTC)
    move(KIRITIMATI)
    clock(EVENING + timedelta(hours=2))
    answers.answer_ask(guardian=hal, ask_id=ask.pk, said="yes")
    assert Ask.objects.get(pk=ask.pk).state == AskState.GRANTED
    assert screen_time(teen, timezone.now()).extra == 30


def test_the_first_zone_is_free_and_the_way_back_is_always_open(
    teen: Account, clock: Clock
) -> None:
    move(NEW_YORK)
    clock(EVENING + timedelta(minutes=1))
    move(KIRITIMATI)
    for hours, zone in ((1, NEW_YORK), (2, BERLIN), (3, NEW_YORK), (4, KIRITIMATI), (5, BERLIN)):
        clock(EVENING + timedelta(hours=hours))
        move(zone)
    clock(EVENING + timedelta(hours=6))
    with pytest.raises(Invalid, match="at most 2 times in 24 hours"):
        move("Asia/Tokyo")
    move(NEW_YORK)
    # Two days later neither a zone left before nor a change made before counts.
    clock(EVENING + timedelta(hours=60))
    move("Asia/Tokyo")
    move("Asia/Kathmandu")


def test_a_night_that_has_begun_does_not_end_by_travelling_west(
    teen: Account, clock: Clock
) -> None:
    night = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)  # half past eleven in Berlin
    at_home(teen, BERLIN)
    clock(night)
    assert screen_time(teen, night).closed
    move(NEW_YORK)
    for hours in range(9):
        at = night + timedelta(hours=hours)
        closed_in_berlin = at < datetime(2026, 11, 26, 6, tzinfo=UTC)
        assert screen_time(teen, at).closed >= closed_in_berlin
    assert screen_time(teen, night).sentence
    # The next day only the hours of New York count.
    noon = night + timedelta(hours=24)
    assert not screen_time(teen, noon).closed


def test_a_weekend_does_not_begin_early_by_travelling_east(
    teen: Account, hal: Account, clock: Clock
) -> None:
    friday = datetime(2026, 11, 27, 20, tzinfo=UTC)
    clock(friday)
    at_home(teen, NEW_YORK)
    week = (30,) * 5 + (120, 120)
    choices.choose_setting(guardian=hal, teen_id="tea", capability="session.time", value=week)
    move(KIRITIMATI)
    assert screen_time(teen, friday).allowed == 30
    assert screen_time(teen, friday + timedelta(hours=9)).allowed == 120


def test_teen_and_guardians_hear_of_a_change_but_not_of_the_first_zone(
    teen: Account, hal: Account, clock: Clock
) -> None:
    move(NEW_YORK)
    assert not any("time zone" in each for each in told(teen) + told(hal))
    clock(EVENING + timedelta(minutes=1))
    move(KIRITIMATI)
    assert told(teen)[0].startswith("Your time zone is now Pacific/Kiritimati.")
    assert told(hal)[0].startswith("Tea's time zone is now Pacific/Kiritimati.")
    for minute in range(2, 2 * MAX_TOLD):
        clock(EVENING + timedelta(minutes=minute))
        move((NEW_YORK, KIRITIMATI)[minute % 2])
    assert Notice.objects.filter(account=hal, topic="zone.theirs").count() == MAX_TOLD


def test_an_adult_hears_nothing_of_their_own_zone(clock: Clock) -> None:
    adult = make_account("grown", 30)
    for zone in (NEW_YORK, KIRITIMATI):
        move(zone, "grown")
    assert told(adult) == []


def test_old_zones_are_forgotten_but_never_the_one_in_force(teen: Account, clock: Clock) -> None:
    for days, zone in ((90, BERLIN), (80, NEW_YORK), (10, KIRITIMATI)):
        since = minute_of(EVENING - timedelta(days=days))
        ZoneChange.objects.create(account=teen, since=since, zone=zone)
    assert forget_zones(EVENING, timedelta(days=70)) == 1
    assert set(ZoneChange.objects.values_list("zone", flat=True)) == {NEW_YORK, KIRITIMATI}
    assert forget_zones(EVENING + timedelta(days=400), timedelta(days=70)) == 1
    assert ZoneChange.objects.get().zone == KIRITIMATI
