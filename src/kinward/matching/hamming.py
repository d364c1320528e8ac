"""Exact Hamming search among 256-bit hashes: everything within a radius, nothing missed or false.

Hashes lie in segments, each cut into chunks according to its size (`layout`), and in a short tail
that is scanned. New hashes go to the tail, and the next search sees them. A full tail becomes a
segment, as does a large batch. Small segments are merged in the background without blocking
searches.
"""

import threading
import time
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from kinward.ground.errors import KinwardError
from kinward.matching import kernels
from kinward.matching.layout import MAX_RADIUS, RADIUS
from kinward.matching.segments import (
    Hits,
    Ids,
    Segment,
    Words,
    bits_of,
    build,
    is_marked,
    mark,
    scan_rows,
    search_segment,
)
from kinward.matching.snapshots import SnapshotRefused, read_snapshot, write_snapshot

BYTES: Final = 32
TAIL: Final = 4096  # hashes that are scanned; beyond this number they become a segment
TOGETHER: Final = 1024  # queries searched at a time
SEGMENTS: Final = 8  # more than this many are merged

Hashes = npt.NDArray[np.uint8]


class HashesInvalid(KinwardError):
    """Hashes must be a uint8 array of 32 columns, each with its own id."""

    code = "index.hashes_invalid"
    status = 422


class _State(msgspec.Struct, frozen=True):
    """What a search reads.

    Writers replace it. In place they only mark removed hashes and fill rows beyond its tail.
    """

    segments: tuple[Segment, ...]
    tail_rows: Words
    tail_ids: Ids
    tail_dead: npt.NDArray[np.uint8]
    tail: int


def _with_empty_tail(segments: tuple[Segment, ...] = ()) -> _State:
    return _State(
        segments=segments,
        tail_rows=np.empty((TAIL, 4), dtype=np.uint64),
        tail_ids=np.empty(TAIL, dtype=np.int64),
        tail_dead=np.zeros(TAIL >> 3, dtype=np.uint8),
        tail=0,
    )


class Index:
    """An exact index of 256-bit hashes by Hamming distance. Threads may search while one writes.

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
        self._state = _with_empty_tail()
        self._writing = threading.RLock()
        self._merging: threading.Thread | None = None

    def __len__(self) -> int:
        state = self._state
        dead = int(np.bitwise_count(state.tail_dead).sum())
        return sum(map(len, state.segments)) + state.tail - dead

    @property
    def nbytes(self) -> int:
        """Bytes of memory, or of mapped files, that the hashes and their tables take."""
        state = self._state
        tail = state.tail_rows.nbytes + state.tail_ids.nbytes + state.tail_dead.nbytes
        return sum(segment.nbytes for segment in state.segments) + int(tail)

    def add(self, hashes: Hashes, ids: Ids) -> int:
        """Add hashes, uint8[N, 32], under their ids, int64[N]. The next search sees them.

        An id that is already in the index keeps its hash. Returns the number of hashes added.
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
                self._append_segment(build(rows, ids, self.radius))
            else:
                self._append_tail(rows, ids)
        self._tidy()
        return len(ids)

    def remove(self, ids: Ids) -> int:
        """Remove hashes by id, int64[N], ignoring unknown ids. Returns how many there were."""
        ids = np.unique(np.asarray(ids, dtype=np.int64))
        removed = 0
        with self._writing:
            state = self._state
            for segment in state.segments:
                rows = segment.find(ids)
                segment.mark(rows)
                removed += len(rows)
            rows = np.nonzero(np.isin(state.tail_ids[: state.tail], ids))[0]
            rows = rows[~is_marked(state.tail_dead, rows)]
            mark(state.tail_dead, rows)
            return int(removed + len(rows))

    def search(self, hash: Hashes) -> tuple[Ids, Ids]:
        """Find the hashes near one, uint8[32]: `(ids, distances)`, nearest first."""
        _, ids, distances = self.search_batch(np.asarray(hash).reshape(1, -1))
        return ids, distances

    def search_batch(self, hashes: Hashes) -> tuple[Ids, Ids, Ids]:
        """Find the hashes near each of many, uint8[Q, 32]: `(limits, ids, distances)`.

        The hits of query `q` are at `limits[q]` to `limits[q + 1]`, nearest first.
        """
        queries, _ = _checked(hashes, None)
        state = self._state
        parts = [np.empty((0, 3), dtype=np.int64)]
        for first in range(0, len(queries), TOGETHER):
            last = min(first + TOGETHER, len(queries))
            parts += _search(state, queries, first, last, self.radius)
        hits = np.concatenate(parts)
        hits = hits[np.lexsort((hits[:, 1], hits[:, 2], hits[:, 0]))]
        limits = np.searchsorted(hits[:, 0], np.arange(len(queries) + 1))
        return limits, hits[:, 1].copy(), hits[:, 2].copy()

    def _known(self, ids: Ids) -> npt.NDArray[np.bool_]:
        state = self._state
        living = [state.tail_ids[: state.tail][~bits_of(state.tail_dead, state.tail)]]
        living += [segment.ids[segment.find(ids)] for segment in state.segments]
        return np.isin(ids, np.concatenate(living))

    def _append_tail(self, rows: Words, ids: Ids) -> None:
        if self._state.tail + len(ids) > TAIL:
            self._flush()
        state = self._state
        first, last = state.tail, state.tail + len(ids)
        state.tail_rows[first:last], state.tail_ids[first:last] = rows, ids
        self._state = msgspec.structs.replace(state, tail=last)

    def _append_segment(self, segment: Segment) -> None:
        state = self._state
        self._state = msgspec.structs.replace(state, segments=(*state.segments, segment))

    def _flush(self) -> None:
        """Turn the tail into a segment. Requires the writing lock."""
        state = self._state
        living = ~bits_of(state.tail_dead, state.tail)
        rows, ids = state.tail_rows[: state.tail][living], state.tail_ids[: state.tail][living]
        segments = state.segments
        if len(ids):
            segments = (*segments, build(rows, ids, self.radius))
        self._state = _with_empty_tail(segments)

    def _tidy(self) -> None:
        """Start merging small segments in the background if there are too many."""
        with self._writing:
            if len(self._state.segments) <= SEGMENTS or self._merging is not None:
                return
            self._merging = threading.Thread(target=self._merge, daemon=True, name="index-merge")
            self._merging.start()

    def _merge(self) -> None:
        """Replace the smallest segments by one. Searches and writes continue meanwhile.

        The merged segments are at most half of the index, so a merge takes at most half as much
        memory again.
        """
        try:
            chosen = self._to_merge()
            if len(chosen) < 2:
                return
            parts = [segment.living() for segment in chosen]
            rows, ids = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
            merged = build(rows, ids, self.radius)
            with self._writing:
                # A hash removed during the merge was marked in the old segments only.
                still = np.concatenate([segment.living()[1] for segment in chosen])
                gone = np.setdiff1d(ids, still)
                merged.mark(merged.find(gone))
                segments = self._state.segments
                others = tuple(segment for segment in segments if segment not in chosen)
                kept = (merged,) if len(merged) else ()
                self._state = msgspec.structs.replace(self._state, segments=(*others, *kept))
        finally:
            self._merging = None

    def _to_merge(self) -> list[Segment]:
        """Choose the smallest segments, in total at most half of the index, or else two."""
        segments = sorted(self._state.segments, key=lambda segment: len(segment.ids))
        half, total, chosen = sum(len(segment.ids) for segment in segments) / 2, 0, []
        for segment in segments:
            total += len(segment.ids)
            if total > half:
                break
            chosen.append(segment)
        # Among a few segments of one size, any two exceed half.
        return chosen if len(chosen) > 1 else segments[:2]

    def settle(self) -> None:
        """Wait for the merge in the background to end."""
        while (merging := self._merging) is not None:
            merging.join()

    def save(self, path: str | Path) -> None:
        """Write a snapshot atomically, with a checksum of each part."""
        with self._writing:
            self._flush()
            segments = self._state.segments
            write_snapshot(Path(path), self.radius, segments)

    @classmethod
    def load(cls, path: str | Path) -> "Index":
        """Open a snapshot as memory that the processes of a machine share.

        Raises `SnapshotRefused` if it is cut off or damaged.
        """
        radius, segments = read_snapshot(Path(path))
        index = cls(radius)
        index._state = _with_empty_tail(segments)
        return index


def warm() -> float:
    """Compile the kernels or load them from the cache. Returns the seconds it took."""
    began = time.perf_counter()
    rows, ids = np.zeros((2, 4), dtype=np.uint64), np.arange(2)
    order, starts = np.zeros(2, dtype=np.uint32), np.zeros(17, dtype=np.uint32)
    kernels.fill(rows, 0, 4, starts, order)
    segment = Segment(rows, ids, np.array([[0, 4, 0]]), starts, order)
    search_segment(segment, rows, 0, 1, 0)
    scan_rows(rows, 2, segment.dead, rows, 0, 1, 0)
    return time.perf_counter() - began


def was_kept() -> bool:
    """Return whether this process loaded all kernels from the cache, compiling none."""
    used = (kernels.fill, kernels.probe, kernels.scan)
    return all(not kernel.stats.cache_misses for kernel in used)


def _search(state: _State, queries: Words, first: int, last: int, radius: int) -> list[Hits]:
    """Return the hits in each segment and the tail: query, id and distance."""
    parts = []
    for segment in state.segments:
        hits = search_segment(segment, queries, first, last, radius)
        hits[:, 1] = segment.ids[hits[:, 1]]
        parts.append(hits)
    if state.tail:
        hits = scan_rows(state.tail_rows, state.tail, state.tail_dead, queries, first, last, radius)
        hits[:, 1] = state.tail_ids[hits[:, 1]]
        parts.append(hits)
    return parts


def _checked(hashes: Hashes, ids: Ids | None) -> tuple[Words, Ids]:
    """Return hashes as words, uint64[N, 4], and their ids. Raises `HashesInvalid`."""
    array = np.asarray(hashes)
    if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] != BYTES:
        raise HashesInvalid(f"Not {array.dtype}{list(array.shape)}.")
    rows = np.ascontiguousarray(array).view(np.uint64).reshape(-1, 4)
    names = np.arange(len(rows)) if ids is None else np.asarray(ids)
    if names.shape != (len(rows),) or not np.issubdtype(names.dtype, np.integer):
        raise HashesInvalid(f"{len(rows)} hashes, and ids of {names.dtype}{list(names.shape)}.")
    return rows, names.astype(np.int64)


__all__ = ("RADIUS", "HashesInvalid", "Index", "SnapshotRefused", "warm", "was_kept")

if __name__ == "__main__":  # at install
    warm()
