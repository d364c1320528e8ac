"""Counts that a process keeps in memory, and adds to the database every few seconds."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from django.db import transaction

EVERY: Final = 5.0  # seconds between two writes

K = TypeVar("K")


class Tally(Generic[K]):
    """What a process has counted since its last write. Thread-safe.

    `add` adds counts to the database, in a transaction.
    """

    def __init__(self, add: Callable[[Mapping[K, int]], None]) -> None:
        self._add = add
        self._lock = threading.Lock()
        self._counts: Counter[K] = Counter()
        self._written = time.monotonic()

    def count(self, what: K) -> None:
        """Count one. Never reads or writes the database."""
        with self._lock:
            self._counts[what] += 1

    @property
    def due(self) -> bool:
        """Whether there is something to write, and the last write is long enough ago."""
        return bool(self._counts) and time.monotonic() - self._written >= EVERY

    def write(self) -> None:
        """Add the counts to the database and reset them. If that fails, keep them and raise."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            self._written = time.monotonic()
        try:
            with transaction.atomic():
                self._add(counts)
        except Exception:
            with self._lock:
                self._counts.update(counts)
            raise
