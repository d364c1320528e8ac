"""The boxes of the ISO container, which MP4, QuickTime, HEIC and AVIF have in common."""

import struct
from collections.abc import Iterator

import msgspec


class Box(msgspec.Struct, frozen=True):
    """A box: its kind, and the offsets of its beginning, its content and its end."""

    kind: bytes
    start: int
    body: int
    end: int


def box_at(data: bytes, at: int, end: int) -> Box | None:
    """Return the box at an offset, cut at `end`; None if there is no header, or a wrong one."""
    if at + 8 > end:
        return None
    size, kind = struct.unpack_from(">I4s", data, at)
    body = at + 8
    if size == 1 and at + 16 <= end:
        (size,), body = struct.unpack_from(">Q", data, at + 8), at + 16
    after = end if size == 0 else at + size
    return Box(kind, at, body, min(after, end)) if after >= body else None


def boxes_of(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes between two offsets. The last may be cut."""
    end = len(data) if end is None else min(end, len(data))
    while (box := box_at(data, start, end)) is not None:
        yield box
        start = box.end
