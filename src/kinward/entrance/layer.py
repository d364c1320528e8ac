"""The layer before every application: it reads the head of a request, and nothing else."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from kinward.entrance.body import Receive, Scope, Send
from kinward.entrance.doors import Doors
from kinward.entrance.errors import Disconnected, HeadersTooLarge, retry_after
from kinward.entrance.headers import guarded
from kinward.ground.errors import KinwardError

MAX_BYTES: Final = 32 * 1024  # bytes of all headers
MAX_HEADERS: Final = 64
MAX_TARGET: Final = 8 * 1024  # bytes of path and query
CODE: Final = b"kinward-error"  # the header with the error's code, where the body is text


class Entrance:
    """The application of one process: it refuses a large head, and shows the way to other doors.

    `refused` is called with the code of each error that it answers. A server that is no door of
    Kinward has no `doors`. Each answer has the headers that guard browsers, also if the application
    forgets them. `secure`: people come by https.
    """

    def __init__(
        self,
        application: Any,
        doors: Doors | None = None,
        refused: Callable[[str], object] = str,
        *,
        secure: bool = False,
    ) -> None:
        self._application, self._doors, self._refused = application, doors, refused
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = False

        async def sending(message: Any) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.start":
                headers = guarded(message.get("headers", ()), secure=self._secure)
                message = {**message, "headers": headers}
            await send(message)

        try:
            check_headers(scope)
            way = self._doors.way(scope) if self._doors else None
            if way is not None:
                await send_text(sending, 307, extra=[(b"location", way.encode("latin-1"))])
                return
            await self._application(scope, receive, sending)
        except Disconnected:
            pass
        except KinwardError as error:
            if started:
                raise
            self._refused(error.code)
            await refuse(sending, error)


def check_headers(scope: Scope) -> None:
    """Raise `HeadersTooLarge` if the headers or the address of a request are too large."""
    headers = scope["headers"]
    if len(headers) > MAX_HEADERS:
        raise HeadersTooLarge(f"Send at most {MAX_HEADERS} headers.")
    if sum(len(name) + len(value) for name, value in headers) > MAX_BYTES:
        raise HeadersTooLarge(f"Send headers of at most {MAX_BYTES:,} bytes.")
    target = scope.get("raw_path") or scope["path"].encode()
    if len(target) + len(scope.get("query_string", b"")) > MAX_TARGET:
        raise HeadersTooLarge(f"Send an address of at most {MAX_TARGET:,} bytes.")


async def refuse(send: Send, error: KinwardError) -> None:
    """Answer with an error as plain text, for a browser and an app alike."""
    extra = [(CODE, error.code.encode())]
    if (seconds := retry_after(error)) is not None:
        extra.append((b"retry-after", str(seconds).encode()))
    await send_text(send, error.status, f"{error}\n", extra)


async def send_text(
    send: Send, status: int, text: str = "", extra: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    """Answer with plain text, or with headers alone."""
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
