"""Uploaded content as records of its hashes, and the join of new hashes against them. Pure.

A record of format 1 is 64 bytes: a PDQ hash (32; zero for none), the id of its check (16), and the
beginnings of its MD5 (6), SHA-1 (5) and SHA-256 (5; zero for none). A file has one record for each
of its views, with its digests in the first. The join finds every check that could match, also
turned or mirrored. The exact lookup then decides.

Stored blocks are never rewritten, and every format stays readable for ever. A new kind of hash is
a new format. Content uploaded before it has no hash of that kind.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from kinward.matching.kinds import kind_of
from kinward.matching.layout import RADIUS, best_layout, cost
from kinward.matching.views import frames_of_views
from kinward.media import View, turn_hashes

# The fields of a record, in their order, and the bytes of each. Never change a format: databases
# have blocks of it. Add another. A kind that is looked up exactly has a field for its beginning, of
# at most 8 bytes and of the same size in every format.
FORMATS: Final[dict[int, tuple[tuple[str, int], ...]]] = {
    1: (("pdq", 32), ("check", 16), ("md5", 6), ("sha1", 5), ("sha256", 5)),
}
CURRENT: Final = max(FORMATS)
SIZES: Final = {name: size for fields in FORMATS.values() for name, size in fields}
BUILDING: Final = 600.0  # nanoseconds a hash, to build an index
SCANNING: Final = 2.5  # nanoseconds a pair of hashes

Records = npt.NDArray[np.void]
Hashes = npt.NDArray[np.uint8]


class Block(Protocol):
    """A block of uploaded content: `count` records of a format, one after the other."""

    pk: Any
    format: Any
    count: Any
    records: Any


class Uploaded(msgspec.Struct, frozen=True):
    """One check: its id, its frames (32 bytes each), and its exact hashes by kind."""

    check: UUID
    frames: list[bytes]
    exact: dict[str, bytes] = {}

    @classmethod
    def of(
        cls, check: UUID, values: Iterable[tuple[str, bytes]], views: Iterable[View] = ()
    ) -> "Uploaded":
        """Return a check with all its hashes. `values`: the name of each kind, and the hash.

        `views` stand for its perceptual hashes.
        """
        shown = frames_of_views(views)
        frames: list[bytes] = []
        exact: dict[str, bytes] = {}
        for name, value in values:
            kind = kind_of(name)
            frames += kind.frames(value)
            for form in kind.exact(value):
                exact[name] = form
        return cls(check, shown or frames, exact)


class New(msgspec.Struct, frozen=True):
    """New hashes: PDQ of images and frames, uint8[N, 32], and sorted beginnings of digests."""

    frames: Hashes
    digests: dict[str, npt.NDArray[np.uint64]]

    def __len__(self) -> int:
        return len(self.frames) + sum(map(len, self.digests.values()))


@cache
def record_type(format: int) -> np.dtype[np.void]:
    """Return the NumPy type of a record of a format."""
    return np.dtype([(name, "u1", size) for name, size in FORMATS[format]])


def pack(checks: Iterable[Uploaded]) -> bytes:
    """Return the records of checks in the current format, one after the other."""
    return b"".join(_records(checks))


def _records(checks: Iterable[Uploaded]) -> Iterator[bytes]:
    exact = [(name, size) for name, size in FORMATS[CURRENT] if name not in ("pdq", "check")]
    for upload in checks:
        digests = b"".join(
            upload.exact.get(name, b"")[:size].ljust(size, b"\0") for name, size in exact
        )
        for frame in upload.frames or [bytes(32)]:
            yield frame + upload.check.bytes + digests
            digests = bytes(len(digests))


def unpack(data: bytes, format: int = CURRENT) -> Records:
    """Return the records in `data` as an array of the format's `record_type`, without a copy."""
    records: Records = np.frombuffer(data, dtype=record_type(format))
    return records


def unpack_blocks(blocks: Sequence[Block]) -> Iterator[Records]:
    """Yield the records of blocks, one array for each format."""
    ordered = sorted(blocks, key=lambda block: int(block.format))
    for format, alike in groupby(ordered, key=lambda block: int(block.format)):
        yield unpack(b"".join(bytes(block.records) for block in alike), format)


def new_hashes(frames: list[bytes], exact: dict[str, list[bytes]]) -> New:
    """Return new hashes in the form that `candidates` takes."""
    return New(
        np.frombuffer(b"".join(frames), dtype=np.uint8).reshape(-1, 32),
        {kind: np.unique(_beginnings(kind, values)) for kind, values in exact.items() if values},
    )


def _beginnings(kind: str, values: list[bytes]) -> npt.NDArray[np.uint64]:
    size = SIZES[kind]
    cut = b"".join(value[:size] for value in values)
    return _numbers(np.frombuffer(cut, dtype=np.uint8).reshape(-1, size))


def _numbers(beginnings: Hashes) -> npt.NDArray[np.uint64]:
    wide = np.zeros((len(beginnings), 8), dtype=np.uint8)
    wide[:, : beginnings.shape[1]] = beginnings
    return wide.view(np.uint64).ravel()


def candidates(records: Records, new: New, way: str = "") -> set[UUID]:
    """Return every check in these records that a new hash could hit.

    `way`: how to compare PDQ hashes: `scan`, `index uploaded` or `index new`. Empty: the cheapest.
    """
    hit = np.zeros(len(records), dtype=bool)
    fields = records.dtype.names or ()
    for kind, wanted in new.digests.items():
        if kind not in fields:
            continue  # this format is older than the kind
        numbers = _numbers(np.ascontiguousarray(records[kind]))
        at = np.minimum(np.searchsorted(wanted, numbers), len(wanted) - 1)
        hit |= (wanted[at] == numbers) & (numbers != 0)
    if len(new.frames):
        pictures = np.nonzero(records["pdq"].any(axis=1))[0]
        turned = turn_hashes(new.frames).reshape(-1, 32)
        near = _near(np.ascontiguousarray(records["pdq"][pictures]), turned, way)
        hit[pictures[near]] = True
    return {UUID(bytes=check.tobytes()) for check in np.unique(records["check"][hit], axis=0)}


def _near(uploaded: Hashes, new: Hashes, way: str) -> npt.NDArray[np.int64]:
    """Return the rows of `uploaded` within the radius of any new hash."""
    if not len(uploaded):
        return np.empty(0, dtype=np.int64)
    ways = {
        "scan": SCANNING * len(uploaded) * len(new),
        "index uploaded": BUILDING * len(uploaded) + len(new) * _search_cost(len(uploaded)),
        "index new": BUILDING * len(new) + len(uploaded) * _search_cost(len(new)),
    }
    way = way or min(ways, key=lambda name: ways[name])
    if way == "scan":
        return _scan(uploaded, new)
    if way == "index uploaded":
        _, ids, _ = _indexed(uploaded).search_batch(new)
        rows: npt.NDArray[np.int64] = np.unique(ids)
        return rows
    limits, _, _ = _indexed(new).search_batch(uploaded)
    return np.nonzero(np.diff(limits))[0]


def _search_cost(count: int) -> float:
    return cost(best_layout(count, RADIUS), count)


def _indexed(hashes: Hashes) -> Any:
    from kinward.matching.hamming import Index  # its compiler takes a second to load

    index = Index(RADIUS)
    index.add(hashes, np.arange(len(hashes)))
    return index


def _scan(uploaded: Hashes, new: Hashes) -> npt.NDArray[np.int64]:
    words = uploaded.view(np.uint64)
    near = np.zeros(len(uploaded), dtype=bool)
    for value in new:
        near |= np.bitwise_count(words ^ value.view(np.uint64)).sum(axis=1) <= RADIUS
    return np.nonzero(near)[0]
