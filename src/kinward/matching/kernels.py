"""The inner loops of the index, compiled by Numba and cached beside this file.

They are bound by memory latency, so they prefetch: while one bucket is read, the next ones are on
their way. A candidate within the radius of an earlier chunk was found there and is not counted
again. Hits are counted also where there is no room to write them, so that the caller can try again
with a larger array.
"""

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

AHEAD: Final = 16  # cache lines that are prefetched at a time
_WORD: Final = np.uint64(64)


@intrinsic
def _popcount(typing: Any, word: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return word(word), code


@intrinsic
def _prefetch(typing: Any, array: Any, index: Any) -> Any:
    """Prefetch the cache line of an item, or of the first item of a row."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        struct = context.make_array(kind)(context, builder, args[0])
        at = [args[1], *[ir.Constant(ir.IntType(64), 0)] * (kind.ndim - 1)]
        pointer = cgutils.get_item_pointer(
            context, builder, kind, struct, at, wraparound=False, boundscheck=False
        )
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, number, number, number]),
            "llvm.prefetch.p0",
        )
        # Arguments of the intrinsic: for reading (0), high locality (3), data cache (1).
        builder.call(function, [builder.bitcast(pointer, byte), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), code


@njit(inline="always")
def _key(rows, row, offset, bits):
    """Return the bits of a chunk as a number."""
    word, shift = offset >> 6, np.uint64(offset & 63)
    value = rows[row, word] >> shift
    if shift and word < 3:
        value |= rows[row, word + 1] << (_WORD - shift)
    return np.int64(value & ((np.uint64(1) << np.uint64(bits)) - np.uint64(1)))


@njit(inline="always")
def _distance(rows, row, queries, query):
    bits = np.uint64(0)
    for word in range(4):
        bits += _popcount(rows[row, word] ^ queries[query, word])
    return np.int64(bits)


@njit(cache=True, nogil=True)
def fill(rows, offset, bits, starts, order):
    """Sort rows into the buckets of one chunk: `starts` uint32[2**bits + 1], `order` uint32[N]."""
    count = rows.shape[0]
    for row in range(count):
        starts[_key(rows, row, offset, bits) + 1] += np.uint32(1)
    for bucket in range(1, len(starts)):
        starts[bucket] += starts[bucket - 1]
    for row in range(count):
        bucket = _key(rows, row, offset, bits)
        order[starts[bucket]] = row
        starts[bucket] += np.uint32(1)
    for bucket in range(len(starts) - 1, 0, -1):
        starts[bucket] = starts[bucket - 1]
    starts[0] = 0


@njit(cache=True, nogil=True)
def scan(rows, count, dead, queries, first, last, radius, out):
    """Compare queries `first` to `last` with the first `count` rows.

    Writes (query, row, distance) into `out`, int64[M, 3], while there is room. Returns how many
    rows are within the radius, which may be more than `out` holds.
    """
    hits = 0
    for query in range(first, last):
        for row in range(count):
            distance = _distance(rows, row, queries, query)
            if distance <= radius and not dead[row >> 3] >> (row & 7) & 1:
                if hits < len(out):
                    out[hits, 0], out[hits, 1], out[hits, 2] = query, row, distance
                hits += 1
    return hits


@njit(nogil=True)
def _seen(rows, row, queries, query, chunk, shape):
    """Return whether an earlier chunk has found this row."""
    for earlier in range(chunk):
        offset, bits, radius = shape[earlier, 0], shape[earlier, 1], shape[earlier, 2]
        differ = _key(rows, row, offset, bits) ^ _key(queries, query, offset, bits)
        if np.int64(_popcount(np.uint64(differ))) <= radius:
            return True
    return False


@njit(nogil=True)
def _compare(rows, dead, queries, query, radius, chunk, shape, room, first, count, out, hits):
    """Compare a query with the `count` candidates in `room` from `first` on."""
    for number in range(min(AHEAD, count)):
        _prefetch(rows, room[first + number])
    for number in range(count):
        if number + AHEAD < count:
            _prefetch(rows, room[first + number + AHEAD])
        row = room[first + number]
        distance = _popcount(rows[row, 0] ^ queries[query, 0])
        distance += _popcount(rows[row, 1] ^ queries[query, 1])
        if distance > np.uint64(radius):
            continue
        distance += _popcount(rows[row, 2] ^ queries[query, 2])
        distance += _popcount(rows[row, 3] ^ queries[query, 3])
        if distance > np.uint64(radius) or dead[row >> 3] >> (row & 7) & 1:
            continue
        if _seen(rows, row, queries, query, chunk, shape):
            continue
        if hits < len(out):
            out[hits, 0], out[hits, 1], out[hits, 2] = query, row, np.int64(distance)
        hits += 1
    return hits


@njit(cache=True, nogil=True)
def probe(  # noqa: C901 - one loop in another, so that nothing is called for each candidate
    rows,
    dead,
    shape,
    base,
    starts,
    order,
    mask_base,
    masks,
    queries,
    first_query,
    last_query,
    radius,
    room,
    out,
):
    """Search queries `first_query` to `last_query` by the chunks of a segment.

    `shape`, int64[C, 3], has the offset, bits and radius of each chunk. `base`, int64[C + 1], says
    where the chunk begins in `starts`, and `mask_base` where it begins in `masks`. `room`, int64,
    is scratch: ranges, then rows. Writes and returns what `scan` does. All queries pass through
    one chunk before the next, so that its tables stay in the CPU's cache.
    """
    count = rows.shape[0]
    first = len(room) // 4
    hits = 0
    for chunk in range(shape.shape[0]):
        table, here = base[chunk], chunk * count
        begin, end = mask_base[chunk], mask_base[chunk + 1]
        for query in range(first_query, last_query):
            key = _key(queries, query, shape[chunk, 0], shape[chunk, 1])
            for number in range(begin, min(begin + AHEAD, end)):
                _prefetch(starts, table + (key ^ masks[number]))
            ranges, waiting = 0, 0
            for number in range(begin, end):
                if number + AHEAD < end:
                    _prefetch(starts, table + (key ^ masks[number + AHEAD]))
                bucket = table + (key ^ masks[number])
                start, stop = np.int64(starts[bucket]), np.int64(starts[bucket + 1])
                if start < stop:
                    _prefetch(order, here + start)
                    room[ranges] = start << 32 | stop
                    ranges += 1
                if ranges < first and number + 1 < end:
                    continue
                for place in range(ranges):
                    for at in range(room[place] >> 32, room[place] & 0xFFFFFFFF):
                        room[first + waiting] = order[here + at]
                        waiting += 1
                        if first + waiting == len(room):
                            hits = _compare(
                                rows, dead, queries, query, radius, chunk, shape, room, first,
                                waiting, out, hits,
                            )  # fmt: skip
                            waiting = 0
                ranges = 0
            hits = _compare(
                rows, dead, queries, query, radius, chunk, shape, room, first, waiting, out, hits
            )
    return hits
