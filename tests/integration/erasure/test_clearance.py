"""What starts while the database is away serves nothing until it knows that it may."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections, transaction

from kinward.access.actor import Actor
from kinward.cli.first_run import check_shown
from kinward.entrance import DOORS
from kinward.erasure import clearance
from kinward.erasure.errors import ErasuresUnknown, ListNeeded
from kinward.erasure.replay import settle_list
from kinward.ledger.api import kinds, record
from kinward.project import asgi
from tests.integration.conftest import Configure

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Actor.operator("root")
SOON = 60.0  # seconds, of a busy machine


class Database:
    """The database of the tests, which can be where nothing listens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def leave(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        connection.close()
        self._patch.setitem(connections.settings["default"], "HOST", "127.0.0.1")
        self._patch.setitem(connections.settings["default"], "PORT", port)

    def come_back(self) -> None:
        self._patch.undo()


@pytest.fixture
def database(configure: Configure) -> Iterator[Database]:
    configure(identifier_key="a key of a test")
    with transaction.atomic():
        fact = kinds.BackupRestored(origin="o", size=1, root="", lines=0, last="")
        record(actor=ROOT, subject="backup:x", fact=fact)
    with pytest.MonkeyPatch.context() as patch:
        yield Database(patch)


def ask(application: Any, path: str) -> tuple[int, dict[bytes, bytes], str]:
    """Send a request without a body; return the status, headers and text of the answer."""
    sent: list[Any] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return sent[0]["status"], dict(sent[0]["headers"]), text


def until(application: Any, path: str, said: str, status: int) -> str:
    """Ask until the answer is another one; return its text."""
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        got, _, text = ask(application, path)
        if got == status and said in text:
            return text
        time.sleep(clearance.PAUSE)
    raise AssertionError(f"{got} {text}")


@pytest.mark.parametrize("doors", [{"gate"}, {"console", "pages"}, set(DOORS)], ids=len)
def test_what_starts_without_a_database_asks_until_it_knows(
    database: Database, monkeypatch: pytest.MonkeyPatch, doors: Any
) -> None:
    monkeypatch.setattr(clearance, "PAUSE", 0.02)
    paths = ["/v1/nothing"] if "gate" in doors else ["/queue", "/safety"]
    database.leave()
    application = asgi.build(frozenset(doors))
    for path in paths:
        status, headers, text = ask(application, path)
        assert (status, headers[b"retry-after"]) == (503, b"2")
        assert headers[b"kinward-error"] == b"erasure.unknown"
        assert "nobody knows yet whether erasures wait" in text
    database.come_back()
    for path in paths:
        until(application, path, "--no-list", 503)
    settle_list(actor=ROOT, why="Nobody was ever erased.")
    if "gate" in doors:
        until(application, "/v1/nothing", "No endpoint", 404)


def test_a_command_that_would_show_data_shows_none_without_an_answer(database: Database) -> None:
    database.leave()
    with pytest.raises(ErasuresUnknown):
        check_shown()
    database.come_back()
    with pytest.raises(ListNeeded):
        check_shown()
    settle_list(actor=ROOT, why="Nobody was ever erased.")
    check_shown()


def test_a_worker_waits_for_the_answer(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            database.come_back()

    monkeypatch.setattr("kinward.erasure.clearance.time.sleep", pause)
    database.leave()
    with pytest.raises(ListNeeded):
        clearance.wait_until_known()
    assert len(pauses) == 2
