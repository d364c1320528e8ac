"""Strangers at the doors of `kinward up`: what one door has to bear costs the others nothing."""

import contextlib
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.story.conftest import Demo
from tests.support import wire
from tests.support.smuggling import CONTRADICTING, exchange, smuggled, statuses

CONNECTIONS, IDLE = 150, 10
PAGES = (
    "account/login/",
    "cases/x/take",
    "banks/search",
    "queue",
    "family/report",
    "family/digest",
)
GATE = (
    "POST /v1/decide",
    "POST /v1/decide/batch",
    "POST /v1/media",
    "POST /v1/media/hashes",
    "POST /v1/text",
    "POST /v1/reports",
    "PUT /v1/accounts/a",
    "POST /m/lookup",
    "POST /h/hash",
    "POST /hma/kw_wrong/m/lookup",
)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("doors")
    for path in (directory, *directory.parents[:2]):
        path.chmod(0o755)
    temporary = directory / "tmp"
    temporary.mkdir(mode=0o777)
    started = Demo(
        directory,
        command="up",
        TMPDIR=str(temporary),
        KINWARD_CONNECTIONS=str(CONNECTIONS),
        KINWARD_IDLE_SECONDS=str(IDLE),
    )
    started.start()
    yield started
    assert started.stop() == 0


@pytest.mark.parametrize("head", CONTRADICTING.values(), ids=CONTRADICTING)
def test_no_request_is_hidden_in_another(up: Demo, head: str) -> None:
    """Each process takes a length that contradicts itself as an error, or answers once and ends."""
    for port in (up.port, console(up), up.port + 4):
        with socket.create_connection(("127.0.0.1", port)) as opened:
            answer = exchange(opened, smuggled(head, "127.0.0.1"))
        assert len(statuses(answer)) == 1, (port, answer)
        assert b"# HELP" not in answer


def console(up: Demo) -> int:
    return up.port + 3


def pages(up: Demo) -> int:
    return up.port + 4


def get(port: int, path: str, timeout: float = 60.0) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=timeout)


def test_one_address_leads_to_every_page(up: Demo) -> None:
    with httpx.Client(
        base_url=up.console, follow_redirects=True, timeout=60, trust_env=False
    ) as http:
        sign_in = http.get("/")
        assert (sign_in.status_code, sign_in.url.port) == (200, console(up))
        safety = http.get("/safety/de")
        assert (safety.status_code, safety.url.port) == (200, pages(up))
        # A form that is sent to the address of another door arrives where it belongs.
        assert http.post("/account/login/", data={"login": "x"}).url.port == console(up)
    for port in (up.port, console(up), pages(up)):
        assert get(port, "/healthz").json() == {"status": "ok"}


def test_pages_full_of_idle_connections_leave_gate_and_console_alone(up: Demo) -> None:
    with wire.idle(pages(up), CONNECTIONS + 50):
        assert get(up.port, "/healthz").status_code == 200
        assert get(console(up), "/account/login/").status_code == 200
        # They are ended, also while they are open at the other end, and then a page comes.
        assert get(pages(up), "/safety/en").status_code == 200


def test_idle_connections_below_the_bound_cost_a_door_nothing(up: Demo) -> None:
    with wire.idle(up.port, 100), wire.idle(console(up), 100), wire.idle(pages(up), 100):
        assert get(up.port, "/healthz").status_code == 200
        assert get(console(up), "/account/login/").status_code == 200
        assert get(pages(up), "/safety/en").status_code == 200


@pytest.mark.parametrize("key", ["", "Bearer kw_wrong"])
def test_without_a_key_the_gate_reads_nothing_beyond_the_head(up: Demo, key: str) -> None:
    for line in GATE:
        more = {"authorization": key} if key else {}
        read, said = wire.is_asked_to_go_on(up.port, line, content_type="application/json", **more)
        assert not read, line
        assert " 401 " in f"{said} ", line


def test_without_a_session_the_pages_read_nothing_beyond_the_head(up: Demo) -> None:
    read = {}
    for page in PAGES:
        port = pages(up) if page.startswith("family") else console(up)
        read[page], _ = wire.is_asked_to_go_on(port, f"POST /{page}")
    assert [page for page in PAGES if read[page]] == ["account/login/", "family/digest"]


def test_a_body_that_is_declared_too_large_is_refused_unread(up: Demo) -> None:
    for port, page in ((console(up), "account/login/"), (pages(up), "family/digest")):
        read, said = wire.is_asked_to_go_on(port, f"POST /{page}", content_length=10**10)
        assert not read
        assert " 413 " in said


def test_a_slow_body_is_ended_and_nobody_waits_for_it(up: Demo) -> None:
    with contextlib.ExitStack() as opened:
        slow = [opened.enter_context(wire.connect(console(up))) for _ in range(50)]
        for connection in slow:
            connection.sendall(wire.head(console(up), "POST /account/login/", content_length=1000))
            connection.sendall(b"l")
        assert get(console(up), "/account/login/").status_code == 200
        assert get(up.port, "/healthz").status_code == 200
        assert " 408 " in wire.answer(slow[0])


def test_a_large_head_is_refused(up: Demo) -> None:
    many = {f"x_{number}": "1" for number in range(80)}
    for port in (up.port, console(up), pages(up)):
        with wire.connect(port) as connection:
            connection.sendall(wire.head(port, "GET /healthz", **many))
            assert " 431 " in wire.answer(connection)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_no_file_holds_a_byte_that_somebody_sends(up: Demo) -> None:
    marked = wire.marker()
    large = marked * (3_000_000 // len(marked))
    key = up.kinward("key", "create", "marked").stdout.strip()
    assert up.process is not None
    process = psutil.Process(up.process.pid)
    with contextlib.ExitStack() as opened:
        sent = []
        for line in (*GATE, *(f"POST /{page}" for page in PAGES)):
            port = up.port
            if line.split("/", 1)[1] in PAGES:
                port = pages(up) if "/family" in line else console(up)
            for declared in ({"content_length": 3_500_000}, {"transfer_encoding": "chunked"}):
                connection = opened.enter_context(wire.connect(port))
                connection.settimeout(2)
                more = {"content_type": "multipart/form-data; boundary=b"} | declared
                more["authorization"] = f"Bearer {key}"
                body = large if "content_length" in declared else b"%x\r\n" % len(large) + large
                with contextlib.suppress(OSError):  # refused while it is still being sent
                    connection.sendall(wire.head(port, line, **more) + body)
                sent.append(connection)
        time.sleep(1)  # on the way to where it would be written
        assert wire.unlinked_files(process) == []
    where = [up.directory, Path("/var/tmp"), Path("/dev/shm")]  # noqa: S108
    assert wire.files_with(marked, *where) == []
