"""Exact Hamming search among 256-bit hashes: everything within a radius, nothing missed or false.

Hashes lie in segments, each cut into chunks as suits its size (`layout`), and in a short tail that
is scanned. What is added is in the tail at once and so in the next search; when the tail is full it
becomes a segment, and small segments are merged in the background while everybody goes on reading.
"""

import json
import os
import threading
import time
import zlib
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from kinward.errors import KinwardError
from kinward.matching import kernels
from kinward.matching.layout import MAX_RADIUS, Chunk, best_layout, masks

RADIUS: Final = 31  # of 256 bits: the threshold that PDQ's authors and the industry's lists use
BYTES: Final = 32
TAIL: Final = 4096  # hashes that are scanned before they become a segment
SEGMENTS: Final = 8  # so many are left alone; more are merged
MAGIC: Final = b"KWINDEX1"
PAGE: Final = 4096

Hashes = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class SnapshotRefused(KinwardError):
    """This snapshot of an index is cut off or damaged. Build it again."""

    code = "index.snapshot_refused"
    status = 422


class HashesInvalid(KinwardError):
    """Hashes are a uint8 array of 32 columns, each with an id of its own."""

    code = "index.hashes_invalid"
    status = 422


class _Segment:
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
        at = np.searchsorted(self.ids, ids)
        at = at[self.ids[np.minimum(at, len(self.ids) - 1)] == ids]
        found: Ids = at[(self.dead[at >> 3] >> (at & 7).astype(np.uint8) & 1) == 0]
        return found

    def mark(self, rows: Ids) -> None:
        """Mark rows as removed."""
        np.bitwise_or.at(self.dead, rows >> 3, np.uint8(1) << (rows & 7).astype(np.uint8))
        self.removed += len(rows)

    def living(self) -> tuple[Words, Ids]:
        """What is left of it."""
        if not self.removed:
            return self.rows, self.ids
        bits = np.unpackbits(self.dead, bitorder="little", count=len(self.ids))
        return self.rows[bits == 0], self.ids[bits == 0]


def _build(rows: Words, ids: Ids, radius: int) -> _Segment:
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
    return _Segment(rows, ids, shape, starts, order)


def _rounded(count: int) -> int:
    """A count with two digits, so that layouts repeat."""
    unit = int(10 ** max(0, len(str(count)) - 2))
    return count // unit * unit


class _State(msgspec.Struct, frozen=True):
    """What a search reads: taken once, it stays as it is while others write."""

    segments: tuple[_Segment, ...] = ()
    tail_rows: Words = np.empty((TAIL, 4), dtype=np.uint64)
    tail_ids: Ids = np.empty(TAIL, dtype=np.int64)
    tail_dead: npt.NDArray[np.uint8] = np.zeros(TAIL >> 3, dtype=np.uint8)
    tail: int = 0


def _empty_tail() -> dict[str, Any]:
    return {
        "tail_rows": np.empty((TAIL, 4), dtype=np.uint64),
        "tail_ids": np.empty(TAIL, dtype=np.int64),
        "tail_dead": np.zeros(TAIL >> 3, dtype=np.uint8),
        "tail": 0,
    }


class Index:
    """An exact index of 256-bit hashes by Hamming distance. Many may read while one writes.

    >>> index = Index(radius=31)
    >>> index.add(np.zeros((1, 32), dtype=np.uint8), np.array([7]))
    1
    >>> index.search(np.full(32, 1, dtype=np.uint8))
    (array([], dtype=int64), array([], dtype=int64))
    >>> index.search(np.array([255, 255] + [0] * 30, dtype=np.uint8))
    (array([7]), array([16]))
    """

    def __init__(self, radius: int = RADIUS) -> None:
        if not 0 <= radius <= MAX_RADIUS:
            raise HashesInvalid(f"The radius is 0 to {MAX_RADIUS} bits; not {radius}.")
        self.radius = radius
        self._state = _State(**_empty_tail())
        self._writing = threading.RLock()
        self._merging: threading.Thread | None = None

    def __len__(self) -> int:
        state = self._state
        dead = int(np.bitwise_count(state.tail_dead).sum())
        return sum(map(len, state.segments)) + state.tail - dead

    @property
    def nbytes(self) -> int:
        """Bytes of memory (or of mapped file) that the hashes and their tables take, all told."""
        state = self._state
        tail = state.tail_rows.nbytes + state.tail_ids.nbytes + state.tail_dead.nbytes
        return sum(each.nbytes for each in state.segments) + int(tail)

    def add(self, hashes: Hashes, ids: Ids) -> int:
        """Add hashes, uint8[N, 32], under ids of their own, int64[N]; the next search sees them.

        An id that is there already is left as it is. Returns how many were added.
        """
        rows, ids = _checked(hashes, ids)
        with self._writing:
            if len(ids):
                _, first = np.unique(ids, return_index=True)
                first.sort()
                first = first[~self._known(ids[first])]
                rows, ids = rows[first], ids[first]
            if len(ids) > TAIL:
                self._flush()
                self._append_segment(_build(rows, ids, self.radius))
            else:
                self._append_tail(rows, ids)
        self._tidy()
        return len(ids)

    def remove(self, ids: Ids) -> int:
        """Remove hashes by id, int64[N], unless unknown. Returns how many were there."""
        ids = np.unique(np.asarray(ids, dtype=np.int64))
        removed = 0
        with self._writing:
            state = self._state
            for segment in state.segments:
                rows = segment.find(ids)
                segment.mark(rows)
                removed += len(rows)
            rows = np.nonzero(np.isin(state.tail_ids[: state.tail], ids))[0]
            rows = rows[(state.tail_dead[rows >> 3] >> (rows & 7).astype(np.uint8) & 1) == 0]
            np.bitwise_or.at(state.tail_dead, rows >> 3, np.uint8(1) << (rows & 7).astype(np.uint8))
            return int(removed + len(rows))

    def search(self, hash: Hashes) -> tuple[Ids, Ids]:
        """Every hash within the radius of one, uint8[32]: `(ids, distances)`, the nearest first."""
        _, ids, distances = self.search_batch(np.asarray(hash).reshape(1, -1))
        return ids, distances

    def search_batch(self, hashes: Hashes) -> tuple[Ids, Ids, Ids]:
        """The same for many, uint8[Q, 32]: `(limits, ids, distances)`.

        What was found for query `q` is at `limits[q]` to `limits[q + 1]`, the nearest first.
        """
        queries, _ = _checked(hashes, None)
        state, scratch = self._state, _scratch()
        limits = np.zeros(len(queries) + 1, dtype=np.int64)
        parts: list[tuple[Ids, Ids]] = []
        for query in range(len(queries)):
            ids, distances = _search_one(state, scratch, queries, query, self.radius)
            parts.append((ids, distances))
            limits[query + 1] = limits[query] + len(ids)
        if not parts:
            return limits, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        found = [np.concatenate(each) for each in zip(*parts, strict=True)]
        return limits, found[0], found[1]

    def _known(self, ids: Ids) -> npt.NDArray[np.bool_]:
        state = self._state
        living = [state.tail_ids[: state.tail][~_bits(state.tail_dead, state.tail)]]
        living += [segment.ids[segment.find(ids)] for segment in state.segments]
        return np.isin(ids, np.concatenate(living))

    def _append_tail(self, rows: Words, ids: Ids) -> None:
        if self._state.tail + len(ids) > TAIL:
            self._flush()
        state = self._state
        first, last = state.tail, state.tail + len(ids)
        state.tail_rows[first:last], state.tail_ids[first:last] = rows, ids
        self._state = msgspec.structs.replace(state, tail=last)

    def _append_segment(self, segment: _Segment) -> None:
        state = self._state
        self._state = msgspec.structs.replace(state, segments=(*state.segments, segment))

    def _flush(self) -> None:
        """Make a segment of the tail."""
        state = self._state
        living = ~_bits(state.tail_dead, state.tail)
        rows, ids = state.tail_rows[: state.tail][living], state.tail_ids[: state.tail][living]
        segments = state.segments
        if len(ids):
            segments = (*segments, _build(rows.copy(), ids.copy(), self.radius))
        self._state = _State(segments=segments, **_empty_tail())

    def _tidy(self) -> None:
        """Merge small segments in the background, once there are many."""
        with self._writing:
            if len(self._state.segments) <= SEGMENTS or self._merging is not None:
                return
            self._merging = threading.Thread(target=self._merge, daemon=True, name="index-merge")
            self._merging.start()

    def _merge(self) -> None:
        """Build one segment of all that together are at most half of the index, and put it in.

        So it never takes more than half as much memory again. Reading and writing go on meanwhile.
        """
        try:
            chosen = self._to_merge()
            if len(chosen) < 2:
                return
            parts = [each.living() for each in chosen]
            rows, ids = (np.concatenate(each) for each in zip(*parts, strict=True))
            merged = _build(rows, ids, self.radius)
            with self._writing:
                # Whatever was removed meanwhile was marked in the old ones.
                still = np.concatenate([each.living()[1] for each in chosen])
                gone = np.setdiff1d(ids, still)
                merged.mark(merged.find(gone))
                others = tuple(each for each in self._state.segments if each not in chosen)
                self._state = msgspec.structs.replace(self._state, segments=(*others, merged))
        finally:
            self._merging = None

    def _to_merge(self) -> list[_Segment]:
        """The smallest segments, as many as are together at most half of everything."""
        segments = sorted(self._state.segments, key=lambda each: len(each.ids))
        half, total, chosen = sum(len(each.ids) for each in segments) / 2, 0, []
        for each in segments:
            total += len(each.ids)
            if total > half:
                break
            chosen.append(each)
        # Where all are of one size, none two are less than half of few.
        return chosen if len(chosen) > 1 else segments[:2]

    def settle(self) -> None:
        """Wait until nothing is being merged."""
        while (merging := self._merging) is not None:
            merging.join()

    def save(self, path: str | Path) -> None:
        """Write a snapshot: whole or not at all, with a checksum of every part."""
        with self._writing:
            self._flush()
            segments = self._state.segments
            _write_snapshot(Path(path), self.radius, segments)

    @classmethod
    def load(cls, path: str | Path) -> "Index":
        """Open a snapshot as memory that processes of one machine share.

        Raises `SnapshotRefused` for one that is cut off or damaged.
        """
        radius, segments = _read_snapshot(Path(path))
        index = cls(radius)
        index._state = _State(segments=segments, **_empty_tail())
        return index


def warm() -> float:
    """Compile the kernels, or take them from where they were kept; returns the seconds it took."""
    began = time.perf_counter()
    rows, ids = np.zeros((2, 4), dtype=np.uint64), np.arange(2)
    order, starts = np.zeros(2, dtype=np.uint32), np.zeros(17, dtype=np.uint32)
    kernels.fill(rows, 0, 4, starts, order)
    segment = _Segment(rows, ids, np.array([[0, 4, 0]]), starts, order)
    _in_segment(segment, _scratch(), rows, 0, 0)
    _scanned(rows, 2, segment.dead, _scratch(), rows, 0, 0)
    return time.perf_counter() - began


def was_kept() -> bool:
    """Whether the kernels that this process uses were compiled earlier, as at install."""
    used = (kernels.fill, kernels.probe, kernels.scan)
    return all(not each.stats.cache_misses for each in used)


class _Scratch(threading.local):
    """Room of one thread's own to work in."""

    def __init__(self) -> None:
        self.room = np.empty(1 << 16, dtype=np.int64)
        self.rows = np.empty(1 << 12, dtype=np.int64)
        self.distances = np.empty(1 << 12, dtype=np.int64)


_of_thread: Final = _Scratch()


def _scratch() -> _Scratch:
    return _of_thread


def _search_one(
    state: _State, scratch: _Scratch, queries: Words, query: int, radius: int
) -> tuple[Ids, Ids]:
    ids: list[Ids] = []
    distances: list[Ids] = []
    for segment in state.segments:
        rows, near = _in_segment(segment, scratch, queries, query, radius)
        if len(rows):
            ids.append(segment.ids[rows])
            distances.append(near)
    if state.tail:
        rows, near = _scanned(
            state.tail_rows, state.tail, state.tail_dead, scratch, queries, query, radius
        )
        if len(rows):
            ids.append(state.tail_ids[rows])
            distances.append(near)
    if not ids:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    found, near = np.concatenate(ids), np.concatenate(distances)
    order = np.lexsort((found, near))
    return found[order], near[order]


def _in_segment(
    segment: _Segment, scratch: _Scratch, queries: Words, query: int, radius: int
) -> tuple[Ids, Ids]:
    if not len(segment.shape):
        return _scanned(
            segment.rows, len(segment.ids), segment.dead, scratch, queries, query, radius
        )
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
            query,
            radius,
            scratch.room,
            scratch.rows,
            scratch.distances,
            0,
        )
        if found <= len(scratch.rows):
            return scratch.rows[:found].copy(), scratch.distances[:found].copy()
        _grow(scratch, found)


def _scanned(
    rows: Words,
    count: int,
    dead: npt.NDArray[np.uint8],
    scratch: _Scratch,
    queries: Words,
    query: int,
    radius: int,
) -> tuple[Ids, Ids]:
    while True:
        found = kernels.scan(
            rows, count, dead, queries, query, radius, scratch.rows, scratch.distances, 0
        )
        if found <= len(scratch.rows):
            return scratch.rows[:found].copy(), scratch.distances[:found].copy()
        _grow(scratch, found)


def _grow(scratch: _Scratch, found: int) -> None:
    scratch.rows = np.empty(found, dtype=np.int64)
    scratch.distances = np.empty(found, dtype=np.int64)


def _bits(dead: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.bool_]:
    return np.unpackbits(dead, bitorder="little", count=count).astype(bool)


def _checked(hashes: Hashes, ids: Ids | None) -> tuple[Words, Ids]:
    """Hashes as words, and their ids. Raises `HashesInvalid` for anything else."""
    array = np.asarray(hashes)
    if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] != BYTES:
        raise HashesInvalid(f"Not {array.dtype}{list(array.shape)}.")
    rows = np.ascontiguousarray(array).view(np.uint64).reshape(-1, 4)
    names = np.arange(len(rows)) if ids is None else np.asarray(ids)
    if names.shape != (len(rows),) or not np.issubdtype(names.dtype, np.integer):
        raise HashesInvalid(f"{len(rows)} hashes, and ids of {names.dtype}{list(names.shape)}.")
    return rows, names.astype(np.int64)


def _write_snapshot(path: Path, radius: int, segments: tuple[_Segment, ...]) -> None:
    parts: list[npt.NDArray[Any]] = []
    listed = []
    for segment in segments:
        rows, ids = segment.living()
        whole = segment if not segment.removed else _build(rows, ids, radius)
        arrays = (whole.rows, whole.ids, whole.starts, whole.order)
        listed.append(
            {
                "shape": whole.shape.tolist(),
                "parts": [[each.dtype.str, each.shape, zlib.crc32(each.data)] for each in arrays],
            }
        )
        parts += arrays
    header = json.dumps({"radius": radius, "segments": listed}).encode()
    made = path.with_name(f".{path.name}.{os.getpid()}")
    with made.open("wb") as file:
        file.write(MAGIC + len(header).to_bytes(8) + zlib.crc32(header).to_bytes(4) + header)
        for part in parts:
            file.seek(-file.tell() % PAGE, os.SEEK_CUR)
            file.write(np.ascontiguousarray(part).data)
        file.truncate(file.tell())
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


def _read_snapshot(path: Path) -> tuple[int, tuple[_Segment, ...]]:
    # Copied only where it is written, and nobody writes; kernels then need no version of their own.
    mapped = np.asarray(np.memmap(path, dtype=np.uint8, mode="c"))
    try:
        start = len(MAGIC) + 12
        head = mapped[:start].tobytes()
        length = int.from_bytes(head[8:16])
        header = mapped[start : start + length].tobytes()
        if head[:8] != MAGIC or zlib.crc32(header) != int.from_bytes(head[16:20]):
            raise SnapshotRefused("Its header is not ours.")
        found, at = json.loads(header), start + length
        segments = []
        for each in found["segments"]:
            arrays = []
            for kind, shape, checksum in each["parts"]:
                at += -at % PAGE
                size = int(np.prod(shape)) * np.dtype(kind).itemsize
                part = mapped[at : at + size]
                if len(part) != size or zlib.crc32(part.data) != checksum:
                    raise SnapshotRefused("A part does not match its checksum.")
                arrays.append(part.view(kind).reshape(shape))
                at += size
            rows, ids, starts, order = arrays
            shape_of = np.array(each["shape"], dtype=np.int64).reshape(-1, 3)
            segments.append(_Segment(rows, ids, shape_of, starts, order))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise SnapshotRefused(f"{error}.") from error
    return int(found["radius"]), tuple(segments)


__all__ = ("RADIUS", "Chunk", "HashesInvalid", "Index", "SnapshotRefused", "warm", "was_kept")

if __name__ == "__main__":  # at install
    warm()
