"""How an index cuts its hashes into chunks, so that hashes within the radius share a near chunk.

By the pigeonhole principle: let two hashes differ in at most R bits, and let their chunks have
radii r with sum(r + 1) > R. Then in at least one chunk they differ in at most its r bits. So it is
enough to read, for each chunk, the buckets within r of the query's own. The fastest layout depends
on the number of hashes. A layout without chunks is a scan.
"""

from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

BITS: Final = 256
RADIUS: Final = 31  # bits of 256: the threshold of PDQ's authors and of the lists in use
MAX_RADIUS: Final = 64
MAX_CHUNK: Final = 24  # bits: a table of starts is at most 64 MiB
TABLE_BYTES: Final = 35.5  # a hash, for the tables of starts
# Nanoseconds on one core, measured: reading a bucket, comparing a candidate, scanning a row.
PROBE, CANDIDATE, SCANNED = 14.0, 24.0, 2.0


class Chunk(msgspec.Struct, frozen=True):
    """`bits` bits from bit `offset` on, of which at most `radius` may differ."""

    offset: int
    bits: int
    radius: int

    @property
    def probes(self) -> int:
        """The number of buckets within the radius."""
        return sum(comb(self.bits, k) for k in range(self.radius + 1))


Layout = tuple[Chunk, ...]


def cost(layout: Layout, count: int) -> float:
    """Estimate the nanoseconds of one search among `count` random hashes."""
    if not layout:
        return SCANNED * count
    return sum(chunk.probes * (PROBE + CANDIDATE * count / (1 << chunk.bits)) for chunk in layout)


@lru_cache(256)
def best_layout(count: int, radius: int) -> Layout:
    """Return the fastest layout for `count` hashes. Empty where a scan is faster.

    >>> best_layout(100, 31)
    ()
    >>> [sum(c.radius + 1 for c in best_layout(n, 31)) for n in (10**5, 10**6, 10**7)]
    [32, 32, 32]
    """
    best: Layout = ()
    for chunks in range(1, radius + 2):
        for bits in range(min(BITS // chunks, MAX_CHUNK), 1, -1):
            layouts = (_cut(chunks, bits, bits, radius), _cut(chunks, bits, bits - 1, radius))
            fitting = [
                layout
                for layout in layouts
                if sum(4 << chunk.bits for chunk in layout) <= TABLE_BYTES * count
            ]
            best = min((best, *fitting), key=lambda layout: cost(layout, count))
            if fitting:
                break
    return best


def _cut(chunks: int, bits: int, fewer: int, radius: int) -> Layout:
    """Cut into chunks with the least radii that suffice. The lower radius gets `fewer` bits."""
    low, more = divmod(radius + 1, chunks)
    layout, offset = [], 0
    for number in range(chunks):
        wide = number < more or not more
        chunk = Chunk(offset, bits if wide else fewer, low - 1 + (number < more))
        offset += chunk.bits
        layout.append(chunk)
    return tuple(layout)


@lru_cache(64)
def masks(bits: int, radius: int) -> npt.NDArray[np.int64]:
    """Return every number of `bits` bits with at most `radius` of them set, fewest first."""
    numbers = [
        sum(1 << bit for bit in chosen)
        for count in range(radius + 1)
        for chosen in combinations(range(bits), count)
    ]
    return np.array(numbers, dtype=np.int64)
