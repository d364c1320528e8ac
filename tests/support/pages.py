"""The pages as the server calls them: a body, a scope, and a page that is read in parts."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.test import Client

from kinward.entrance import Budget, Disconnected, Seats
from kinward.entrance.api import PageBounds, PagesHandler
from kinward.portal.api import is_for_portal, portal_bounds
from kinward.web.api import console_bounds
from kinward.web.doors import console_reader


def bounds_of(path: str) -> PageBounds | None:
    return portal_bounds(path) if is_for_portal(path) else console_bounds(path)


class Body:
    """A body that counts how often it is asked for."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.asked = list(chunks), 0

    async def __call__(self) -> Any:
        self.asked += 1
        if self.chunks:
            body = self.chunks.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self.chunks)}
        return await asyncio.Event().wait()


def scope_of(
    path: str, headers: Mapping[str, str] | None = None, method: str = "POST"
) -> dict[str, Any]:
    given = {"host": "localhost"} | dict(headers or {})
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8703),
    }


def page_in_parts(client: Client, meanwhile: Callable[[], object]) -> tuple[int, int]:
    """Read a long page; return its parts that came, and of how many. After the first: meanwhile."""
    whole = len(client.get("/staff").content)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    came: list[bytes] = []

    def act() -> None:
        meanwhile()
        connection.close()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body" and message["body"]:
            came.append(message["body"])
            if len(came) == 1:
                await sync_to_async(act)()

    async def run() -> None:
        seats, budget = Seats(total=4, each=4, seconds=60), Budget(total=10**8, each=10**8)
        handler = PagesHandler(bounds_of, seats, budget, console_reader)
        scope = scope_of("/staff", {"cookie": cookie}, method="GET")
        with contextlib.suppress(Disconnected):
            await handler(scope, Body(b""), send)

    asyncio.run(run())
    return len(came), -(-whole // len(came[0]))
