"""Requests a second: connections kept busy with prepared requests, whose answers are counted."""

import asyncio
import itertools
import re
import subprocess
import sys
import time
from collections.abc import Sequence

import httpx

CONNECTIONS = 32


class _Caller(asyncio.Protocol):
    """One connection. Sends the next request when an answer is complete."""

    def __init__(self, requests: "itertools.cycle[bytes]", counts: list[int]) -> None:
        self._requests, self._counts = requests, counts
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        head, end, body = self._waiting.partition(b"\r\n\r\n")
        if not end:
            return
        assert head.startswith(b"HTTP/1.1 200"), self._waiting[:300]
        length = _length(head, body)
        if length is None or len(body) < length:
            return
        self._waiting = body[length:]
        self._counts[0] += 1
        self._transport.write(next(self._requests))


def _length(head: bytes, body: bytes) -> int | None:
    """Return the length of an answer's body, announced or chunked; None if not known yet."""
    announced = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    if announced:
        return int(announced[1])
    end = body.find(b"0\r\n\r\n")
    return None if end < 0 else end + 5


def request(path: str, body: bytes, key: str = "") -> bytes:
    """Return a request as bytes."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{authorization}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def rate(
    port: int, requests: Sequence[bytes], seconds: float = 5.0, connections: int = CONNECTIONS
) -> float:
    """Measure the answers a second of a warm server."""

    async def run() -> float:
        loop = asyncio.get_running_loop()
        counts, cycle = [0], itertools.cycle(requests)
        transports = [
            (await loop.create_connection(lambda: _Caller(cycle, counts), "127.0.0.1", port))[0]
            for _ in range(connections)
        ]
        await asyncio.sleep(1)
        before, began = counts[0], time.perf_counter()
        await asyncio.sleep(seconds)
        answers = (counts[0] - before) / (time.perf_counter() - began)
        for transport in transports:
            transport.abort()
        return answers

    return asyncio.run(run())


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
