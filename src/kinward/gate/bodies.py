"""The bytes of all request bodies in memory, within one budget for a process.

A body counts with the bytes that have arrived. When the budget is used up, a body that waits makes
room: first one that arrives slowly, then one of the account that has most. Never one that is being
worked on, and never a smaller caller's for a larger one's.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from kinward.entrance import TooSlow
from kinward.gate.limits import AccountLimit, KeyLimit
from kinward.ground.errors import KinwardError
from kinward.ground.turns import Payer
from kinward.media import Busy

SLOW: Final = 5.0  # seconds after which a body that still arrives makes room for others
LEAST_WAIT: Final = 1.0  # seconds


class Body:
    """The bytes of one request, whoever pays for them, and whether they wait."""

    def __init__(self, bodies: "Bodies", key: str, began: float) -> None:
        self._bodies, self.began = bodies, began
        self.payer, self.size = Payer(key), 0
        self.arriving, self.evicted = True, False
        self._timeout: asyncio.Timeout | None = None

    @property
    def waits(self) -> bool:
        """Whether it can make room: it arrives, or waits for its turn."""
        return self._timeout is not None

    def grow(self, count: int) -> None:
        """Count further bytes. Raises `Busy`, `KeyLimit` or `AccountLimit` if there is no room."""
        self._require_place()
        self._bodies.grow(self, count)

    def _require_place(self) -> None:
        """Raise an error if it made room meanwhile: its bytes are counted no more."""
        if self.evicted:
            raise self._error()

    def arrived(self, payer: Payer) -> None:
        """Note that it is complete, and whose it is."""
        self.arriving, self.payer = False, payer

    @contextlib.asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Let it make room for others during this block. Raises an error if it had to."""
        try:
            async with asyncio.timeout(None) as self._timeout:
                yield
                self._require_place()
        except TimeoutError:
            if not self.evicted:
                raise
            raise self._error() from None
        finally:
            self._timeout = None

    def evict(self) -> None:
        """Take its bytes back. What reads it, or waits with it, gets an error."""
        self.evicted, timeout = True, self._timeout
        self._timeout = None
        self._bodies.forget(self)
        if timeout is not None:
            timeout.reschedule(asyncio.get_running_loop().time())

    def _error(self) -> KinwardError:
        error: KinwardError = AccountLimit() if self.payer.account else KeyLimit()
        if self.arriving:
            error = TooSlow("Its memory was needed.")
        error.retry_after = self._bodies.wait(self.payer)
        return error


class Bodies:
    """All bodies of a process: at most `most` bytes. For the event loop only.

    `wait`: returns the seconds that new work of a caller would wait for its turn.
    """

    def __init__(
        self,
        most: int,
        wait: Callable[[Payer], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most, self.used, self._wait = most, 0, wait
        self._clock = clock
        self._all: dict[Body, None] = {}

    @contextlib.contextmanager
    def body(self, key: str) -> Iterator[Body]:
        """Count a body for as long as this block lasts."""
        body = Body(self, key, self._clock())
        self._all[body] = None
        try:
            yield body
        finally:
            self.forget(body)

    def wait(self, payer: Payer) -> float:
        """Return the seconds after which there is probably room for a caller."""
        return max(LEAST_WAIT, self._wait(payer))

    def forget(self, body: Body) -> None:
        """Count a body no more."""
        if body in self._all:
            del self._all[body]
            self.used -= body.size
            body.size = 0

    def grow(self, body: Body, count: int) -> None:
        """Count further bytes of a body, and make room for them."""
        while self.used + count > self.most:
            victim = self._victim(body, body.size + count)
            if victim is None:
                raise self._refusal(body, count)
            victim.evict()
        body.size += count
        self.used += count

    def _victim(self, newcomer: Body, size: int) -> Body | None:
        """Return the body that makes room; None if the newcomer itself has most."""
        now, keys = self._clock(), dict[str, int]()
        for body in self._all:
            keys[body.payer.key] = keys.get(body.payer.key, 0) + body.size
        waiting = [body for body in self._all if body.waits and body is not newcomer and body.size]
        if not waiting:
            return None
        most = max(keys[body.payer.key] for body in waiting)
        if most < keys.get(newcomer.payer.key, 0):
            most = keys[newcomer.payer.key]
        waiting = [body for body in waiting if keys[body.payer.key] == most]
        slow = [body for body in waiting if body.arriving and now - body.began > SLOW]
        if slow:
            return min(slow, key=lambda body: body.began)
        accounts = dict[Payer, int]()
        for body in waiting:
            if not body.arriving:
                accounts[body.payer] = accounts.get(body.payer, 0) + body.size
        if not accounts or max(accounts.values()) < size:
            return None
        largest = max(accounts, key=accounts.__getitem__)
        of_largest = [body for body in waiting if not body.arriving and body.payer == largest]
        return max(of_largest, key=lambda body: body.began)

    def _refusal(self, body: Body, count: int) -> KinwardError:
        keys = {other.payer.key for other in self._all}
        own = sum(other.size for other in self._all if other.payer.key == body.payer.key)
        error: KinwardError = Busy()
        if len(keys) > 1 and own + count > self.most / len(keys):
            error = KeyLimit()
        error.retry_after = self.wait(body.payer)
        return error
