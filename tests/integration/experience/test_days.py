"""The days of an account are those of its own zone: birthdays, and 29 February."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from kinward.access.actor import Actor
from kinward.enforcement.tasks import grow_up
from kinward.experience.live import live, load_states, today
from kinward.families.api import set_time_zone
from kinward.people.days import day_begins, local_day
from kinward.people.models import Account
from kinward.people.services import AgeSignal, Profile, put_account
from kinward.policy.ages import AgeRange, from_birth_date
from kinward.policy.request import About, Request

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_birthday_begins_with_the_day_of_the_accounts_own_zone(db: None) -> None:
    now = datetime.now(UTC)
    # One of the two is a day apart from UTC at any hour, and they are a day apart from each other.
    days = {zone: local_day(zone, now) for zone in ("Pacific/Kiritimati", "Pacific/Niue")}
    birthday = max(days.values())
    assert min(days.values()) < birthday
    for zone in days:
        profile = Profile(age=AgeRange(15, 16, changes_on=birthday))
        # The account is told of its zone first, as a platform tells it for screen time.
        put_account(platform_id=zone, profile=Profile())
        set_time_zone(account_id=zone, zone=zone, actor=Actor.system("test"))
        put_account(platform_id=zone, profile=profile)
    put_account(platform_id="nowhere", profile=Profile(age=AgeRange(15, 16)))
    request = {zone: Request(capability="live.host", actor=About(id=zone)) for zone in days}
    effects = {zone: live().decide([request[zone]])[0].obligations for zone in days}
    assert "guardian.ask" in effects["Pacific/Kiritimati"], "at 16 a guardian may open it"
    assert "guardian.ask" not in effects["Pacific/Niue"], "still 15"
    Account.objects.update(age_lower=15, age_upper=16, age_changes_on=birthday)
    grow_up(0)
    grown = {account.platform_id: account.age_lower for account in Account.objects.all()}
    assert (grown["Pacific/Kiritimati"], grown["Pacific/Niue"]) == (16, 15)
    assert grown["nowhere"] == (16 if birthday <= now.date() else 15), "without a zone, UTC"


def test_a_state_at_hand_ends_with_the_birthday(db: None) -> None:
    profile = Profile(age=AgeRange(15, 16, changes_on=today() + timedelta(days=40)))
    put_account(platform_id="soon", profile=profile)
    set_time_zone(account_id="soon", zone="Europe/Stockholm", actor=Actor.system("test"))
    until = load_states(["soon"])["soon"].until
    assert until is not None
    local = until.astimezone(ZoneInfo("Europe/Stockholm"))
    assert (local.date(), local.time()) == (today() + timedelta(days=40), time())


def test_a_clock_that_jumps_ahead_makes_nobody_older_for_good(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    birthday = today() + timedelta(days=40)
    put_account(platform_id="soon", profile=Profile(age=AgeRange(15, 16, changes_on=birthday)))

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(days=400)

    with monkeypatch.context() as jump:
        for module in ("kinward.people.days", "kinward.experience.birthdays"):
            jump.setattr(f"{module}.datetime", Ahead)
        grow_up(0)
    account = Account.objects.get()
    assert (account.age_lower, account.age_upper, account.age_changes_on) == (15, 16, birthday)


def test_a_birthday_on_29_february_is_kept_as_one(db: None) -> None:
    put_account(platform_id="leap", profile=Profile(age=AgeRange(15, 16, changes_on=date.max)))
    stored = {"age_changes_on": date(2024, 2, 29), "age_lower": 12, "age_upper": 13}
    Account.objects.update(**stored)
    grow_up(0)
    account = Account.objects.get()
    assert account.age_leap_day
    assert account.age_changes_on is not None
    assert AgeRange(
        account.age_lower,
        account.age_upper,
        changes_on=account.age_changes_on,
        leap_day=account.age_leap_day,
    ).on(date(2032, 2, 28)).changes_on == date(2032, 2, 29)


def test_a_birth_date_is_read_on_the_accounts_own_day(db: None) -> None:
    now = datetime.now(UTC)
    days = {zone: local_day(zone, now) for zone in ("Pacific/Kiritimati", "Pacific/Niue")}
    born = max(days.values()).replace(year=2010, day=min(max(days.values()).day, 28))
    for zone, day in days.items():
        put_account(platform_id=zone, profile=Profile())
        set_time_zone(account_id=zone, zone=zone, actor=Actor.system("test"))
        signal = AgeSignal(birth_date=born)
        account, *_ = put_account(platform_id=zone, profile=Profile(age_signal=signal))
        assert account.age_changes_on is not None
        assert account.age_lower == from_birth_date(born, day).lower


def test_a_day_begins_where_it_is() -> None:
    assert day_begins(date(2026, 3, 29), "Europe/Stockholm").isoformat() == (
        "2026-03-28T23:00:00+00:00"
    )
    assert local_day("Pacific/Kiritimati", datetime(2026, 1, 1, 10, tzinfo=UTC)) == date(2026, 1, 2)
    assert local_day("No/Such", datetime(2026, 1, 1, 10, tzinfo=UTC)) == date(2026, 1, 1)
