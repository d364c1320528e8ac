"""Batches of checks and of accounts: each part is answered as alone, or says why not."""

import hashlib
from typing import Any

import httpx
import pytest
from django.db import DataError, OperationalError

from kinward.access.actor import Actor
from kinward.access.services import create_key
from kinward.gate import batches
from kinward.gate.models import KeptAnswer
from kinward.matching.hashlists import ListedHash
from kinward.matching.models import Check
from kinward.matching.services import add_hashes, create_bank
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller, problem

pytestmark = pytest.mark.django_db(transaction=True)

ACTOR = Actor.system("test")
SCOPES = frozenset({"media:check", "accounts:write"})


def value(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


@pytest.fixture
def call(account: Account) -> Caller:
    made = create_bank(name="files", confidence="verified", actor=ACTOR)
    listed = [ListedHash("sha256", bytes.fromhex(value(name))) for name in ("known", "other")]
    add_hashes(bank=made, hashes=listed, provenance="a test", actor=ACTOR)
    return Caller(create_key(name="app", scopes=SCOPES, actor=ACTOR))


def check(name: str, account: str = "member-1", **further: Any) -> dict[str, Any]:
    return {"account_id": account, "content_id": name, "sha256": value(name), **further}


def send(call: Caller, checks: list[Any], key: str = "") -> list[dict[str, Any]]:
    headers = {"Idempotency-Key": key} if key else {}
    answer = call("POST", "/v1/media/hashes/batch", json={"checks": checks}, headers=headers)
    assert answer.status_code == 200, answer.text
    answers: list[dict[str, Any]] = answer.json()["answers"]
    assert len(answers) == len(checks)
    return answers


def kinds(answers: list[dict[str, Any]]) -> list[str]:
    """The outcome of each part, or the code of its error; never both."""
    assert all(("outcome" in part) != ("error" in part) for part in answers)
    return [part.get("outcome") or part["error"]["code"] for part in answers]


HARMED: list[Any] = [
    check("a"),
    7,
    {"account_id": "member-1"},
    check("known"),
    check("b", account="nobody"),
    check("c", pdq="zz"),
    check("d", unknown=1),
    {**check("e"), "sha256": value("")[:0]},
    check("f"),
]
EXPECTED = [
    *("clear", "invalid", "invalid", "quarantine", "account.unknown"),
    *("invalid", "invalid", "invalid", "clear"),
]


def test_each_part_is_answered_by_itself(call: Caller) -> None:
    answers = send(call, HARMED)
    assert kinds(answers) == EXPECTED
    assert answers[3]["case_id"], "what is known opens its case"
    assert answers[0]["checked"] == ["sha256"]
    assert "pdq" in answers[5]["error"]["detail"]
    assert set(Check.objects.values_list("content_id", flat=True)) == {"a", "known", "f"}


@pytest.mark.parametrize("group", [1, 2, 500])
def test_the_size_of_a_group_changes_nothing(
    call: Caller, monkeypatch: pytest.MonkeyPatch, group: int
) -> None:
    monkeypatch.setattr(batches, "GROUP", group)
    assert kinds(send(call, HARMED)) == EXPECTED


def test_a_batch_that_is_sent_again_has_one_effect(call: Caller) -> None:
    first = send(call, HARMED, key="night")
    again = send(call, HARMED, key="night")
    assert again == first
    assert Check.objects.count() == 3
    assert kinds(send(call, [check("z"), *HARMED[1:]], key="night"))[0] == "idempotency.key_reused"
    assert KeptAnswer.objects.filter(answer=None).count() == 0


def test_a_batch_that_broke_off_goes_on_with_its_key(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [check("a"), check("known"), check("b"), check("other"), check("c")]
    monkeypatch.setattr(batches, "GROUP", 2)
    ends = iter([False] * 4 + [True] * 9)
    monkeypatch.setattr(batches._Begun, "is_over", property(lambda begun: next(ends)))
    first = send(call, sent, key="night")
    assert kinds(first)[:2] == ["clear", "quarantine"]
    assert kinds(first)[-1] == "batch.not_begun"
    assert first[-1]["error"]["retry_after"] > 0
    monkeypatch.undo()
    again = send(call, sent, key="night")
    assert kinds(again) == ["clear", "quarantine", "clear", "quarantine", "clear"]
    assert again[:2] == first[:2]
    assert Check.objects.count() == len(sent)


def test_a_group_that_fails_harms_nobody(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(calls: Any) -> Any:
        raise DataError("one of them broke the statement of all")

    monkeypatch.setattr(batches, "check_hashes_together", fails)
    assert kinds(send(call, HARMED)) == EXPECTED


def test_without_the_database_nothing_reads_as_clear(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(given: Any) -> Any:
        raise OperationalError("the server closed the connection")

    tried = []

    def gone_too(given: Any) -> Any:
        tried.append(given)
        gone(given)

    monkeypatch.setattr(batches, "check_hashes_together", gone)
    monkeypatch.setattr(batches, "check_hashes", gone_too)
    answers = send(call, [check(f"{n}") for n in range(30)])
    assert kinds(answers) == ["state.unavailable"] + ["batch.not_begun"] * 29
    assert len(tried) == 1, "a database that is gone is asked once more, not thirty times"
    assert all(part["error"]["status"] == 503 for part in answers)


def test_an_unforeseen_fault_of_one_part_is_its_own(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(given: Any) -> Any:
        raise RuntimeError("as nobody thought")

    monkeypatch.setattr(batches, "check_hashes", broken)
    answers = send(call, [check("a"), check("known"), check("b")])
    assert kinds(answers) == ["clear", "internal", "clear"]
    assert "thought" not in answers[1]["error"]["detail"]


def test_an_account_over_its_limit_keeps_nobody_out(call: Caller, configure: Configure) -> None:
    configure(account_per_minute=3)
    loud = [check(f"loud-{n}") for n in range(20)]
    Account.objects.create(platform_id="member-9")
    quiet = check("quiet", account="member-9")

    calls = [
        ("POST", "/v1/media/hashes/batch", {"json": {"checks": sent}})
        for sent in (loud, [*loud[:1], quiet])
    ]
    first, second = call.together(calls, most=1)
    assert kinds(first.json()["answers"]) == ["clear"] * 20, "one that is larger is possible"
    assert kinds(second.json()["answers"]) == ["limit.account", "clear"]


def test_a_batch_costs_its_key_what_it_has(call: Caller, configure: Configure) -> None:
    configure(key_per_second=1)
    sent = ("POST", "/v1/media/hashes/batch", {"json": {"checks": [check("a"), 7] * 50}})
    first, second = call.together([sent, sent], most=1)
    assert first.status_code == 200
    problem(second, 429, "limit.key")


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        ({"checks": [check("a")] * (batches.MAX_CHECKS + 1)}, "invalid", 422),
        ({"checks": "a"}, "invalid", 422),
        ({"checks": [], "more": []}, "invalid", 422),
        ({}, "invalid", 422),
    ],
    ids=["too many", "no list", "a further field", "nothing"],
)
def test_a_batch_that_is_none_is_refused_whole(
    call: Caller, body: dict[str, Any], code: str, status: int
) -> None:
    problem(call("POST", "/v1/media/hashes/batch", json=body), status, code)


def put(call: Caller, accounts: list[Any]) -> httpx.Response:
    return call("POST", "/v1/accounts/batch", json={"accounts": accounts})


def test_accounts_are_put_each_by_itself(call: Caller) -> None:
    named = [
        {"account_id": "a", "profile": {"screen_name": "Heron"}},
        {"account_id": "b", "profile": {"age": {"low": 9, "high": 3, "source": "declared"}}},
        {"account_id": "", "profile": {}},
        {"account_id": "c", "profile": {"screen_name": "x" * 10_000}},
        {"account_id": "twice", "profile": {}},
        {"account_id": "twice", "profile": {"language": "de"}},
        {"account_id": "d", "profile": {}},
    ]
    answer = put(call, named)
    assert answer.status_code == 200, answer.text
    parts = answer.json()["answers"]
    told = [part["account"]["standing"] if "account" in part else "error" for part in parts]
    assert told == ["active", "error", "error", "error", "error", "error", "active"]
    known = set(Account.objects.values_list("platform_id", flat=True)) - {"member-1"}
    assert known == {"a", "d"}
    assert Account.objects.get(platform_id="a").screen_name == "Heron"


def test_a_name_twice_in_a_profile_is_refused_as_alone(call: Caller) -> None:
    body = b'{"accounts":[{"account_id":"a","profile":{"language":"en","language":"de"}}]}'
    headers = {"Content-Type": "application/json"}
    answer = call("POST", "/v1/accounts/batch", content=body, headers=headers)
    (part,) = answer.json()["answers"]
    assert part["error"]["code"] == "invalid"
    assert not Account.objects.filter(platform_id="a").exists()
