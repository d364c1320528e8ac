"""The layer before every application: heads, and the way to the other doors."""

import asyncio
from typing import Any

import pytest

from kinward.entrance import Doors, Entrance, TooSlow, Unavailable
from kinward.entrance.errors import HeadersTooLarge, TooManyAtOnce
from kinward.entrance.layer import MAX_BYTES, MAX_HEADERS, MAX_TARGET, check_headers
from kinward.entrance.pages import has_body
from kinward.ground.config import Door
from kinward.ground.errors import KinwardError

PORTS: dict[Door, int] = {"gate": 8700, "console": 8703, "pages": 8704}


def doors_of(path: str) -> frozenset[Door]:
    if path == "/healthz":
        return frozenset(PORTS)
    return frozenset({"gate" if path.startswith("/v1") else "console"})


def ask(
    path: str = "/v1/decide",
    *,
    headers: dict[str, str] | None = None,
    own: Door = "gate",
    **more: Any,
) -> tuple[int, dict[str, str], bytes]:
    """Send the head of a request to an entrance. The body must be left alone."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"answered"})

    async def receive() -> Any:
        raise AssertionError("the body was read")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"host": "127.0.0.1:8700"} | (headers or {})
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 40000),
    }
    application = more.pop("application", answer)
    secure = more.pop("secure", False)
    entrance = Entrance(application, Doors(frozenset({own}), PORTS, doors_of), secure=secure)
    asyncio.run(entrance(scope | more, receive, send))
    head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], head, sent[1]["body"]


def test_an_ordinary_head_reaches_the_application() -> None:
    assert ask()[2] == b"answered"


@pytest.mark.parametrize(
    "more",
    [
        {"headers": {f"x-{number}": "1" for number in range(MAX_HEADERS)}},
        {"headers": {"cookie": "c" * MAX_BYTES}},
        {"query_string": b"q" * MAX_TARGET},
    ],
)
def test_a_large_head_is_refused(more: dict[str, Any]) -> None:
    status, head, body = ask(**more)
    assert status == 431
    assert head["kinward-error"] == "headers.too_large"
    assert b"Send" in body


ADDRESS = b"/v1/decide"


@pytest.mark.parametrize(
    ("part", "largest", "larger"),
    [
        # The bounds that the reference names: 64 headers, 32 KiB of them, 8 KiB of address.
        ("headers", [(b"x", b"1")] * 64, [(b"x", b"1")] * 65),
        ("headers", [(b"x", b"c" * 32767)], [(b"x", b"c" * 32768)]),
        ("query_string", b"q" * 8182, b"q" * 8183),
        ("raw_path", b"/" + b"%61" * 2727 + b"a" * 10, b"/" + b"%61" * 2727 + b"a" * 11),  # as sent
    ],
)
@pytest.mark.parametrize("raw", [ADDRESS, None])
def test_a_head_may_be_as_large_as_the_reference_says(
    part: str, largest: Any, larger: Any, raw: bytes | None
) -> None:
    """Also behind a server that does not say how the address was sent."""
    scope: dict[str, Any] = {"headers": [], "path": ADDRESS.decode(), "raw_path": raw}
    check_headers(scope | {part: largest})
    with pytest.raises(HeadersTooLarge, match="Send"):
        check_headers(scope | {part: larger})


def test_an_error_after_the_answer_has_begun_ends_it_and_adds_no_second_one() -> None:
    async def late(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise TooSlow

    sent: list[Any] = []
    refused: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/v1/decide", "headers": [], "scheme": "http"}
    entrance = Entrance(late, Doors(frozenset({"gate"}), PORTS, doors_of), refused.append)
    with pytest.raises(TooSlow):
        asyncio.run(entrance(scope, None, send))  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert refused == []


@pytest.mark.parametrize(
    ("refusal", "known", "seconds"),
    [
        (TooManyAtOnce(), None, "2"),
        (TooManyAtOnce(), 0.2, "1"),
        (Unavailable(), None, "2"),
        (Unavailable(), 30, "30"),
        (TooSlow(), 7, "7"),
        (TooSlow(), None, None),
    ],
)
def test_who_is_told_to_come_back_and_when(
    refusal: KinwardError, known: float | None, seconds: str | None
) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise refusal

    refusal.retry_after = known
    assert ask(application=application)[1].get("retry-after") == seconds


@pytest.mark.parametrize(
    ("headers", "announced"),
    [
        ({}, False),
        ({b"content-length": b"0"}, False),
        ({b"content-length": b"7"}, True),
        ({b"transfer-encoding": b"chunked"}, True),
        ({b"content-length": b"0", b"transfer-encoding": b"chunked"}, True),
    ],
)
def test_a_body_is_announced_by_its_length_or_in_parts(
    headers: dict[bytes, bytes], announced: bool
) -> None:
    assert has_body(headers) == announced


def test_a_page_at_the_wrong_port_leads_to_the_right_one() -> None:
    status, head, _ = ask("/queue", query_string=b"next=%2F")
    assert (status, head["location"]) == (307, "http://127.0.0.1:8703/queue?next=%2F")
    status, head, _ = ask("/v1/decide", own="console", headers={"host": "[::1]:8703"})
    assert (status, head["location"]) == (307, "http://[::1]:8700/v1/decide")


GUARDED: dict[str, str] = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"path": "/queue"},  # the way to another port
        {"path": "/queue", "headers": {"host": "safety.example"}},  # and no way
        {"headers": {"cookie": "c" * MAX_BYTES}},
    ],
    ids=["an answer", "a way", "no way", "a refusal"],
)
def test_every_answer_has_the_headers_that_guard_browsers(
    more: dict[str, Any], secure: bool
) -> None:
    _, head, _ = ask(**more, secure=secure)
    wanted = dict(GUARDED)
    if secure:
        wanted["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    assert {name: value for name, value in head.items() if name in wanted} == wanted
    assert ("strict-transport-security" in head) == secure


def test_what_an_answer_says_of_itself_stays() -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        own = [(b"Content-Security-Policy", b"own"), (b"Cache-Control", b"max-age=60")]
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body", "body": b""})

    _, head, _ = ask(application=page)
    assert (head["Content-Security-Policy"], head["Cache-Control"]) == ("own", "max-age=60")
    assert not {"content-security-policy", "cache-control"} & head.keys()


def test_each_door_tells_of_its_own_health() -> None:
    assert ask("/healthz", own="console", headers={"host": "127.0.0.1:8703"})[0] == 200


@pytest.mark.parametrize(
    "host", ["safety.example", "safety.example:443", "evil.example\\@x:8700", "a b:8700", ""]
)
def test_behind_a_proxy_only_the_proxy_knows_the_way(host: str) -> None:
    status, head, body = ask("/queue", headers={"host": host})
    assert status == 421
    assert head["kinward-error"] == "door.elsewhere"
    assert "location" not in head
    assert b"send '/queue' to port 8703" in body


def test_an_error_that_an_application_raises_is_answered_in_words() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        raise TooSlow("The limit is 5 seconds.")

    status, _, body = ask(application=slow)
    assert (status, body) == (408, b"The body did not arrive in time. The limit is 5 seconds.\n")
