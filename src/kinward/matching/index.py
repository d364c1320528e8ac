"""This process's copy of all banked PDQ hashes, brought up to date before every lookup."""

import threading
from functools import cache

import numpy as np

from kinward.matching.hamming import Index
from kinward.matching.kinds import HashKind
from kinward.matching.models import BankedHash, BankVersion


class PdqIndex:
    """Reads what changed since it last looked, so an addition is seen by the very next lookup."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = Index()
        self._version = -1

    def search(self, value: bytes) -> list[tuple[int, int]]:
        """`(banked hash id, distance)` of every live PDQ hash within the radius."""
        with self._lock:
            self._refresh()
        ids, distances = self._index.search(np.frombuffer(value, dtype=np.uint8))
        return list(zip(ids.tolist(), distances.tolist(), strict=True))

    def _refresh(self) -> None:
        # The version is read before the rows: a change in between is only read twice.
        version = BankVersion.objects.values_list("version", flat=True).first() or 0
        if version == self._version:
            return
        changed = BankedHash.objects.filter(kind=HashKind.PDQ, version__gt=self._version)
        fresh: list[int] = []
        gone: list[int] = []
        values = bytearray()
        for row, value, removed in changed.values_list("id", "value", "removed").iterator(50_000):
            if removed:
                gone.append(row)
            else:
                fresh.append(row)
                values += bytes(value)
        hashes = np.frombuffer(bytes(values), dtype=np.uint8).reshape(-1, 32)
        self._index.remove(np.array(gone, dtype=np.int64))
        self._index.add(hashes, np.array(fresh, dtype=np.int64))
        self._version = version


@cache
def pdq_index() -> PdqIndex:
    """The index of this process."""
    return PdqIndex()
