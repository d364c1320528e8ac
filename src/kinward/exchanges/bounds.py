"""The bounds of one sync, and what it had to skip."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any, Final

import msgspec

from kinward.ground.calls_out import Caller
from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.ground.text import storable

MAX_EXAMPLES: Final = 20  # of skipped records that are kept
MAX_NAME: Final = 120
MAX_REASON: Final = 200


class FeedUnreadable(KinwardError):
    """The partner's page is not in the form that was agreed. The next sync tries it again."""

    code = "exchange.feed_unreadable"
    status = 502


class FeedRepeats(KinwardError):
    """The partner sends a sync back to a page that it has read already. Tell the partner."""

    code = "exchange.feed_repeats"
    status = 502


class SyncBounded(KinwardError):
    """The sync reached a limit. What was read is kept, and the next sync continues from there."""

    code = "exchange.sync_bounded"
    status = 502


class Skipped(msgspec.Struct, kw_only=True):
    """Records of a feed that could not be read.

    `unnamed`: those without a key, so that nobody knows which hashes they were about. `examples`:
    the names and faults of the first few.
    """

    count: int = 0
    unnamed: int = 0
    examples: list[tuple[str, str]] = []


class Reading:
    """One sync: its limits, the pages that it has seen, and the records that it skipped.

    `address`: the partner's own, which each call must keep to; empty for an extension's, which may
    call any public host. `named`: hosts in the operator's configuration. `ends`: the moment of
    `time.monotonic` at which it ends; by default after the seconds of a setting.
    """

    def __init__(
        self,
        *,
        address: str = "",
        named: frozenset[str] = frozenset(),
        ends: float | None = None,
    ) -> None:
        self.address, self.named = address, named
        self.pages = self.records = self.bytes = 0
        self.skipped = Skipped()
        self.doubtful: set[Any] = set()
        self.caller: Caller | None = None
        self.ends = monotonic() + config().exchange_seconds if ends is None else ends
        self._seen: set[bytes] = set()

    def seconds(self) -> float:
        """Return the seconds that are left. Raises `SyncBounded`."""
        left = self.ends - monotonic()
        if left <= 0:
            _bounded("exchange_seconds", f"{config().exchange_seconds:,.0f} seconds")
        return left

    def turn_page(self, method: str, url: str) -> None:
        """Count a request. Raises `SyncBounded`, or `FeedRepeats` for an address read before."""
        self.seconds()
        self.pages += 1
        if self.pages > config().exchange_pages:
            _bounded("exchange_pages", f"{config().exchange_pages:,} pages")
        if method == "GET":
            seen = hashlib.blake2b(url.encode("utf-8", "replace"), digest_size=16).digest()
            if seen in self._seen:
                raise FeedRepeats(f"At page {self.pages:,}.")
            self._seen.add(seen)

    def count_bytes(self, number: int) -> None:
        """Count the bytes of an answer. Raises `SyncBounded`."""
        self.bytes += number
        if self.bytes > config().exchange_bytes:
            _bounded("exchange_bytes", f"{config().exchange_bytes:,} bytes")

    def count_records(self, number: int) -> None:
        """Count records. Raises `SyncBounded`."""
        self.records += number
        if self.records > config().exchange_records:
            _bounded("exchange_records", f"{config().exchange_records:,} records")

    def skip(self, error: Exception | str, key: Any = None) -> None:
        """Skip a record. `key`: the partner's, if it can be told: its hashes then stay."""
        reason = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self.skipped.count += 1
        if key is None:
            self.skipped.unnamed += 1
        else:
            self.doubtful.add(key)
        if len(self.skipped.examples) < MAX_EXAMPLES:
            name = "without a name" if key is None else storable(str(key))[:MAX_NAME]
            self.skipped.examples.append((name, storable(reason)[:MAX_REASON]))

    def close(self) -> None:
        """Close the connections of the sync."""
        if self.caller is not None:
            self.caller.close()

    def take_doubtful(self) -> set[Any]:
        """Return the keys of the records skipped since the last call."""
        doubtful, self.doubtful = self.doubtful, set()
        return doubtful


READING: Final[ContextVar[Reading]] = ContextVar("READING")


@contextmanager
def reading_in(reading: Reading) -> Iterator[None]:
    """Hold the calls to a partner in this block to the bounds of a reading, and then close it."""
    mark = READING.set(reading)
    try:
        yield
    finally:
        READING.reset(mark)
        reading.close()


def skip_record(error: Exception | str, key: Any = None) -> None:
    """Skip a record of the sync that runs in this context."""
    READING.get().skip(error, key)


def _bounded(setting: str, limit: str) -> None:
    raise SyncBounded(f"It may take {limit}. Raise KINWARD_{setting.upper()} for a larger list.")
