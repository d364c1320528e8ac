"""Request bodies: bounded in size, in time and in slowness, and kept in memory only."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import msgspec

from kinward.entrance.errors import Disconnected, TooLarge, TooSlow
from kinward.ground.text import is_number

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

GRACE: Final = 5.0  # seconds before the minimum rate counts: a phone may lose its network


class Bounds(msgspec.Struct, frozen=True):
    """The bounds of a body: its bytes, the seconds in all, and the bytes a second after `GRACE`."""

    size: int
    seconds: float
    rate: int

    def patience(self, received: int) -> float:
        """Return the second, from the start, until which the next bytes may take.

        >>> Bounds(1000, 60.0, 100).patience(0), Bounds(1000, 60.0, 100).patience(500)
        (5.0, 10.0)
        """
        return min(self.seconds, GRACE + received / self.rate) if self.rate else self.seconds


def refuse_larger(declared: str, size: int) -> None:
    """Raise `TooLarge` if a `Content-Length`, or an empty text, declares a body above `size`."""
    if declared and (not is_number(declared, 12) or int(declared) > size):
        raise TooLarge(f"Send at most {size:,} bytes.")


async def read_body(
    receive: Receive, declared: str, bounds: Bounds, take: Callable[[bytes], object]
) -> None:
    """Pass each chunk of a body to `take`. Raises `TooLarge`, `TooSlow` and `Disconnected`.

    `declared` is the header `Content-Length`. If it is too large, nothing is read.
    """
    refuse_larger(declared, bounds.size)
    began, received = asyncio.get_running_loop().time(), 0
    try:
        async with asyncio.timeout_at(began + bounds.patience(0)) as timeout:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                chunk = message.get("body", b"")
                received += len(chunk)
                if received > bounds.size:
                    raise TooLarge(f"Send at most {bounds.size:,} bytes.")
                take(chunk)
                if not message.get("more_body", False):
                    return
                timeout.reschedule(began + bounds.patience(received))
    except TimeoutError as error:
        rate = f" and {bounds.rate:,} bytes a second" if bounds.rate else ""
        raise TooSlow(f"The limit is {bounds.seconds:g} seconds{rate}.") from error
