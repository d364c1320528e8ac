"""A batch costs its key what it asks, and without the database no stranger's body is read."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from django.db import OperationalError

from kinward.access.actor import Actor
from kinward.access.services import create_key, live_keys
from kinward.gate.app import Gate
from tests.integration.conftest import Configure
from tests.integration.gate.test_fairness import Sent, remember_keys
from tests.integration.gate.test_gate import Caller, problem

pytestmark = pytest.mark.django_db(transaction=True)
SCOPES = frozenset({"policy:decide", "accounts:write", "actions:pull", "text:check"})
QUESTION = {"capability": "dm.send", "actor": {"age": [13, 14]}}


@pytest.fixture
def call(db: None, monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.setattr("kinward.gate.admission.PAUSE", 0.001)
    return Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))


def batch(count: int) -> Sent:
    return ("POST", "/v1/decide/batch", {"json": {"questions": [QUESTION] * count}})


ONE: Sent = ("POST", "/v1/decide", {"json": QUESTION})
IDS = [f"00000000-0000-0000-0000-{number:012d}" for number in range(100)]
BATCHES: list[Sent] = [
    batch(100),
    ("POST", "/v1/events", {"json": {"events": [{}] * 100}}),
    ("POST", "/v1/actions/acknowledged", {"json": {"action_ids": IDS}}),
]


@pytest.mark.parametrize("sent", BATCHES, ids=lambda sent: sent[1])
def test_a_batch_costs_its_key_what_it_asks(call: Caller, sent: Sent, configure: Configure) -> None:
    configure(key_per_second=1)  # ten at once
    first, second, one = call.together([sent, sent, ONE], most=1)
    assert first.status_code == 200, "one that is larger than all that is left is possible"
    assert first.headers["ratelimit"].startswith('"key";r=0;t=')
    for refused in (second, one):
        problem(refused, 429, "limit.key")
        assert 60 <= int(refused.headers["retry-after"]) <= 92


def test_a_large_batch_is_counted_as_a_small_one_is(call: Caller, configure: Configure) -> None:
    configure(key_per_second=500)
    first, second = call.together([batch(4000), ONE], most=1)
    assert first.status_code == second.status_code == 200
    left = int(first.headers["ratelimit"].partition("r=")[2].partition(";")[0])
    assert left in (1000, 1001)


def test_many_batches_at_once_do_not_all_fit(call: Caller, configure: Configure) -> None:
    configure(key_per_second=2)
    statuses = [answer.status_code for answer in call.together([batch(1000)] * 10)]
    assert (statuses.count(200), statuses.count(429)) == (1, 9)


class Down:
    """A database that is gone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def down(*arguments: Any, **options: Any) -> Any:
            raise OperationalError("the server is gone")

        monkeypatch.setattr("kinward.gate.admission.authenticate_known", lambda *_: None)
        monkeypatch.setattr("kinward.gate.admission.authenticate", down)
        monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", down)


@pytest.mark.parametrize("path", ["/v1/decide", "/v1/decide/batch"])
def test_without_the_database_no_strangers_body_is_read(
    call: Caller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_keys()
    Down(monkeypatch)
    asked: list[dict[str, Any]] = []
    answered: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        asked.append({})
        return {"type": "http.request", "body": b"{" * 1024, "more_body": True}

    async def send(message: MutableMapping[str, Any]) -> None:
        answered.append(dict(message))

    headers = [
        (b"authorization", b"Bearer kw_" + b"x" * 43),
        (b"content-type", b"application/json"),
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("192.0.2.9", 5000),
    }
    asyncio.run(Gate()(scope, receive, send))
    assert asked == []
    assert answered[0]["status"] == 503
    assert b"retry-after" in dict(answered[0]["headers"])


def test_without_the_database_a_key_that_was_live_gets_protective_answers(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_keys()
    assert live_keys().last
    Down(monkeypatch)
    answer = call("POST", "/v1/decide", json=QUESTION)
    assert answer.status_code == 200
    assert answer.json()["effect"] == "deny"
    many = call(*batch(3)[:2], **batch(3)[2])
    assert [decision["effect"] for decision in many.json()["decisions"]] == ["deny"] * 3
