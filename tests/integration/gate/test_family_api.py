"""What the platform calls for families: visits, counts, pass-codes, time that is left, reports."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.casebook.models import UserReport
from kinward.families.asks import answers, requests
from kinward.families.settings import choices, keywords
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.support.families import make_account, pair

pytestmark = pytest.mark.django_db(transaction=True)

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def call(db: None, configure: Configure) -> Caller:
    configure(policy_key="22" * 32)
    return Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))


@pytest.fixture
def teen(db: None) -> Account:
    return make_account("wren", 15)


@pytest.fixture
def guardian(teen: Account) -> Account:
    made = make_account("heron", 40)
    pair(made, teen)
    return made


def midday(call: Caller) -> None:
    """Let it be about noon for the teen."""
    east = 12 - datetime.now(UTC).hour
    zone = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"
    call("PUT", "/v1/accounts/wren/time-zone", json={"time_zone": zone})


def test_a_visit_begins_where_it_was_asked_to(call: Caller, teen: Account) -> None:
    start = {"page": "report", "account_id": "somebody", "content_id": "p-1"}
    sent = {"account_id": "wren", "start": start}
    answer = call("POST", "/v1/portal-sessions", json=sent)
    assert answer.status_code == 201
    url = answer.json()["url"]
    assert url.startswith("http://127.0.0.1:8700/family/enter/")
    opened = Client().post(url.removeprefix("http://127.0.0.1:8700"), {"answer": "yes"})
    assert opened.headers["Location"] == "/family/report"
    cookie = opened.cookies["kinward-family"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_time_decisions_say_what_is_left(call: Caller, teen: Account, guardian: Account) -> None:
    midday(call)
    choices.choose_setting(guardian=guardian, teen_id="wren", capability="session.time", value=30)
    question = {"capability": "session.time", "actor": {"id": "wren"}}
    first = call("POST", "/v1/decide", json=question).json()
    assert (first["effect"], first["value"]) == ("limit", 30)
    assert (first["time"]["used"], first["time"]["left"]) == (0, 30)
    at = datetime.now(UTC).isoformat()
    events = [{"account_id": "wren", "at": at, "minutes": 15}]
    call("POST", "/v1/events", json={"events": events})
    later = {"questions": [question, {"capability": "live.watch", "actor": {"id": "wren"}}]}
    second, other = call("POST", "/v1/decide/batch", json=later).json()["decisions"]
    assert second["time"]["left"] == 15
    assert second["time"]["sentence"] == "You have 15 minutes left today."
    assert "time" not in other
    events[0]["at"] = (datetime.now(UTC) - timedelta(minutes=15)).isoformat()
    call("POST", "/v1/events", json={"events": events})
    over = call("POST", "/v1/decide", json=question).json()
    assert (over["effect"], over["time"]["left"]) == ("deny", 0)
    assert over["time"]["break_due"]
    given = requests.ask_guardians(teen=teen, capability="session.time", reason="", minutes=15)
    answers.answer_ask(guardian=guardian, ask_id=given.id, said="yes")
    assert call("POST", "/v1/decide", json=question).json()["time"]["left"] == 15


def test_time_for_many_is_bounded(call: Caller, teen: Account) -> None:
    question = {"capability": "session.time", "actor": {"id": "wren"}}
    answer = call("POST", "/v1/decide/batch", json={"questions": [question] * 201})
    assert answer.status_code == 422
    assert "Heartbeats" in answer.json()["detail"]


def test_outside_its_hours_the_app_is_closed(call: Caller, teen: Account) -> None:
    east = (27 - datetime.now(UTC).hour) % 24  # about three at night
    east = east if east <= 12 else east - 24
    zone = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"
    call("PUT", "/v1/accounts/wren/time-zone", json={"time_zone": zone})
    time = call("GET", "/v1/accounts/wren/screen-time").json()
    assert time["closed"]
    assert "It opens again at 07:00." in time["sentence"]


def test_a_week_has_its_days(call: Caller, teen: Account, guardian: Account) -> None:
    week = [30, 30, 30, 30, 30, 90, 90]
    sent: dict[str, Any] = {"layer": "guardian", "guardian_id": "heron", "value": week}
    path = "/v1/accounts/wren/settings/session.time"
    # Without a time the strictest of the week counts.
    assert call("PUT", path, json=sent).json()["value"] == 30
    for day, minutes in enumerate(week):
        at = f"2026-11-{16 + day}T12:00:00"
        about: dict[str, Any] = {"actor": {"age": [15, 16]}, "at": at, "guardian": week}
        question = {"capability": "session.time", **about}
        assert call("POST", "/v1/decide", json=question).json()["value"] == minutes
    short = sent | {"value": [30] * 6}
    assert call("PUT", path, json=short).status_code == 422


def test_counts_are_kept_by_day_and_shown_as_the_pack_says(
    call: Caller, teen: Account, guardian: Account
) -> None:
    today = datetime.now(UTC).date().isoformat()
    path = f"/v1/accounts/wren/activity/{today}"
    for posts in (1, 4):
        assert call("PUT", path, json={"posts": posts, "searches": 9}).status_code == 200
    assert call("PUT", path, json={"words": 1}).status_code == 422
    assert call("PUT", path, json={"posts": -1}).status_code == 422
    from kinward.families.screen_time.usage import screen_time
    from kinward.families.visits import page

    shown = dict(page.counts_for(teen, screen_time(teen, datetime.now(UTC))))
    assert shown["Posts"] == 4
    assert "Searches" not in shown  # not in the pack's `guardian_sees`


def test_pass_codes_over_the_api(call: Caller, teen: Account, guardian: Account) -> None:
    from kinward.families.screen_time.passcodes import show_passcodes

    assert set(call("GET", "/v1/accounts/wren/passcodes").json()) == {"body", "signature", "key"}
    code = show_passcodes(guardian=guardian, teen_id="wren")[0].code
    time = call("POST", "/v1/accounts/wren/passcodes", json={"code": code}).json()
    assert time["extra"] == 15


def test_keywords_are_in_the_experience(call: Caller, teen: Account, guardian: Account) -> None:
    keywords.add_keyword(teen_id="wren", word="spoilers", guardian=guardian, account=guardian)
    assert call("GET", "/v1/accounts/wren/experience").json()["keywords"] == ["spoilers"]


def test_a_report_and_its_outcome(call: Caller, teen: Account, guardian: Account) -> None:
    sent = {"account_id": "heron", "reporter_id": "wren", "category": "home", "text": "a\0b"}
    body = json.dumps(sent).replace("a\\u0000b", "a\\u0000b\\ud83d")  # an emoji, cut in half
    answer = call("POST", "/v1/reports", content=body, headers=JSON).json()
    assert answer["outcome"] == "received"
    assert UserReport.objects.get().text == "a\ufffdb\ufffd", "it stops no report"
    assert answer["help"] == "emergency"
    assert answer["safety_center"].endswith("/safety/en/help")
    found = call("GET", f"/v1/reports/{answer['report_id']}").json()
    assert found["outcome"] == "received"
    assert call("GET", "/v1/reports/none").status_code == 404
