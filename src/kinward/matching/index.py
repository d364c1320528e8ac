"""This process's copy of all banked PDQ hashes, brought up to date before every lookup."""

import threading
from functools import cache

from kinward.matching.hamming import HammingIndex
from kinward.matching.kinds import HashKind
from kinward.matching.models import BankedHash, BankVersion


class PdqIndex:
    """Reads what changed since it last looked, so an addition is seen by the very next lookup."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = HammingIndex()
        self._version = -1

    def search(self, value: bytes) -> list[tuple[int, int]]:
        """`(banked hash id, distance)` of every live PDQ hash within the radius."""
        with self._lock:
            self._refresh()
            return self._index.search(value)

    def _refresh(self) -> None:
        # The version is read before the rows: a change in between is only read twice.
        version = BankVersion.objects.values_list("version", flat=True).first() or 0
        if version == self._version:
            return
        changed = BankedHash.objects.filter(kind=HashKind.PDQ, version__gt=self._version)
        fresh: dict[int, bytes] = {}
        gone: list[int] = []
        for row, value, removed in changed.values_list("id", "value", "removed").iterator(50_000):
            if removed:
                gone.append(row)
            else:
                fresh[row] = bytes(value)
        self._index.remove(gone)
        self._index.add(list(fresh), list(fresh.values()))
        self._version = version


@cache
def pdq_index() -> PdqIndex:
    """The index of this process."""
    return PdqIndex()
