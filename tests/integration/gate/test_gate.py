"""What the gate answers to honest, broken and hostile calls."""

import asyncio
import json
import struct
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key, revoke_key
from kinward.casebook.models import Case
from kinward.gate.app import Gate
from kinward.gate.models import KeptAnswer
from kinward.ledger.verification import verify_ledger
from kinward.matching.models import Bank, Check
from kinward.people.models import Account
from kinward.reporting.models import Report
from tests.integration.conftest import Configure
from tests.support.contract import DOCUMENT, check_answer
from tests.support.factories import make_case
from tests.support.helpers import KNOWN, UNKNOWN

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = {"account_id": "member-1", "content_id": "post-1"}


@pytest.fixture
def key(db: None) -> str:
    return create_key(
        name="app", scopes=frozenset({"media:check", "accounts:write"}), actor=Actor.system("test")
    )


class Caller:
    """The platform's app, calling the gate in this process."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return self.together([(method, path, arguments)])[0]

    def media(self, data: bytes = KNOWN, key: str = "", **fields: str) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self(
            "POST",
            "/v1/media",
            data=FIELDS | fields,
            files={"file": ("IMG_1.jpg", data)},
            headers=headers,
        )

    def together(
        self, calls: list[tuple[str, str, dict[str, Any]]], most: int = 1000
    ) -> list[httpx.Response]:
        """Call one gate, `most` at a time. Each answer is held to the OpenAPI document."""

        async def run() -> list[httpx.Response]:
            transport, places = httpx.ASGITransport(Gate()), asyncio.Semaphore(most)
            async with httpx.AsyncClient(transport=transport, base_url="http://gate") as http:

                async def send(method: str, path: str, given: dict[str, Any]) -> httpx.Response:
                    own = {"Authorization": f"Bearer {self.key}"}
                    arguments = {**given, "headers": own | given.get("headers", {})}
                    async with places:
                        return await http.request(method, path, **arguments)

                return await asyncio.gather(*(send(*call) for call in calls))

        answers = asyncio.run(run())
        for answer in answers:
            check_answer(answer)
        return answers


@pytest.fixture
def call(key: str) -> Caller:
    return Caller(key)


def problem(response: httpx.Response, status: int, code: str) -> str:
    """Assert that a response is this problem document, and return its detail."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == f"urn:kinward:problem:{code}"
    assert document["title"]
    return str(document.get("detail", ""))


def test_a_clear_picture(call: Caller, bank: Bank, account: Account) -> None:
    response = call.media(
        UNKNOWN, ip="203.0.113.9", port="443", public="true", sent_to='["member-2"]'
    )
    assert response.status_code == 200
    assert set(response.json()) == {"check_id", "outcome", "checked", "not_checked"}
    assert response.json()["outcome"] == "clear"
    assert response.json()["checked"] == ["pdq", "md5", "sha1", "sha256"]
    assert response.json()["not_checked"] == []
    check = Check.objects.get()
    assert (check.ip, check.port, check.public) == ("203.0.113.9", 443, True)
    assert check.sent_to == ["member-2"]
    assert (check.filename, check.media_type, len(check.pdq)) == ("IMG_1.jpg", "image/jpeg", 64)


def test_a_known_picture_and_never_why(call: Caller, bank: Bank, account: Account) -> None:
    answer = call.media().json()
    assert set(answer) == {"check_id", "outcome", "case_id", "checked", "not_checked"}
    assert answer["outcome"] == "quarantine"
    assert answer["checked"] == call.media(UNKNOWN, content_id="other").json()["checked"]
    for secret in ("known", "distance", "bank", "verified"):
        assert secret not in json.dumps(answer)
    assert verify_ledger().ok


def test_hashes_instead_of_bytes(call: Caller, bank: Bank, account: Account) -> None:
    call.media()
    check = Check.objects.get()
    sent = {"account_id": "member-1", "content_id": "post-2", "pdq": check.pdq.upper()}
    answer = call("POST", "/v1/media/hashes", json=sent)
    assert answer.json()["outcome"] == "quarantine"
    sent = {"account_id": "member-1", "content_id": "post-3", "sha256": "01" * 32}
    assert call("POST", "/v1/media/hashes", json=sent).json()["outcome"] == "clear"


def test_the_same_key_has_one_effect_and_one_answer(
    call: Caller, bank: Bank, account: Account
) -> None:
    first = call.media(key="abc")
    check = Check.objects.get()
    assert first.status_code == 200
    assert first.json() == {
        "check_id": str(check.id),
        "outcome": "quarantine",
        "case_id": str(Case.objects.get().id),
        "checked": ["pdq", "md5", "sha1", "sha256"],
        "not_checked": [],
    }
    assert call.media(key="abc").json() == first.json()
    assert Check.objects.count() == 1
    problem(call.media(UNKNOWN, key="abc"), 422, "idempotency.key_reused")
    problem(call.media(key="abc", content_id="post-2"), 422, "idempotency.key_reused")


def test_the_same_key_at_the_same_time(call: Caller, bank: Bank, account: Account) -> None:
    arguments = {
        "data": FIELDS,
        "files": {"file": ("a.jpg", KNOWN)},
        "headers": {"Idempotency-Key": "k"},
    }
    answers = call.together([("POST", "/v1/media", arguments)] * 6)
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert answers[0].status_code == 200
    assert answers[0].json()["check_id"] == str(Check.objects.get().id)


def test_many_uploads_at_once_are_one_case(call: Caller, bank: Bank, account: Account) -> None:
    calls = [
        (
            "POST",
            "/v1/media",
            {"data": FIELDS | {"content_id": f"post-{n}"}, "files": {"file": ("a.jpg", KNOWN)}},
        )
        for n in range(12)
    ]
    answers = call.together(calls)
    assert {answer.json()["outcome"] for answer in answers} == {"quarantine"}
    assert len({answer.json()["case_id"] for answer in answers}) == 1
    assert Case.objects.get().findings.count() == 12
    assert verify_ledger().ok


def test_a_refusal_does_not_use_up_the_key(call: Caller, bank: Bank, account: Account) -> None:
    problem(call.media(key="k", account_id="nobody"), 404, "account.unknown")
    assert not KeptAnswer.objects.exists()
    assert call.media(key="k").status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer kw_wrong", "Basic abc", "Bearer other"])
def test_without_a_key_nothing_is_read(call: Caller, account: Account, authorization: str) -> None:
    call.key = ""
    response = call(
        "POST", "/v1/media", content=b"never parsed", headers={"Authorization": authorization}
    )
    problem(response, 401, "key.refused")
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_a_key_needs_the_scope_and_can_be_revoked(call: Caller, account: Account) -> None:
    call.key = create_key(
        name="narrow", scopes=frozenset({"accounts:write"}), actor=Actor.system("test")
    )
    assert "accounts:write" in problem(call.media(), 403, "key.scope_missing")
    revoke_key(name="narrow", actor=Actor.system("test"))
    problem(call.media(), 401, "key.refused")


def test_accounts(call: Caller) -> None:
    body = {"age": {"lower": 15, "upper": 16}, "screen_name": "x", "jurisdiction": "DE"}
    assert call("PUT", "/v1/accounts/a%20b", json=body).status_code == 201
    answer = call("PUT", "/v1/accounts/a%20b", json={})
    assert answer.status_code == 200
    known: Any = {"account_id": "a b", "standing": "active", "blocked": [], "age_kept": None}
    assert answer.json() == known
    account = Account.objects.get(platform_id="a b")
    assert (account.age_lower, account.age_upper, account.age_assurance) == (0, 150, "none")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"age": {"lower": 16, "upper": 15}}, "lower < upper"),
        ({"age": {"lower": -1, "upper": 15}}, "lower < upper"),
        ({"age": {"lower": "x", "upper": 15}}, "$.age.lower"),
        ({"age": {"lower": 1, "upper": 5, "assurance": "sure"}}, "$.age.assurance"),
        ({"birthday": "2001-01-01"}, "birthday"),
        ({"screen_name": "x" * 201}, "screen_name"),
        ([], "object"),
    ],
)
def test_a_wrong_account_is_named(call: Caller, body: object, word: str) -> None:
    assert word in problem(call("PUT", "/v1/accounts/a", json=body), 422, "invalid")
    assert not Account.objects.exists()


def test_a_character_that_cannot_be_stored(call: Caller) -> None:
    assert call("PUT", "/v1/accounts/b", json={"screen_name": "a\0b"}).status_code == 201
    assert Account.objects.get(platform_id="b").screen_name == "a\ufffdb"
    for no_id in ("a%00b", "a%FFb"):
        problem(call("PUT", f"/v1/accounts/{no_id}", json={}), 422, "invalid")


def test_xml_where_json_belongs(call: Caller) -> None:
    for path, method in (("/v1/accounts/a", "PUT"), ("/v1/media/hashes", "POST")):
        xml = {"content": b"<a/>", "headers": {"Content-Type": "text/xml"}}
        problem(call(method, path, **xml), 415, "body.type_unsupported")
        lying = {"content": b"<a/>", "headers": {"Content-Type": "application/json"}}
        problem(call(method, path, **lying), 400, "body.malformed")
    problem(call("POST", "/v1/media", json={}), 415, "body.type_unsupported")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v1/decide", b'{"capability": "\xff"}'),
        ("/v1/decide/batch", b'{"questions": [{"capability": "\xff"}]}'),
        ("/v1/registrations", b'{"identifiers": [{"kind": "email", "value": "\xff"}]}'),
    ],
)
def test_json_that_is_not_utf_8_is_malformed(path: str, content: bytes) -> None:
    call = Caller(create_key(name="all", scopes=SCOPES, actor=Actor.system("test")))
    headers = {"Content-Type": "application/json"}
    problem(call("POST", path, content=content, headers=headers), 400, "body.malformed")


def test_a_heartbeat_that_is_not_utf_8_spoils_no_other(call: Caller, account: Account) -> None:
    now = datetime.now(UTC).isoformat().encode()
    good = b'{"account_id": "member-1", "at": "' + now + b'"}'
    content = b'{"events": [{"account_id": "\xff", "at": "' + now + b'"}, ' + good + b"]}"
    headers = {"Content-Type": "application/json"}
    answer = call("POST", "/v1/events", content=content, headers=headers).json()
    assert answer["taken"] == 1
    assert [refusal["index"] for refusal in answer["refused"]] == [0]


def test_the_key_is_checked_before_the_body(call: Caller) -> None:
    call.key = "kw_wrong"
    for path in ("/v1/decide", "/v1/decide/batch", "/v1/media", "/v1/media/hashes"):
        problem(call("POST", path, content=b"no type"), 401, "key.refused")


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_message_from_outside_the_calendar_is_refused(account: Account, at: str) -> None:
    call = Caller(create_key(name="all", scopes=SCOPES, actor=Actor.system("test")))
    message = {"account_id": "member-2", "at": at, "text": "hello"}
    sent = {"account_id": "member-1", "category": "other", "messages": [message]}
    assert "Message 1" in problem(call("POST", "/v1/reports", json=sent), 422, "invalid")


def test_what_is_no_address_of_a_file_is_named(db: None) -> None:
    call = Caller(create_key(name="all", scopes=SCOPES, actor=Actor.system("test")))
    answer = call("GET", "/h/hash", params={"url": "http://["})
    assert (answer.status_code, answer.headers["kinward-error"]) == (422, "invalid")
    assert "url" in answer.text


def test_a_wrong_method_is_told_the_right_ones(call: Caller) -> None:
    assert call("PATCH", "/v1/accounts/a").headers["allow"] == "DELETE, GET, PUT"
    assert call("POST", "/m/raw_lookup").headers["allow"] == "GET"


def test_the_openapi_document_needs_no_key_and_may_be_kept(db: None) -> None:
    answer = Caller("")("GET", "/v1/openapi.json")
    assert answer.json() == DOCUMENT
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert Caller("")("GET", "/healthz").headers["cache-control"] == "no-store"


def test_a_repeated_upload_is_answered_with_what_was_decided(
    call: Caller, bank: Bank, account: Account
) -> None:
    first = call.media(key="abc").json()
    assert first["outcome"] == "quarantine"
    assert call.media(key="abc").json() == first


def test_deep_json_is_refused(call: Caller) -> None:
    content = b"[" * 60_000
    headers = {"Content-Type": "application/json"}
    response = call("PUT", "/v1/accounts/a", content=content, headers=headers)
    problem(response, 422, "invalid")


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"ip": "300.1.1.1"}, "300.1.1.1"),
        ({"port": "70000"}, "port"),
        ({"port": "many"}, "port"),
        ({"uploaded_at": "2026-01-01T00:00:00"}, "time zone"),
        ({"uploaded_at": "2999-01-01T00:00:00Z"}, "future"),
        ({"uploaded_at": "yesterday"}, "uploaded_at"),
        ({"public": "maybe"}, "public"),
        ({"sent_to": "member-2"}, "malformed"),
        ({"sent_to": '["a\\nb"]'}, "account ids"),
        ({"sent_to": json.dumps(["a"] * 101)}, "at most 100"),
        ({"content_id": "x" * 201}, "content_id"),
        ({"content_id": "a\x00b"}, "content_id"),
        ({"surprise": "1"}, "surprise"),
        ({"account_id": ""}, "account_id"),
    ],
)
def test_a_wrong_field_is_named(
    call: Caller, account: Account, fields: dict[str, str], word: str
) -> None:
    assert word in problem(call.media(UNKNOWN, **fields), 422, "invalid")
    assert not Check.objects.exists()


def test_no_file(call: Caller, account: Account) -> None:
    problem(call.media(b""), 422, "invalid")
    response = call("POST", "/v1/media", files={"other": ("a", b"x")})
    problem(response, 422, "invalid")


@pytest.mark.parametrize(
    ("hashes", "word"),
    [
        ({}, "at least one"),
        ({"md5": "abc"}, "md5"),
        ({"pdq": "zz" * 32}, "hexadecimal"),
        ({"pdq": "00" * 32, "quality": 101}, "quality"),
        ({"sha1": 5}, "sha1"),
    ],
)
def test_wrong_hashes_are_named(
    call: Caller, account: Account, hashes: dict[str, object], word: str
) -> None:
    assert word in problem(call("POST", "/v1/media/hashes", json=FIELDS | hashes), 422, "invalid")


def _png(width: int, height: int, body: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (KNOWN[: len(KNOWN) // 2], 422, "media.undecodable"),
        (_png(1000, 1000, b"\0" * 100), 422, "media.undecodable"),
        (_png(30_000, 30_000, b"\0" * 10_000_000), 413, "media.too_many_pixels"),
        (b"\xff\xd8\xff not a picture", 422, "media.undecodable"),
    ],
)
def test_broken_lying_and_huge_pictures(
    call: Caller, bank: Bank, account: Account, data: bytes, status: int, code: str
) -> None:
    answer = call.media(data)
    problem(answer, status, code)
    assert answer.json()["checked"] == ["md5", "sha1", "sha256"]
    assert not Check.objects.exists()


def test_a_body_that_says_it_is_ten_gigabytes(call: Caller, account: Account) -> None:
    headers = {
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": str(10 * 2**30),
    }
    problem(call("POST", "/v1/media", content=b"x", headers=headers), 413, "body.too_large")


def test_a_body_that_never_says_how_long_it_is(
    call: Caller, account: Account, configure: Configure
) -> None:
    configure(max_body=200_000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(1000):
            sent += 10_000
            yield bytes(10_000)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = call("POST", "/v1/media", content=endless(), headers=headers)
    problem(response, 413, "body.too_large")
    assert sent <= 10_000_000


def test_a_body_that_trickles_is_given_up(
    call: Caller, account: Account, configure: Configure
) -> None:
    configure(body_seconds=0.2)

    async def run() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        never = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await never.wait()
            return {}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [
            (b"authorization", f"Bearer {call.key}".encode()),
            (b"content-type", b"multipart/form-data; boundary=x"),
        ]
        scope = {"type": "http", "method": "POST", "path": "/v1/media", "headers": headers}
        await Gate()(scope, receive, send)
        return sent

    assert asyncio.run(run())[0]["status"] == 408


def test_addresses_and_methods_that_do_not_exist(call: Caller) -> None:
    problem(call("GET", "/v1/nothing"), 404, "not_found")
    problem(call("GET", "/v1/media"), 405, "method_not_allowed")
    problem(call("PUT", "/v1/accounts/"), 404, "not_found")


def test_health_and_metrics(call: Caller, account: Account) -> None:
    assert call("GET", "/healthz").json() == {"status": "ok"}
    call.media(UNKNOWN)
    text = call("GET", "/metrics").text
    assert 'kinward_gate_answers_total{answer="ok",endpoint="/v1/media"}' in text
    assert 'kinward_parked{what="actions"} 0.0' in text
    assert "kinward_jobs_failing 0.0" in text
    Report.objects.create(
        case=make_case(account), authority="cybertipline", state="parked", draft={}
    )
    assert 'kinward_parked{what="reports"} 1.0' in call("GET", "/metrics").text


def test_without_a_database_the_answer_is_to_hold_back(
    call: Caller, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def broken(*_: object, **__: object) -> None:
        raise OperationalError("the server is gone")

    monkeypatch.setattr("kinward.gate.admission.authenticate", broken)
    response = call.media(UNKNOWN)
    problem(response, 503, "state.unavailable")
    assert response.headers["retry-after"]


def test_an_error_of_ours_is_not_told_to_strangers(
    call: Caller, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the house")

    monkeypatch.setattr("kinward.gate.media.prepare", broken)
    response = call.media(UNKNOWN)
    problem(response, 500, "internal")
    assert "secret" not in response.text
