"""Django's handler for the pages: who sends is known first, and a body stays in memory.

Who reads is asked again while an answer leaves: a download ends with the session that began it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Final

import msgspec
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import DatabaseError, InterfaceError, connection
from django.http import parse_cookie

from kinward.entrance.body import Bounds, Receive, Scope, Send, read_body, refuse_larger
from kinward.entrance.budget import Budget
from kinward.entrance.caller import caller_of
from kinward.entrance.errors import Disconnected, Unavailable
from kinward.entrance.layer import send_text
from kinward.entrance.seats import Seats

OF_BODY: Final = {b"content-length", b"content-type", b"transfer-encoding", b"cookie"}
SEND_SECONDS: Final = 30.0  # for a caller to take the next part of a page
ASK_SECONDS: Final = 1.0  # after which the next part of an answer needs its session once more

Cookies = Mapping[str, str]
Admits = Callable[[Cookies], bool]


class PageBounds(msgspec.Struct, frozen=True):
    """The bounds of the forms of a page, and whose forms it takes: anybody's without `admits`.

    Others are sent to the page `instead`, where they can sign in or read why not.
    """

    bounds: Bounds
    admits: Admits | None = None
    instead: str = ""


class PagesHandler(ASGIHandler):
    """Answers pages. `bounds_of` returns the bounds of a path, or None if it takes no body.

    A body without the session that its page needs is not read, and costs next to nothing.
    `reads_of` returns who may read the answer of a path to its end, or None if anybody may.
    """

    def __init__(
        self,
        bounds_of: Callable[[str], PageBounds | None],
        seats: Seats,
        budget: Budget,
        reads_of: Callable[[str], Admits | None] = lambda path: None,
    ) -> None:
        super().__init__()
        self._bounds_of, self._seats, self._budget = bounds_of, seats, budget
        self._reads_of = reads_of

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Admit, read and answer one request."""
        headers = dict(scope["headers"])
        caller, body = caller_of(scope), bytearray()
        page = self._bounds_of(scope["path"]) if has_body(headers) else None
        if page is not None and not await self._admits(page, headers, caller):
            await send_text(send, 303, extra=[(b"location", page.instead.encode())])
            return
        with self._budget.share(caller) as charge:

            def take(chunk: bytes) -> None:
                charge(len(chunk))
                body.extend(chunk)

            if page is not None:
                await read_body(receive, declared_in(headers), page.bounds, take)
            elif has_body(headers):
                scope, receive = without_body(scope), _never
            async with self._seats.seat(caller):
                await self._answer(scope, _Replay(bytes(body), receive), send)

    async def _answer(self, scope: Any, receive: Receive, send: Send) -> None:
        reads, cookies = self._reads_of(scope["path"]), cookies_in(dict(scope["headers"]))
        parts, asked_at = 0, time.monotonic()

        async def sending(message: Any) -> None:
            nonlocal parts, asked_at
            parts += message["type"] == "http.response.body"
            if reads and parts > 1 and time.monotonic() - asked_at >= ASK_SECONDS:
                if not await sync_to_async(_asked)(reads, cookies):
                    raise Disconnected
                asked_at = time.monotonic()
            async with asyncio.timeout(SEND_SECONDS):
                await send(message)

        try:
            await super().handle(scope, receive, sending)
        except TimeoutError as error:
            raise Disconnected from error

    async def _admits(self, page: PageBounds, headers: dict[bytes, bytes], caller: str) -> bool:
        refuse_larger(declared_in(headers), page.bounds.size)
        if page.admits is None:
            return True
        cookies = cookies_in(headers)
        if not cookies:
            return False
        async with self._seats.seat(caller):
            return await sync_to_async(_asked)(page.admits, cookies)

    async def read_body(self, receive: Any) -> BytesIO:
        """Return the body in memory. Django would write a large one to a file, unencrypted."""
        return BytesIO((await receive())["body"])


class _Replay:
    """Gives a body that was read before, and then what the connection gives."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Any:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        while True:  # the bytes that were not read are no news, only the end of the connection is
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return message


def has_body(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a request announces a body."""
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


def without_body(scope: Scope) -> Scope:
    """Return the scope of the same request, of nobody and without a body."""
    headers = [(name, value) for name, value in scope["headers"] if name not in OF_BODY]
    return {**scope, "headers": headers}


def declared_in(headers: Mapping[bytes, bytes]) -> str:
    """Return the header `Content-Length`, or an empty text."""
    return headers.get(b"content-length", b"").decode("latin-1")


def cookies_in(headers: Mapping[bytes, bytes]) -> Cookies:
    """Return the cookies of a request."""
    return parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))


async def _never() -> Any:
    """Wait for ever: to listen for the end of the connection would read the body."""
    await asyncio.Event().wait()


def _asked(admits: Admits, cookies: Cookies) -> bool:
    """Ask, and keep no connection to the database: the body may take its time."""
    try:
        return admits(cookies)
    except (DatabaseError, InterfaceError) as error:
        raise Unavailable from error
    finally:
        if not connection.in_atomic_block:
            connection.close()
