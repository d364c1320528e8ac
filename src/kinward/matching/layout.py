"""How an index cuts its hashes into chunks, so that everything within a radius must share one.

The pigeonhole: if two hashes differ in at most R bits, and their bits are cut into chunks that are
each given a radius r with sum(r + 1) > R, then in at least one chunk they differ in at most its r.
So it is enough to look, for each chunk, into the buckets within r of the query's own. Which cut is
quickest depends on how many hashes there are; a scan is a cut without any chunk.
"""

from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

BITS: Final = 256
RADIUS: Final = 31  # of 256 bits: the threshold that PDQ's authors and the industry's lists use
MAX_RADIUS: Final = 64
MAX_CHUNK: Final = 24  # bits: a table of starts is at most 64 MiB
TABLE_BYTES: Final = 35.5  # a hash, for the tables of starts
# Measured on one core, in nanoseconds: a bucket looked into, a candidate compared, a row scanned.
PROBE, CANDIDATE, SCANNED = 14.0, 24.0, 2.0


class Chunk(msgspec.Struct, frozen=True):
    """`bits` from bit `offset` on, and how many of them may differ."""

    offset: int
    bits: int
    radius: int

    @property
    def probes(self) -> int:
        """How many buckets are within the radius."""
        return sum(comb(self.bits, k) for k in range(self.radius + 1))


Layout = tuple[Chunk, ...]


def cost(layout: Layout, count: int) -> float:
    """About how many nanoseconds one search takes among so many random hashes."""
    if not layout:
        return SCANNED * count
    return sum(each.probes * (PROBE + CANDIDATE * count / (1 << each.bits)) for each in layout)


@lru_cache(256)
def best_layout(count: int, radius: int) -> Layout:
    """The cut that is quickest for so many hashes; empty where a scan is.

    >>> best_layout(100, 31)
    ()
    >>> [sum(c.radius + 1 for c in best_layout(n, 31)) for n in (10**5, 10**6, 10**7)]
    [32, 32, 32]
    """
    found: Layout = ()
    for chunks in range(1, radius + 2):
        for bits in range(min(BITS // chunks, MAX_CHUNK), 1, -1):
            fitting = [
                each
                for each in (_cut(chunks, bits, bits, radius), _cut(chunks, bits, bits - 1, radius))
                if sum(4 << chunk.bits for chunk in each) <= TABLE_BYTES * count
            ]
            found = min((found, *fitting), key=lambda each: cost(each, count))
            if fitting:
                break
    return found


def _cut(chunks: int, bits: int, fewer: int, radius: int) -> Layout:
    """So many chunks, whose radii come to just enough; with the lower one of `fewer` bits."""
    low, more = divmod(radius + 1, chunks)
    found, offset = [], 0
    for number in range(chunks):
        wide = number < more or not more
        chunk = Chunk(offset, bits if wide else fewer, low - 1 + (number < more))
        offset += chunk.bits
        found.append(chunk)
    return tuple(found)


@lru_cache(64)
def masks(bits: int, radius: int) -> npt.NDArray[np.int64]:
    """Every number of so many bits with at most `radius` of them set, the fewest first."""
    found = [
        sum(1 << bit for bit in those)
        for count in range(radius + 1)
        for those in combinations(range(bits), count)
    ]
    return np.array(found, dtype=np.int64)
