"""Strangers in numbers: idle connections, slow uploads, slow bodies to every page, costly films.

`python -m tests.doors.crowd` reads one JSON document that says who comes. It goes home when its
input ends, and writes how often each answer was given.
"""

import asyncio
import contextlib
import json
import random
import struct
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

from kinward.ground.priority import step_back
from tests.support.wire import head

BOUNDARY: Final = "kinward-doors"
RATE: Final = 2048  # bytes a second of a slow upload: slow, but no slower than is allowed


def form(file: bytes, **fields: str) -> bytes:
    """A multipart form with a file."""
    parts = [
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in fields.items()
    ]
    named = 'form-data; name="file"; filename="f"'
    parts.append(f"--{BOUNDARY}\r\ncontent-disposition: {named}\r\n\r\n".encode())
    return b"".join(parts) + file + f"\r\n--{BOUNDARY}--\r\n".encode()


class Crowd:
    """Tasks that come back as soon as they are refused, until the crowd is sent home."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self._tasks: list[asyncio.Task[None]] = []

    def send(self, each: Iterable[Callable[[], Coroutine[Any, Any, str]]]) -> None:
        """Have each of them try again and again, and count the answers."""
        self._tasks += [asyncio.create_task(self._again(one)) for one in each]

    async def go_home(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _again(self, one: Callable[[], Coroutine[Any, Any, str]]) -> None:
        await asyncio.sleep(random.random())
        while True:
            try:
                self.answers[await one()] += 1
            except (OSError, asyncio.IncompleteReadError) as error:
                self.answers[type(error).__name__] += 1
            await asyncio.sleep(0.5 + random.random())


async def stay_idle(port: int) -> str:
    """Connect, say nothing, and stay until the server ends it."""
    async with _open(port) as (reader, _):
        await reader.read(1)
    return f"idle at {port}: ended"


async def send_slowly(port: int, line: str, body: bytes, *, rate: int, **headers: object) -> str:
    """Send a body at so many bytes a second; returns the answer."""
    async with _open(port) as (reader, writer):
        writer.write(head(port, line, content_length=len(body), **headers))
        answer = asyncio.create_task(reader.readline())
        try:
            for start in range(0, len(body), rate):
                if answer.done():
                    break
                writer.write(body[start : start + rate])
                await asyncio.wait([answer], timeout=1)
            return f"{line}: {_status(await answer)}"
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)


async def upload(port: int, key: str, account: str, file: bytes, *, rate: int = 0) -> str:
    """Upload a file for an account, at once or slowly; returns the answer."""
    body = form(file, account_id=account, content_id=f"{account}-{random.random()}")
    headers = {
        "authorization": f"Bearer {key}",
        "content_type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    return await send_slowly(port, "POST /v1/media", body, rate=rate or len(body), **headers)


@contextlib.asynccontextmanager
async def _open(port: int) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _status(line: bytes) -> str:
    return line.decode("latin-1").split(" ")[1] if b" " in line else "closed"


def another(film: bytes, number: int) -> bytes:
    """The same film as another file."""
    return film + struct.pack(">I4sQ", 16, b"free", number)


async def main() -> None:
    chosen = json.loads(sys.stdin.readline())
    gate, key, size = chosen["ports"]["gate"], chosen["key"], chosen["size"]
    marked, film = chosen["marker"].encode(), Path(chosen["film"]).read_bytes()
    crowd = Crowd()
    for port in chosen["ports"].values():
        crowd.send(partial(stay_idle, port) for _ in range(size["idle"]))
    slow = marked * (200_000 // len(marked))
    crowd.send(
        partial(upload, gate, key, f"slow-{number}", slow, rate=RATE)
        for number in range(size["slow"])
    )
    for door, addresses in chosen["addresses"].items():
        for address in addresses:
            body = partial(
                send_slowly, chosen["ports"][door], f"POST {address}", marked * 50, rate=1
            )
            crowd.send(body for _ in range(size["bodies"]))
    crowd.send(
        partial(upload, gate, key, "films", another(film, number))
        for number in range(size["films"])
    )
    await asyncio.to_thread(sys.stdin.read)
    await crowd.go_home()
    json.dump(dict(crowd.answers), sys.stdout)


if __name__ == "__main__":
    step_back(10)  # as if on another machine
    asyncio.run(main())
