"""nginx and Caddy by the files of the docs: routes, addresses, bounds, and nothing on disk."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kinward.gate.http import FORM_OVERHEAD
from kinward.ground.addresses import client_address, trusted_networks
from kinward.ground.config import Config
from tests.doors.proxies import FILES, NAME, Front, Upstream, running, status
from tests.support.smuggling import CONTRADICTING, POSTED, exchange, smuggled, statuses

TRUSTED = trusted_networks("127.0.0.1, ::1")
MARKER = b"marker-of-an-upload-4711-"
# Caddy as Debian builds it counts nothing by address: Kinward does.
COUNTS = pytest.mark.parametrize("front", ["nginx"], indirect=True, scope="module")
KEY = "kw_" + "a-B_3" * 8
PATHS = {
    "/": "console",
    "/queue": "console",
    "/account/login/": "console",
    "/static/web/console.css": "console",
    "/family": "pages",
    "/family/enter/secret": "pages",
    "/safety/de": "pages",
    "/v1/decide": "gate",
    "/v1/accounts/%40ann%2Fb": "gate",
    "/m/lookup": "gate",
    "//c/banks": "gate",
    "/hma/key/m/lookup": "gate",
    "/transparency/checkpoint": "gate",
    "/scim/v2/Users": "gate",
    "/healthz": "gate",
}


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def front(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    directory = tmp_path_factory.mktemp(request.param)
    for parent in directory.parents[:2]:
        parent.chmod(0o755)
    upstreams = {door: Upstream(door) for door in ("gate", "console", "pages")}
    ports = {door: upstream.port for door, upstream in upstreams.items()}
    with running(request.param, directory, ports) as started:
        started.upstreams = upstreams
        yield started
    for upstream in upstreams.values():
        upstream.server.shutdown()
        upstream.server.server_close()


@pytest.fixture(autouse=True)
def _fresh(front: Front) -> Iterator[None]:
    for upstream in front.upstreams.values():
        upstream.heads.clear()
        upstream.received, upstream.answer = 0, b"x"
        upstream.first_bytes.clear()
        upstream.go_on.set()
    yield
    for upstream in front.upstreams.values():
        upstream.go_on.set()


@pytest.mark.parametrize(("path", "door"), PATHS.items())
def test_each_path_reaches_its_process(front: Front, path: str, door: str) -> None:
    assert front.get(path, "127.0.0.20").headers["kinward-door"] == door
    ((arrived, _),) = front.upstreams[door].heads
    assert arrived == path


@pytest.mark.parametrize(("path", "door"), PATHS.items())
def test_by_http_a_program_gets_an_error_and_a_browser_is_led_to_https(
    front: Front, path: str, door: str
) -> None:
    answer = front.get_plain(path, "127.0.0.23", Authorization=f"Bearer {KEY}")
    if door == "gate":
        assert (answer.status_code, answer.headers.get("location")) == (403, None)
    else:
        led = (answer.status_code, answer.headers["location"])
        assert led == (308, f"https://{NAME}{path}")
    assert not any(upstream.heads for upstream in front.upstreams.values())


@pytest.mark.parametrize("head", CONTRADICTING.values(), ids=CONTRADICTING)
def test_no_request_is_hidden_in_another(front: Front, head: str) -> None:
    """Whatever a proxy makes of two lengths, it and the process behind it agree on one."""
    with front.connect("127.0.0.24") as opened:
        answers = exchange(opened, smuggled(head, NAME))
    arrived = [path for upstream in front.upstreams.values() for path, _ in upstream.heads]
    assert all(path == POSTED for path in arrived), arrived
    assert len(arrived) <= 1
    assert statuses(answers)[1:] in ([], [404]), "the proxy itself answers what follows"
    for upstream in front.upstreams.values():
        for _, headers in upstream.heads:
            named = [*headers.get("content-length", []), *headers.get("transfer-encoding", [])]
            assert len(named) <= 1, named


def test_metrics_are_not_for_the_public(front: Front) -> None:
    for path in ("/metrics", "/%6detrics", "/v1/../metrics"):
        assert front.get(path, "127.0.0.21").status_code == 404
    assert not any(upstream.heads for upstream in front.upstreams.values())


def test_kinward_learns_the_callers_own_address_and_no_other(front: Front) -> None:
    front.get(
        "/v1/decide",
        "127.0.0.22",
        X_Forwarded_For="10.0.0.1, 192.0.2.1",
        X_Forwarded_Proto="http",
        Forwarded="for=192.0.2.1",
    )
    ((_, headers),) = front.upstreams["gate"].heads
    assert headers["x-forwarded-for"] == ["127.0.0.22"]
    assert headers["x-forwarded-proto"] == ["https"]
    assert headers["host"] == ["safety.example.org"]
    assert "forwarded" not in headers
    assert client_address("127.0.0.1", headers["x-forwarded-for"], TRUSTED) == "127.0.0.22"


@pytest.mark.skipif(not socket.has_ipv6, reason="without IPv6")
def test_an_ipv6_caller_keeps_its_address(front: Front) -> None:
    with front.connect("::1", "::1") as opened:
        front.send_head(opened, "GET /safety/en")
        assert status(opened) == 200
    ((_, headers),) = front.upstreams["pages"].heads
    assert client_address("127.0.0.1", headers["x-forwarded-for"], TRUSTED) == "::1"


@pytest.mark.parametrize(
    ("path", "door", "most"),
    [
        ("/v1/media", "gate", Config().max_body + FORM_OVERHEAD),
        ("/banks/search", "console", 2_621_440 + 64 * 1024),
        ("/family/report", "pages", 128 * 1024),
    ],
)
def test_a_body_above_the_bound_is_refused_and_one_within_is_not(
    front: Front, path: str, door: str, most: int
) -> None:
    with front.connect("127.0.0.23") as opened:
        front.send_head(opened, f"POST {path}", Content_Length=most + 1)
        with contextlib.suppress(OSError):
            for _ in range(most // 65536 + 2):
                opened.sendall(bytes(65536))
        # A proxy may end the connection while the body still arrives, before its answer is read.
        # Caddy 2.6 calls it a fault of the process behind it, which in truth answers at the head.
        assert status(opened) in ((0, 413) if front.kind == "nginx" else (0, 413, 502))
    assert front.upstreams[door].received <= most
    with front.connect("127.0.0.23") as opened:
        front.send_head(opened, f"POST {path}", Content_Length=most)
        opened.sendall(bytes(most))
        assert status(opened) == 200


def test_the_bounds_are_those_of_kinward() -> None:
    numbers = {Config().max_body + FORM_OVERHEAD, 2_621_440 + 64 * 1024, 128 * 1024}
    nginx = (FILES / "nginx.conf").read_text()
    assert set(map(int, re.findall(r"client_max_body_size (\d+)", nginx))) == numbers | {64 * 1024}
    caddy = (FILES / "Caddyfile").read_text()
    assert set(map(int, re.findall(r"max_size (\d+)", caddy))) == numbers


def test_an_upload_flows_through_and_never_lies_on_the_disk(front: Front) -> None:
    gate = front.upstreams["gate"]
    gate.go_on.clear()
    body = MARKER * 160_000
    with front.connect("127.0.0.24") as opened:
        front.send_head(opened, "POST /v1/media", Content_Length=len(body))
        opened.sendall(body[:100_000])
        assert gate.first_bytes.wait(30), "the first bytes arrive before the last are sent"
        opened.settimeout(2)
        with contextlib.suppress(OSError):  # nobody reads on, so the proxy must not, either
            opened.sendall(body[100_000:])
        assert not files_with(MARKER, front)
        gate.go_on.set()


def test_what_staff_look_at_never_lies_on_the_disk(front: Front) -> None:
    console = front.upstreams["console"]
    console.answer = MARKER * 400_000
    with front.connect("127.0.0.25") as opened:
        front.send_head(opened, "GET /cases/x")
        assert opened.recv(100)
        assert not files_with(MARKER, front)


def files_with(needle: bytes, front: Front) -> list[str]:
    """The files of the proxy that have these bytes, also those without a name."""
    found = [path for path in front.directory.rglob("*") if path.is_file()]
    proxy = psutil.Process(front.pid)
    for process in (proxy, *proxy.children(recursive=True)):
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(link.readlink()).startswith("/") and link.stat().st_mode & 0o100000:
                    found.append(link)
    return [str(path) for path in found if path.is_file() and needle in path.read_bytes()]


def test_a_caller_that_never_ends_its_head_is_let_go(front: Front) -> None:
    with front.connect("127.0.0.26") as opened:
        opened.settimeout(60)
        opened.sendall(b"GET / HTTP/1.1\r\nHost: safety.example.org\r\nX-Slow: ")
        assert status(opened) in (0, 408)
    assert not front.upstreams["console"].heads


@COUNTS
def test_one_address_has_its_share_of_connections(front: Front) -> None:
    front.upstreams["pages"].go_on.clear()
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            opened = stack.enter_context(front.connect("127.0.0.27"))
            front.send_head(opened, "GET /family/now")
            time.sleep(0.1)  # slower than the rate, so that only the connections count
        until = time.monotonic() + 30
        while len(front.upstreams["pages"].heads) < 64 and time.monotonic() < until:
            time.sleep(0.05)
        refused = front.get("/queue", "127.0.0.27")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
        assert front.get("/queue", "127.0.0.28").status_code == 200


@COUNTS
def test_who_asks_too_often_without_a_key_waits_and_nobody_else(front: Front) -> None:
    answers = at_once(front, "127.0.0.29", "/v1/accounts/a")
    refused = front.get("/v1/accounts/a", "127.0.0.29")
    assert 429 in answers
    assert refused.status_code == 200 or refused.headers["retry-after"] == "2"
    assert front.get("/v1/accounts/a", "127.0.0.30").status_code == 200
    key = {"Authorization": "Bearer kw_key"}
    with_key = [front.get("/v1/decide", "127.0.0.29", **key).status_code for _ in range(60)]
    assert with_key == [200] * 60
    for path in (f"/hma/{KEY}/m/lookup", f"//hma//{KEY}/h/hash"):
        assert set(at_once(front, "127.0.0.31", path)) == {200}, "the key is in the path"
    for source, path in enumerate(
        ("/hma/x/m/lookup", f"/hma/{KEY}/c/banks", f"/hma/{KEY}/x/m"), 32
    ):
        assert 429 in at_once(front, f"127.0.0.{source}", path), "HMA does not serve it"


def at_once(front: Front, address: str, path: str) -> list[int]:
    """The first answers of 60 connections, each of which asks four times."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(front.connect(address)) for _ in range(60)]
        for _ in range(4):
            for opened in held:
                with contextlib.suppress(OSError):
                    front.send_head(opened, f"GET {path}")
        return [status(opened) for opened in held]
