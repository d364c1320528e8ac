"""Heartbeats over the gate: what is taken, what is refused, and what is left of the day."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import close_old_connections

from kinward.access.actor import Actor
from kinward.access.services import create_key
from kinward.experience.models import Layer
from kinward.experience.settings import make_setting
from kinward.families.models import ActiveHour, ZoneChange
from kinward.families.screen_time.usage import Heartbeat, forget_minutes, take_heartbeats
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from tests.integration.gate.test_gate import Caller, problem

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(db: None) -> Caller:
    scopes = frozenset({"policy:decide", "accounts:write"})
    return Caller(create_key(name="app", scopes=scopes, actor=Actor.system("test")))


@pytest.fixture
def teen(db: None) -> Account:
    """Somebody of 14 for whom it is about noon, whenever the tests run."""
    profile = Profile(age=AgeRange(14, 15), language="sv")
    account = put_account(platform_id="teen", profile=profile).account
    east = 12 - datetime.now(UTC).hour  # Etc/GMT-3 is three hours east
    zone = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"
    ZoneChange.objects.create(account=account, since=0, zone=zone)
    return account


def earlier() -> datetime:
    """Half an hour ago."""
    return datetime.now(UTC) - timedelta(minutes=30)


def beat(at: datetime, **more: Any) -> dict[str, Any]:
    return {"account_id": "teen", "at": at.isoformat(), **more}


def send(call: Caller, *events: dict[str, Any]) -> dict[str, Any]:
    answer = call("POST", "/v1/events", json={"events": list(events)})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def total(answer: dict[str, Any]) -> int:
    return sum(minutes for _, minutes in answer["accounts"]["teen"]["week"])


def test_minutes_count_once_whatever_the_order(call: Caller, teen: Account) -> None:
    at = earlier()
    events = [beat(at - timedelta(minutes=back)) for back in (5, 3, 4, 3)]
    assert total(send(call, *events)) == 3
    assert total(send(call, *reversed(events))) == 3
    # Another device, for ten minutes that overlap.
    assert total(send(call, beat(at - timedelta(minutes=2), minutes=10))) == 10
    assert ActiveHour.objects.count() in (1, 2)


def test_what_is_left_and_when_to_say_so(call: Caller, teen: Account) -> None:
    make_setting(
        account=teen,
        layer=Layer.GUARDIAN,
        capability="session.time",
        value=20,
        actor=Actor.system("test"),
    )
    at = earlier()
    answer = send(call, beat(at, minutes=3))["accounts"]["teen"]
    assert (answer["used"], answer["allowed"], answer["left"]) == (3, 20, 17)
    assert answer["sentence"] == ""
    answer = send(call, beat(at, minutes=8))["accounts"]["teen"]
    assert (answer["left"], answer["sentence"]) == (12, "Du har 12 minuter kvar i dag.")
    answer = send(call, beat(at, minutes=15), beat(at + timedelta(minutes=9), minutes=9))
    answer = answer["accounts"]["teen"]
    assert (answer["used"], answer["left"]) == (24, 0)
    assert answer["sentence"] == "Din tid för i dag är slut."
    assert call("GET", "/v1/accounts/teen/screen-time").json() == answer


def test_adults_without_a_limit(call: Caller) -> None:
    put_account(platform_id="grown", profile=Profile(age=AgeRange(40, 41)))
    sent = {"account_id": "grown", "at": earlier().isoformat()}
    answer = send(call, sent)["accounts"]["grown"]
    assert (answer["allowed"], answer["left"], answer["sentence"]) == (None, None, "")


def test_the_good_go_in_and_the_bad_are_listed(call: Caller, teen: Account) -> None:
    now = datetime.now(UTC)
    answer = send(
        call,
        beat(now + timedelta(minutes=10)),
        beat(now - timedelta(days=365)),
        beat(now),
        {"account_id": "nobody", "at": now.isoformat()},
        beat(now, minutes=16),
        beat(now.replace(tzinfo=None)),
        {"account_id": "teen"},
        beat(now, minutes=0),
    )
    assert answer["taken"] == 1
    why = {each["index"]: each["why"] for each in answer["refused"]}
    assert list(why) == [0, 1, 3, 4, 5, 6, 7]
    assert "future" in why[0]
    assert "older than 48 hours" in why[1]
    assert "no account 'nobody'" in why[3]
    assert "1 to 15 minutes" in why[4]
    assert "needs a time zone" in why[5]
    assert "missing required field `at`" in why[6]
    assert total(answer) == 1
    problem(call("POST", "/v1/events", json={"events": [beat(now)] * 5_001}), 422, "invalid")
    problem(call("POST", "/v1/events", json=[]), 422, "invalid")
    problem(call("GET", "/v1/events"), 405, "method_not_allowed")
    problem(call("GET", "/v1/accounts/nobody/screen-time"), 404, "account.unknown")


def test_a_time_zone_moves_the_day_and_not_what_was_counted(call: Caller, teen: Account) -> None:
    send(call, beat(datetime.now(UTC) - timedelta(minutes=1)))
    path = "/v1/accounts/teen/time-zone"
    answer = call("PUT", path, json={"time_zone": "Pacific/Kiritimati"}).json()
    assert answer["time_zone"] == "Pacific/Kiritimati"
    there = datetime.now(UTC) + timedelta(hours=14)
    assert answer["day"] == there.date().isoformat()
    assert sum(minutes for _, minutes in answer["week"]) == 1
    assert call("PUT", path, json={"time_zone": "Pacific/Kiritimati"}).status_code == 200
    assert ZoneChange.objects.count() == 2
    for name in ("Mars/Olympus", "../etc/passwd", ""):
        problem(call("PUT", path, json={"time_zone": name}), 422, "invalid")


def test_days_do_not_begin_again_by_travelling_to_and_fro(call: Caller, teen: Account) -> None:
    path = "/v1/accounts/teen/time-zone"
    names = ["Europe/Stockholm", "Asia/Tokyo", "Pacific/Kiritimati"]
    for back, name in zip((50, 40), names, strict=False):
        call("PUT", path, json={"time_zone": name})
        ZoneChange.objects.filter(zone=name).update(
            since=ZoneChange.objects.latest("id").since - back
        )
    detail = problem(call("PUT", path, json={"time_zone": names[2]}), 422, "invalid")
    assert "at most 2 times in 24 hours" in detail


def test_many_at_once_lose_nothing(teen: Account) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)

    def device(number: int) -> None:
        try:
            for minute in range(number, 60, 3):
                take_heartbeats([Heartbeat("teen", at + timedelta(minutes=minute))] * 2)
        finally:
            close_old_connections()

    threads = [threading.Thread(target=device, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(row.bits.bit_count() for row in ActiveHour.objects.all()) == 60


def test_minutes_are_forgotten(teen: Account) -> None:
    take_heartbeats([Heartbeat("teen", datetime.now(UTC))])
    assert forget_minutes(datetime.now(UTC)) == 0
    assert forget_minutes(datetime.now(UTC) + timedelta(days=36)) == 1
