"""How many calls a key, an account and an address may make, and the headers that tell.

Each process counts by itself. Who keeps below a limit is never refused by it.
"""

import heapq
import math
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from kinward.ground.errors import KinwardError

KEY_WINDOW: Final = 10  # seconds
MINUTE: Final = 60  # seconds
MAX_KNOWN: Final = 100_000  # callers of a limit that are remembered

Header = tuple[bytes, bytes]


class KeyLimit(KinwardError):
    """This API key sends more than its share. Wait as long as `Retry-After` says."""

    code = "limit.key"
    status = 429


class AccountLimit(KinwardError):
    """This account sends more than its share. Wait as long as `Retry-After` says."""

    code = "limit.account"
    status = 429


class AddressLimit(KinwardError):
    """Too many calls without a valid API key came from this address. Correct the key, and wait."""

    code = "limit.address"
    status = 429


class Standing(msgspec.Struct, frozen=True):
    """What is left of a limit: its name, the calls left, and the seconds until it is whole."""

    name: str
    left: int
    seconds: int

    @property
    def field(self) -> str:
        """This as a member of the header `RateLimit`."""
        return f'"{self.name}";r={self.left};t={self.seconds}'


class Limit:
    """At most `quota` calls of one caller in `window` seconds, refilled evenly. 0: no limit.

    For the event loop only.
    """

    def __init__(
        self,
        name: str,
        error: type[KinwardError],
        *,
        quota: int,
        window: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.quota, self.window = name, quota, window
        self._error, self._clock = error, clock
        self._step = window / quota if quota else 0.0
        self._full_at: dict[str, float] = {}  # when a caller's quota is whole again

    @property
    def policy(self) -> str:
        """This as a member of the header `RateLimit-Policy`."""
        return f'"{self.name}";q={self.quota};w={self.window}'

    def take(self, caller: str) -> Standing:
        """Count a call. Raises this limit's error if the caller has none left."""
        now = self._clock()
        full_at = max(now, self._full_at.get(caller, now)) + self._step
        over = full_at - now - self.window
        if over > self._step * 1e-6:
            error = self._error()
            error.retry_after = over
            raise error
        if len(self._full_at) >= MAX_KNOWN and caller not in self._full_at:
            self._forget(now)
        self._full_at[caller] = full_at
        return self._standing(full_at - now)

    def owe(self, caller: str, count: int) -> None:
        """Count further calls at once, also more than are left, so that a large one is possible.

        The caller then waits until it has paid. Raises this limit's error if it owes already.
        """
        if count <= 0 or not self.quota:
            return
        now = self._clock()
        full_at = max(now, self._full_at.get(caller, now))
        over = full_at - now - self.window
        if over > self._step * 1e-6:
            error = self._error()
            error.retry_after = over + self._step
            raise error
        if len(self._full_at) >= MAX_KNOWN and caller not in self._full_at:
            self._forget(now)
        self._full_at[caller] = full_at + count * self._step

    def is_spent(self, caller: str) -> bool:
        """Return whether a caller has no call left. Counts nothing."""
        spent = self._full_at.get(caller, 0.0) + self._step - self._clock() - self.window
        return bool(self.quota) and spent > self._step * 1e-6

    def standing(self, caller: str) -> Standing:
        """Return what is left for a caller. Counts nothing."""
        return self._standing(max(0.0, self._full_at.get(caller, 0.0) - self._clock()))

    def _standing(self, used: float) -> Standing:
        left = int((self.window - used) / self._step + 1e-6) if self.quota else 0
        return Standing(self.name, max(0, left), math.ceil(used))

    def _forget(self, now: float) -> None:
        """Forget those whose quota is whole, and else the tenth that has used least of it.

        A tenth, so that a crowd does not cost a look at everybody for each newcomer.
        """
        self._full_at = {name: at for name, at in self._full_at.items() if at > now}
        if len(self._full_at) >= MAX_KNOWN:
            least = heapq.nsmallest(MAX_KNOWN // 10, self._full_at, key=self._full_at.__getitem__)
            for name in least:
                del self._full_at[name]


def headers_of(limits: Sequence[tuple[Limit, Standing]]) -> list[Header]:
    """Return the headers `RateLimit` and `RateLimit-Policy`, as the IETF's draft has them."""
    counted = [(limit, standing) for limit, standing in limits if limit.quota]
    if not counted:
        return []
    policies = ", ".join(limit.policy for limit, _ in counted)
    standings = ", ".join(standing.field for _, standing in counted)
    return [
        (b"ratelimit-policy", policies.encode()),
        (b"ratelimit", standings.encode()),
    ]
