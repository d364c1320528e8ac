"""A part of an index that never changes: hashes sorted by id, cut into chunks, and searched."""

import threading
from typing import Final

import numpy as np
import numpy.typing as npt

from kinward.matching import kernels
from kinward.matching.layout import best_layout, masks

Ids = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Found = npt.NDArray[np.int64]  # int64[M, 3]: query, row (or id), distance


class Segment:
    """Hashes sorted by id, which never change; what is removed is marked."""

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
        found = [masks(int(bits), int(radius)) for _, bits, radius in shape]
        self.masks = np.concatenate(found) if found else np.empty(0, dtype=np.int64)
        self.mask_base = np.concatenate([[0], np.cumsum([len(each) for each in found])]).astype(
            np.int64
        )

    def __len__(self) -> int:
        return len(self.ids) - self.removed

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        arrays = (self.rows, self.ids, self.starts, self.order, self.dead)
        return sum(int(each.nbytes) for each in arrays)

    def find(self, ids: Ids) -> Ids:
        """The rows of those of these ids that are here and not removed."""
        if not len(self.ids):
            return np.empty(0, dtype=np.int64)
        at = np.searchsorted(self.ids, ids)
        at = at[self.ids[np.minimum(at, len(self.ids) - 1)] == ids]
        found: Ids = at[~is_marked(self.dead, at)]
        return found

    def mark(self, rows: Ids) -> None:
        """Mark rows as removed."""
        mark(self.dead, rows)
        self.removed += len(rows)

    def living(self) -> tuple[Words, Ids]:
        """What is left of it."""
        if not self.removed:
            return self.rows, self.ids
        alive = ~bits_of(self.dead, len(self.ids))
        return self.rows[alive], self.ids[alive]


def build(rows: Words, ids: Ids, radius: int) -> Segment:
    """A segment of hashes, in whatever order they come."""
    if len(ids) > 1 and not (ids[1:] > ids[:-1]).all():
        sorted_by_id = np.argsort(ids, kind="stable")
        rows, ids = rows[sorted_by_id], ids[sorted_by_id]
    layout = best_layout(_rounded(len(ids)), radius)
    shape = np.array(
        [(each.offset, each.bits, each.radius) for each in layout], dtype=np.int64
    ).reshape(-1, 3)
    order = np.empty(len(layout) * len(ids), dtype=np.uint32)
    starts = np.zeros(sum(1 + (1 << each.bits) for each in layout), dtype=np.uint32)
    at = 0
    for number, each in enumerate(layout):
        table = starts[at : at + 1 + (1 << each.bits)]
        mine = order[number * len(ids) : (number + 1) * len(ids)]
        kernels.fill(rows, each.offset, each.bits, table, mine)
        at += len(table)
    return Segment(rows, ids, shape, starts, order)


def _rounded(count: int) -> int:
    """A count with two digits, so that layouts repeat."""
    unit = int(10 ** max(0, len(str(count)) - 2))
    return count // unit * unit


def is_marked(dead: npt.NDArray[np.uint8], rows: Ids) -> npt.NDArray[np.bool_]:
    """Which of these rows are marked as removed: a bit each, the lowest first."""
    found: npt.NDArray[np.bool_] = dead[rows >> 3] >> (rows & 7).astype(np.uint8) & 1 == 1
    return found


def mark(dead: npt.NDArray[np.uint8], rows: Ids) -> None:
    """Mark rows as removed."""
    np.bitwise_or.at(dead, rows >> 3, np.uint8(1) << (rows & 7).astype(np.uint8))


def bits_of(dead: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.bool_]:
    """The first bits of a mask, as truths."""
    return np.unpackbits(dead, bitorder="little", count=count).astype(bool)


class Scratch(threading.local):
    """Room of one thread's own to work in."""

    def __init__(self) -> None:
        self.room = np.empty(1 << 16, dtype=np.int64)
        self.out = np.empty((1 << 12, 3), dtype=np.int64)


SCRATCH: Final = Scratch()


def in_segment(segment: Segment, queries: Words, first: int, last: int, radius: int) -> Found:
    """What of a segment is within a radius of queries `first` to `last`, in no order."""
    if not len(segment.shape):
        return scanned(segment.rows, len(segment.ids), segment.dead, queries, first, last, radius)
    while True:
        found = kernels.probe(
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
        if found <= len(SCRATCH.out):
            return SCRATCH.out[:found].copy()
        SCRATCH.out = np.empty((found, 3), dtype=np.int64)


def scanned(
    rows: Words,
    count: int,
    dead: npt.NDArray[np.uint8],
    queries: Words,
    first: int,
    last: int,
    radius: int,
) -> Found:
    """The same of the first `count` rows, by comparing each."""
    while True:
        found = kernels.scan(rows, count, dead, queries, first, last, radius, SCRATCH.out)
        if found <= len(SCRATCH.out):
            return SCRATCH.out[:found].copy()
        SCRATCH.out = np.empty((found, 3), dtype=np.int64)
