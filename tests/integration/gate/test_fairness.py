"""One caller's load costs nobody else their answer, and who is over a share is told so."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.refusals import count_refusal, refused_lately, tally_refusals
from kinward.access.services import create_key, live_keys, revoke_key
from kinward.findings import upload as upload_module
from kinward.gate.app import Gate
from kinward.ground.turns import Payer
from kinward.ground.watch import CHANNEL, watch
from kinward.matching.models import Bank
from kinward.media import Busy, Hashed, find_medium, read_picture
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller, problem
from tests.integration.web.test_console import signed_in
from tests.support import videos
from tests.support.contract import check_answer
from tests.support.helpers import UNKNOWN

pytestmark = pytest.mark.django_db(transaction=True)
FILM = videos.encode([1])
ACTOR = Actor.system("test")
Sent = tuple[str, str, dict[str, Any]]


@pytest.fixture
def call(db: None) -> Caller:
    scopes = frozenset({"media:check", "accounts:write"})
    return Caller(create_key(name="app", scopes=scopes, actor=ACTOR))


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the database, in whichever thread."""
    asked: list[str] = []
    execute = CursorWrapper.execute

    def listening(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        asked.append(str(sql))
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", listening)
    return asked


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers to strangers are held back for a moment only."""
    monkeypatch.setattr("kinward.gate.admission.PAUSE", 0.001)


def stranger(name: str = "kw_guess") -> Sent:
    return ("POST", "/v1/media", {"headers": {"Authorization": f"Bearer {name}"}, "content": b"x"})


def upload(data: bytes, account: str, content: str) -> Sent:
    fields = {"account_id": account, "content_id": content}
    return ("POST", "/v1/media", {"data": fields, "files": {"file": ("a", data)}})


def remember_keys() -> None:
    """Let this process have all keys in memory, and have heard of every change so far."""
    heard = threading.Event()
    watch().subscribe("settled", lambda key: heard.set() if key is not None else None)
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}, 'settled:'")
    assert heard.wait(60)
    deadline = time.monotonic() + 60
    while live_keys().peek() is None and time.monotonic() < deadline:
        live_keys().get()
    assert live_keys().peek() is not None


def test_a_flood_without_a_key_asks_nothing_of_the_database(
    call: Caller, account: Account, queries: list[str], quick: None, configure: Configure
) -> None:
    configure(refused_per_minute=20)
    remember_keys()
    queries.clear()
    answers = call.together(
        [stranger(f"kw_{number}") for number in range(60)]
        + [("POST", "/v1/decide", {"headers": {"Authorization": ""}, "content": b"{}"})] * 20
        + [
            ("GET", "/hma/kw_guess/m/lookup", {}),
            ("GET", "/c/banks", {"headers": {"Authorization": ""}}),
        ]
    )
    assert queries == []
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {401, 429}
    assert 20 <= statuses.count(401) <= 40, "a slow machine refills the limit meanwhile"
    refused = next(answer for answer in answers[:60] if answer.status_code == 429)
    problem(refused, 429, "limit.address")
    assert refused.headers["ratelimit-policy"] == '"address";q=20;w=60'
    assert refused.headers["ratelimit"].startswith('"address";r=0;t=')
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    assert call.media(UNKNOWN).status_code == 200


@pytest.mark.parametrize("last", ["{}", '{"capability": "dm.send"}'])
def test_a_batch_leaves_the_event_loop_to_others(db: None, last: str) -> None:
    key = create_key(name="app", scopes=frozenset({"policy:decide"}), actor=ACTOR)
    question = '{"capability": "dm.send", "actor": {"age": [13, 14]}}'
    body = f'{{"questions": [{",".join([question] * 5000 + [last])}]}}'.encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    async def run() -> tuple[int, int]:
        transport = httpx.ASGITransport(Gate())
        async with httpx.AsyncClient(transport=transport, base_url="http://kinward") as client:
            send = client.post("/v1/decide/batch", content=body, headers=headers)
            sending, turns = asyncio.create_task(send), 0
            while not sending.done():
                await asyncio.sleep(0)
                turns += 1
            return (await sending).status_code, turns

    status, turns = asyncio.run(run())
    assert status == 200
    assert turns > 500, "the loop stood still while the batch was answered"


def test_a_valid_key_is_served_from_an_address_over_its_limit(
    call: Caller, account: Account, quick: None, configure: Configure
) -> None:
    configure(refused_per_minute=1)
    calls = [stranger(), stranger(), *[upload(UNKNOWN, "member-1", f"post-{n}") for n in range(3)]]
    statuses = [answer.status_code for answer in call.together(calls)]
    assert sorted(statuses[:2]) == [401, 429]
    assert statuses[2:] == [200, 200, 200]


def test_while_memory_cannot_be_trusted_strangers_over_the_limit_still_cost_no_query(
    call: Caller,
    account: Account,
    queries: list[str],
    quick: None,
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(refused_per_minute=1)
    remember_keys()
    monkeypatch.setattr(watch(), "trusted", lambda: False)
    queries.clear()
    statuses = [answer.status_code for answer in call.together([stranger()] * 30)]
    assert statuses.count(429) >= 25
    assert len([sql for sql in queries if "apikey" in sql]) <= 2
    assert call.media(UNKNOWN).status_code == 200, "whose key was live is asked for"


def test_a_new_key_is_known_at_once_and_a_revoked_one_is_not(call: Caller) -> None:
    remember_keys()
    new = Caller(create_key(name="new", scopes=frozenset({"accounts:write"}), actor=ACTOR))
    assert new("PUT", "/v1/accounts/a", json={}).status_code == 201
    remember_keys()
    revoke_key(name="new", actor=ACTOR)
    problem(new("PUT", "/v1/accounts/a", json={}), 401, "key.refused")


def test_a_key_that_another_process_made_is_heard_of(call: Caller) -> None:
    remember_keys()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access_apikey (name, digest, scopes, created_at) "
            "VALUES ('new', sha256('kw_new'), '{accounts:write}', now())"
        )
    remember_keys()
    assert Caller("kw_new")("PUT", "/v1/accounts/a", json={}).status_code == 201


def test_without_a_key_no_byte_of_the_body_is_asked_for(call: Caller, quick: None) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was asked for")

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer kw_guess"), (b"content-length", b"30000000")]
    scope = {"type": "http", "method": "POST", "path": "/v1/media", "headers": headers}
    asyncio.run(Gate()(scope, receive, send))
    assert sent[0]["status"] == 401


def test_a_key_over_its_limit_is_told_when_to_come_back(
    call: Caller, account: Account, configure: Configure
) -> None:
    configure(key_per_second=1)
    put: Sent = ("PUT", "/v1/accounts/a", {"json": {}})
    other = create_key(name="other", scopes=frozenset({"accounts:write"}), actor=ACTOR)
    modest = {"json": {}, "headers": {"Authorization": f"Bearer {other}"}}
    answers = call.together([*[put] * 14, ("PUT", "/v1/accounts/b", modest)])
    served = [answer for answer in answers[:14] if answer.status_code in (200, 201)]
    refused = [answer for answer in answers[:14] if answer.status_code == 429]
    assert len(served) >= 10
    assert refused
    problem(refused[0], 429, "limit.key")
    assert refused[0].headers["ratelimit-policy"] == '"key";q=10;w=10'
    assert refused[0].headers["ratelimit"].startswith('"key";r=0;t=')
    assert 1 <= int(refused[0].headers["retry-after"]) <= 10
    assert served[0].headers["ratelimit"].startswith('"key";r=')
    assert answers[14].status_code == 201


def test_an_account_over_its_limit_costs_no_other_account_anything(
    call: Caller, account: Account, configure: Configure
) -> None:
    configure(account_per_minute=2)
    put_account(platform_id="member-2", profile=Profile())
    hashes = {"account_id": "member-1", "content_id": "h", "sha256": "01" * 32}
    answers = call.together(
        [
            upload(UNKNOWN, "member-1", "1"),
            upload(UNKNOWN, "member-1", "2"),
            upload(UNKNOWN, "member-1", "3"),
            ("POST", "/v1/media/hashes", {"json": hashes}),
            upload(UNKNOWN, "member-2", "4"),
        ]
    )
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses[:4]) == [200, 200, 429, 429]
    assert statuses[4] == 200
    refused = answers[statuses.index(429)]
    problem(refused, 429, "limit.account")
    assert '"account";q=2;w=60' in refused.headers["ratelimit-policy"]
    assert int(refused.headers["retry-after"]) <= 30


class Stuck:
    """Decoders in which films last until a picture was read. They note who is charged."""

    def __init__(self) -> None:
        self.read, self.payers, self.gave_up = threading.Event(), list[Payer](), False

    def hash(self, data: bytes, more: Any, *, payer: Payer, look: bool) -> Hashed:
        self.payers.append(payer)
        medium = find_medium(data)
        if medium is not None and medium.lasting:
            self.gave_up = not self.read.wait(60) or self.gave_up
        else:
            self.read.set()
        return read_picture(UNKNOWN, 10**8)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stuck]:
    decoders = Stuck()
    monkeypatch.setattr(upload_module, "decoders", lambda: decoders)
    yield decoders
    decoders.read.set()


def test_an_accounts_films_keep_neither_pictures_nor_calls_waiting(
    call: Caller, bank: Bank, account: Account, stuck: Stuck, configure: Configure
) -> None:
    configure(queue_seconds=600.0)
    put_account(platform_id="member-2", profile=Profile())
    films = [upload(FILM, "member-1", f"film-{number}") for number in range(20)]
    put: Sent = ("PUT", "/v1/accounts/a", {"json": {}})
    answers = call.together([*films, put, upload(UNKNOWN, "member-2", "picture")])
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert not stuck.gave_up, "the picture was answered while the films were read"
    assert {payer.account for payer in stuck.payers} == {"member-1", "member-2"}


def test_an_account_with_too_many_films_is_told_when_its_own_are_done(
    call: Caller, bank: Bank, account: Account, stuck: Stuck, configure: Configure
) -> None:
    configure(queue_seconds=0.2)
    films = [upload(FILM, "member-1", f"film-{number}") for number in range(30)]
    answers = call.together([*films, upload(UNKNOWN, "member-1", "picture")])
    assert answers[-1].status_code == 200
    refused = [answer for answer in answers[:-1] if answer.status_code != 200]
    assert {answer.json()["code"] for answer in refused} == {"limit.account"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert not stuck.gave_up


def form(data: bytes, account: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    fields = {"account_id": account, "content_id": "x"}
    request = httpx.Request("POST", "http://gate/", data=fields, files={"file": ("a", data)})
    return [(b"content-type", request.headers["content-type"].encode())], request.read()


def test_slow_uploads_hold_no_slot(call: Caller, bank: Bank, account: Account) -> None:
    headers, body = form(UNKNOWN, "member-1")
    headers.append((b"authorization", f"Bearer {call.key}".encode()))
    scope = {"type": "http", "method": "POST", "path": "/v1/media", "headers": headers}

    async def ask(gate: Gate, chunks: Sequence[bytes], rest: asyncio.Event) -> int:
        left, sent = [*chunks], list[Any]()

        async def receive() -> Any:
            if len(left) == 1 and len(chunks) > 1:
                await rest.wait()
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

        async def send(message: Any) -> None:
            sent.append(message)

        await gate(scope, receive, send)
        return sent[0]["status"] if sent else 0

    async def run() -> tuple[int, list[int]]:
        gate, rest = Gate(), asyncio.Event()
        # Each says that more follows.
        slow = [
            asyncio.ensure_future(ask(gate, [body[:100], b""][:1] * 2, rest)) for _ in range(40)
        ]
        await asyncio.sleep(0)
        status = await asyncio.wait_for(ask(gate, [body], rest), 60)
        rest.set()
        return status, await asyncio.gather(*slow)

    status, slow = asyncio.run(run())
    assert status == 200
    assert len(slow) == 40


def test_what_is_refused_is_counted_by_reason_and_shown(
    call: Caller, account: Account, operator: Staff, quick: None, configure: Configure
) -> None:
    configure(refused_per_minute=3)
    before = float(metric(call, "key.refused")) + float(metric(call, "limit.address"))
    statuses = [answer.status_code for answer in call.together([stranger()] * 6)]
    counted = {"key.refused": statuses.count(401), "limit.address": statuses.count(429)}
    assert set(statuses) == {401, 429}
    after = float(metric(call, "key.refused")) + float(metric(call, "limit.address"))
    assert after == before + 6
    tally_refusals().write()
    count_refusal("key.refused")
    tally_refusals().write()
    counted["key.refused"] += 1
    assert {one.reason: one.count for one in refused_lately()} == counted
    page = signed_in(operator).get("/operations").content.decode()
    assert "No valid API key" in page
    assert "limit.address" in page
    assert '<svg class="refused"' in page


def metric(call: Caller, reason: str) -> str:
    lines = call("GET", "/metrics").text.splitlines()
    name = f'kinward_refused_total{{reason="{reason}"}} '
    return next((line.removeprefix(name) for line in lines if line.startswith(name)), "0")


def test_health_and_metrics_are_asked_for_once_for_all(
    call: Caller, account: Account, queries: list[str]
) -> None:
    queries.clear()
    answers = call.together([("GET", "/healthz", {})] * 30)
    assert {answer.status_code for answer in answers} == {200}
    assert len([sql for sql in queries if sql == "SELECT 1"]) <= 3
    for answer in answers:
        check_answer(answer)
        assert json.loads(answer.text) == {"status": "ok"}


def test_the_console_also_says_when_to_come_back(
    operator: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = Busy()
    busy.retry_after = 6.5

    def refuse() -> None:
        raise busy

    monkeypatch.setattr("kinward.web.views_operations.refused_rows", refuse)
    page = signed_in(operator).get("/operations")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "7")
    assert "All decoders are busy." in page.content.decode()
