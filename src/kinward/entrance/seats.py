"""Seats: how many requests are worked on at a time, in all and of one address."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from kinward.entrance.errors import TooManyAtOnce

IN_LINE: Final = 64  # requests of one address that may wait for each one that is worked on


class _Line:
    """The requests of one address."""

    __slots__ = ("present", "seats")

    def __init__(self, each: int) -> None:
        self.seats = asyncio.Semaphore(each)
        self.present = 0


class Seats:
    """Seats for `total` requests at a time, and for `each` of one address. Others wait in line.

    An address stands in the common line with `each` requests at most, so a crowd from one address
    is never more than `each` ahead of the next caller. A request waits for `seconds` at most.
    """

    def __init__(self, *, total: int, each: int, seconds: float) -> None:
        self._all = asyncio.Semaphore(total)
        self._each, self._seconds = each, seconds
        self._lines: dict[str, _Line] = {}

    @contextlib.asynccontextmanager
    async def seat(self, address: str) -> AsyncIterator[None]:
        """Hold a seat for a request of an address. Raises `TooManyAtOnce`."""
        line = self._lines.setdefault(address, _Line(self._each))
        if line.present >= self._each * (1 + IN_LINE):
            raise self._refusal(f"{line.present} requests of your address are waiting.")
        line.present += 1
        try:
            async with contextlib.AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(self._seconds):
                        await held.enter_async_context(line.seats)
                        await held.enter_async_context(self._all)
                except TimeoutError as error:
                    raise self._refusal(f"It waited for {self._seconds:g} seconds.") from error
                yield
        finally:
            line.present -= 1
            if not line.present:
                del self._lines[address]

    def _refusal(self, detail: str) -> TooManyAtOnce:
        """Return the error of a full line: as long as others have waited, it is no use to come."""
        error = TooManyAtOnce(detail)
        error.retry_after = self._seconds
        return error
