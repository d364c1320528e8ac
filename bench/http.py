"""Answers a second and their times: connections kept busy with prepared requests."""

import asyncio
import itertools
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence

import httpx
import msgspec

CONNECTIONS = 32


class Measured(msgspec.Struct, frozen=True):
    """What callers met: answers a second, and the times of an answer in milliseconds."""

    rate: float
    p50: float
    p99: float


class _Caller(asyncio.Protocol):
    """One connection. Sends the next request when an answer is complete."""

    def __init__(self, requests: Iterator[bytes], times: list[float]) -> None:
        self._requests, self._times = requests, times
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        request = next(self._requests, None)
        if request is None:
            raise SystemExit("The prepared requests are used up. Prepare more, or measure shorter.")
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        head, end, body = self._waiting.partition(b"\r\n\r\n")
        if not end:
            return
        length = _length(head, body)
        if length is None or len(body) < length:
            return
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            print(self._waiting.decode(errors="replace"), file=sys.stderr)
            raise SystemExit(1)
        self._waiting = body[length:]
        self._times.append(time.perf_counter() - self._began)
        self._ask()


def _length(head: bytes, body: bytes) -> int | None:
    """Return the length of an answer's body, announced or chunked; None if not known yet."""
    announced = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    if announced:
        return int(announced[1])
    end = body.find(b"0\r\n\r\n")
    return None if end < 0 else end + 5


def request(path: str, body: bytes, key: str = "", kind: str = "application/json") -> bytes:
    """Return a request as bytes: a GET if it has no body."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    if not body:
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}\r\n".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
        f"{authorization}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def measure(
    port: int,
    requests: Iterable[bytes],
    seconds: float = 5.0,
    connections: int = CONNECTIONS,
    settle: float = 1.0,
) -> Measured:
    """Measure a warm server. `settle`: seconds that are not counted, at the beginning.

    A generator of requests is asked for one at a time, within the time that is measured.
    """

    async def run() -> Measured:
        loop = asyncio.get_running_loop()
        times, asked = [0.0] * 0, iter(requests)
        transports = [
            (await loop.create_connection(lambda: _Caller(asked, times), "127.0.0.1", port))[0]
            for _ in range(connections)
        ]
        await asyncio.sleep(settle)
        before, began = len(times), time.perf_counter()
        await asyncio.sleep(seconds)
        took, counted = time.perf_counter() - began, sorted(times[before:])
        for transport in transports:
            transport.abort()
        if not counted:
            raise SystemExit(f"No answer within {seconds:g} seconds.")
        at = [counted[int(len(counted) * share)] * 1000 for share in (0.5, 0.99)]
        return Measured(len(counted) / took, *at)

    return asyncio.run(run())


def rate(
    port: int, requests: Sequence[bytes], seconds: float = 5.0, connections: int = CONNECTIONS
) -> float:
    """Measure the answers a second, asking the same requests again and again."""
    return measure(port, itertools.cycle(requests), seconds, connections).rate


def serve(
    interface: str, target: str, port: int, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    """Start granian with one worker, and return once it answers."""
    command = [sys.executable, "-m", "granian", f"--interface={interface}", "--http=1", "--no-ws"]
    command += ["--workers=1", f"--port={port}", "--log-level=warning", target]
    process = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return process
    raise SystemExit(f"{target} did not come up")
