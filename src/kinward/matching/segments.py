"""Segments of an index: hashes sorted by id and cut into chunks, which never change."""

import threading
from typing import Final

import numpy as np
import numpy.typing as npt

from kinward.matching import kernels
from kinward.matching.layout import best_layout, masks

Ids = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Hits = npt.NDArray[np.int64]  # int64[M, 3]: query, row (or id), distance


class Segment:
    """Hashes sorted by id. They never change: a removed hash is only marked."""

    def __init__(
        self,
        rows: Words,
        ids: Ids,
        shape: npt.NDArray[np.int64],
        starts: npt.NDArray[np.uint32],
        order: npt.NDArray[np.uint32],
    ) -> None:
        self.rows, self.ids, self.shape, self.starts, self.order = rows, ids, shape, starts, order
        self.dead = np.zeros((len(ids) >> 3) + 1, dtype=np.uint8)
        self.removed = 0
        tables = [1 + (1 << int(bits)) for bits in shape[:, 1]]
        self.base = np.concatenate([[0], np.cumsum(tables)]).astype(np.int64)
        by_chunk = [masks(int(bits), int(radius)) for _, bits, radius in shape]
        self.masks = np.concatenate(by_chunk) if by_chunk else np.empty(0, dtype=np.int64)
        ends = np.cumsum([len(chunk) for chunk in by_chunk])
        self.mask_base = np.concatenate([[0], ends]).astype(np.int64)

    def __len__(self) -> int:
        return len(self.ids) - self.removed

    @property
    def nbytes(self) -> int:
        """Bytes of memory, or of a mapped file, that the arrays take."""
        arrays = (self.rows, self.ids, self.starts, self.order, self.dead)
        return sum(int(array.nbytes) for array in arrays)

    def find(self, ids: Ids) -> Ids:
        """Return the rows of the ids that are here and not removed. Unknown ids are ignored."""
        if not len(self.ids):
            return np.empty(0, dtype=np.int64)
        at = np.searchsorted(self.ids, ids)
        at = at[self.ids[np.minimum(at, len(self.ids) - 1)] == ids]
        rows: Ids = at[~is_marked(self.dead, at)]
        return rows

    def mark(self, rows: Ids) -> None:
        """Mark rows as removed."""
        mark(self.dead, rows)
        self.removed += len(rows)

    def living(self) -> tuple[Words, Ids]:
        """Return the rows and ids that are not removed."""
        if not self.removed:
            return self.rows, self.ids
        alive = ~bits_of(self.dead, len(self.ids))
        return self.rows[alive], self.ids[alive]


def build(rows: Words, ids: Ids, radius: int) -> Segment:
    """Build a segment. The hashes may come in any order."""
    if len(ids) > 1 and not (ids[1:] > ids[:-1]).all():
        sorted_by_id = np.argsort(ids, kind="stable")
        rows, ids = rows[sorted_by_id], ids[sorted_by_id]
    layout = best_layout(_rounded(len(ids)), radius)
    shape = np.array(
        [(chunk.offset, chunk.bits, chunk.radius) for chunk in layout], dtype=np.int64
    ).reshape(-1, 3)
    order = np.empty(len(layout) * len(ids), dtype=np.uint32)
    starts = np.zeros(sum(1 + (1 << chunk.bits) for chunk in layout), dtype=np.uint32)
    at = 0
    for number, chunk in enumerate(layout):
        table = starts[at : at + 1 + (1 << chunk.bits)]
        buckets = order[number * len(ids) : (number + 1) * len(ids)]
        kernels.fill(rows, chunk.offset, chunk.bits, table, buckets)
        at += len(table)
    return Segment(rows, ids, shape, starts, order)


def _rounded(count: int) -> int:
    """Round a count down to two digits, so that `best_layout` answers from its cache."""
    unit = int(10 ** max(0, len(str(count)) - 2))
    return count // unit * unit


def is_marked(dead: npt.NDArray[np.uint8], rows: Ids) -> npt.NDArray[np.bool_]:
    """Return which rows are marked as removed. `dead` has a bit for each row, lowest first."""
    marked: npt.NDArray[np.bool_] = dead[rows >> 3] >> (rows & 7).astype(np.uint8) & 1 == 1
    return marked


def mark(dead: npt.NDArray[np.uint8], rows: Ids) -> None:
    """Mark rows as removed: set their bits in `dead`."""
    np.bitwise_or.at(dead, rows >> 3, np.uint8(1) << (rows & 7).astype(np.uint8))


def bits_of(dead: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.bool_]:
    """Return the first `count` bits of a mask as booleans."""
    return np.unpackbits(dead, bitorder="little", count=count).astype(bool)


class Scratch(threading.local):
    """Working memory, separate for each thread."""

    def __init__(self) -> None:
        self.room = np.empty(1 << 16, dtype=np.int64)
        self.out = np.empty((1 << 12, 3), dtype=np.int64)


SCRATCH: Final = Scratch()


def search_segment(segment: Segment, queries: Words, first: int, last: int, radius: int) -> Hits:
    """Return the hits of queries `first` to `last` in a segment, in no order."""
    if not len(segment.shape):
        return scan_rows(segment.rows, len(segment.ids), segment.dead, queries, first, last, radius)
    while True:
        hits = kernels.probe(
            segment.rows,
            segment.dead,
            segment.shape,
            segment.base,
            segment.starts,
            segment.order,
            segment.mask_base,
            segment.masks,
            queries,
            first,
            last,
            radius,
            SCRATCH.room,
            SCRATCH.out,
        )
        if hits <= len(SCRATCH.out):
            return SCRATCH.out[:hits].copy()
        SCRATCH.out = np.empty((hits, 3), dtype=np.int64)


def scan_rows(
    rows: Words,
    count: int,
    dead: npt.NDArray[np.uint8],
    queries: Words,
    first: int,
    last: int,
    radius: int,
) -> Hits:
    """Return the hits of queries `first` to `last` in the first `count` rows, by comparing each."""
    while True:
        hits = kernels.scan(rows, count, dead, queries, first, last, radius, SCRATCH.out)
        if hits <= len(SCRATCH.out):
            return SCRATCH.out[:hits].copy()
        SCRATCH.out = np.empty((hits, 3), dtype=np.int64)
