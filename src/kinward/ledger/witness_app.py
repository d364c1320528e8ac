"""The server of a witness: `POST /add-checkpoint` and `GET /<SHA-256 of the origin>/checkpoint`.

It runs beside Kinward or without it, and needs no database. `kinward witness serve` starts it.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from kinward.entrance import (
    Bounds,
    Budget,
    Entrance,
    Receive,
    Scope,
    Seats,
    Send,
    caller_of,
    read_body,
)
from kinward.ground.config import config
from kinward.ledger.witness import MAX_REQUEST, Witness, WitnessAnswer
from kinward.ledger.witness_store import WitnessFolder

FOLDER: Final = "witness"  # below the data directory
BODY: Final = Bounds(MAX_REQUEST, 15.0, 16 * 1024)
AT_A_TIME: Final = 8
OF_ONE: Final = 2  # requests of one address
SEAT_SECONDS: Final = 10.0
BODIES: Final = 32 * 1024 * 1024  # bytes that have not arrived entirely …
BODIES_OF_ONE: Final = 1024 * 1024  # … and those of one address

_CHECKPOINT: Final = re.compile(r"/([0-9a-f]{64})/checkpoint", re.ASCII)


def witness_folder() -> WitnessFolder:
    """Return the folder of this installation's witness."""
    return WitnessFolder(config().data_dir / FOLDER)


class WitnessServer:
    """The ASGI application, behind the entrance."""

    def __init__(self, folder: WitnessFolder) -> None:
        self._folder = folder
        self._seats = Seats(total=AT_A_TIME, each=OF_ONE, seconds=SEAT_SECONDS)
        self._bodies = Budget(total=BODIES, each=BODIES_OF_ONE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await _send(send, await self._answer(scope, receive), is_head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive) -> WitnessAnswer:
        path, method = scope["path"], scope["method"]
        asked = _CHECKPOINT.fullmatch(path)
        if asked and method in {"GET", "HEAD"}:
            return await self._ask(scope, lambda witness: witness.checkpoint(asked[1]))
        if path == "/add-checkpoint" and method == "POST":
            body = await self._body(scope, receive)
            return await self._ask(scope, lambda witness: witness.add_checkpoint(body))
        if asked or path == "/add-checkpoint":
            return WitnessAnswer(405, "This address takes another method.\n")
        return WitnessAnswer(404, "A witness answers /add-checkpoint and /…/checkpoint.\n")

    async def _ask(
        self, scope: Scope, question: Callable[[Witness], WitnessAnswer]
    ) -> WitnessAnswer:
        def ask() -> WitnessAnswer:
            with self._folder.open() as witness:
                return question(witness)

        async with self._seats.seat(caller_of(scope)):
            return await asyncio.to_thread(ask)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"").decode("latin-1")
        body = bytearray()
        with self._bodies.share(caller_of(scope)) as take:

            def keep(chunk: bytes) -> None:
                take(len(chunk))
                body.extend(chunk)

            await read_body(receive, declared, BODY, keep)
            return bytes(body)


async def _send(send: Send, answer: WitnessAnswer, *, is_head: bool) -> None:
    body = answer.body.encode()
    headers = [
        (b"content-type", answer.type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if answer.status == 405:
        headers.append((b"allow", b"GET, HEAD, POST"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else body})


def build(folder: Path | None = None) -> Entrance:
    """Return the application of a process."""
    return Entrance(WitnessServer(WitnessFolder(folder) if folder else witness_folder()))


def __getattr__(name: str) -> Entrance:
    """Build the application when the server asks for it."""
    if name != "application":
        raise AttributeError(name)
    return build()
