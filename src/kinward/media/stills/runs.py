"""Bitmaps with run lengths, and those of two bits: Pillow misreads some and refuses others."""

import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from kinward.media.stills.reading import Pixels

USUAL: Final = 40  # bytes of a header that says how its rows are packed
PACKED: Final = {(8, 1), (4, 2), (24, 4)}  # bits of a pixel, and the number of the packing
COLOURS: Final = 256
END_OF_ROW, END, MOVE = 0, 1, 2


class _Painted(NamedTuple):
    """Numbers of colours, or colours, uint32[H, W], and which of them a run painted."""

    values: npt.NDArray[np.uint32]
    painted: npt.NDArray[np.bool_]
    whole: bool
    over: bool  # whether a run is longer than its row


def is_ours(bitmap: bytes) -> bool:
    """Return whether a bitmap, from its header on, is one that is decoded here."""
    if len(bitmap) < USUAL:
        return False
    length, depth, packing = struct.unpack_from("<I10xHI", bitmap)
    return length >= USUAL and ((depth, packing) in PACKED or (depth, packing) == (2, 0))


def decode(
    bitmap: bytes, start: int, admit: Callable[[int, int], None]
) -> Iterator[tuple[Pixels, bool]]:
    """Yield the pixels, uint8[H, W, 4] in RGBA, and whether all were there.

    What no run paints is transparent, over the first colour: browsers show what is below, others
    that colour. A run that is longer than its row is cut, or ends the picture, and both are read.
    `start`: where the rows begin. `admit` raises if there are too many pixels.
    """
    length, width, height, depth, packing = struct.unpack_from("<Iii2xHI", bitmap)
    admit(width, abs(height))
    if width <= 0 or not height:
        raise ValueError("no picture")
    (count,) = struct.unpack_from("<I", bitmap, 32)
    count = min(count or COLOURS, 1 << depth) if depth <= 8 else 0
    table = np.zeros((COLOURS, 4), np.uint8)
    given = np.frombuffer(bitmap[length : length + 4 * count], np.uint8)
    given = given[: len(given) // 4 * 4].reshape(-1, 4)
    table[: len(given)] = given
    rows = memoryview(bitmap)[start or length + 4 * count :]
    for cut in (True, False):
        painted = (
            _rows(rows, width, abs(height))
            if not packing
            else _runs(rows, (width, abs(height)), depth, cut=cut)
        )
        if painted.over or cut:
            yield _coloured(painted, table, depth, up=height > 0), painted.whole
        if not painted.over:
            return


def _coloured(painted: _Painted, table: Pixels, depth: int, *, up: bool) -> Pixels:
    pixels = (
        table[painted.values]
        if depth <= 8
        else painted.values.view(np.uint8).reshape(*painted.values.shape, 4)
    )
    pixels = pixels[..., [2, 1, 0, 3]]
    pixels[..., 3] = np.where(painted.painted, 255, 0)
    return np.ascontiguousarray(pixels[:: -1 if up else 1])


def _rows(coded: memoryview, width: int, height: int) -> _Painted:
    """Return the rows of a bitmap of two bits a pixel."""
    stride = (2 * width + 31) // 32 * 4
    there = np.frombuffer(bytes(coded[: stride * height]).ljust(stride * height, b"\0"), np.uint8)
    parts = there.reshape(height, stride, 1) >> np.array([6, 4, 2, 0], np.uint8) & 3
    values = parts.reshape(height, -1)[:, :width].astype(np.uint32)
    whole = len(coded) >= stride * height
    return _Painted(values, np.ones(values.shape, np.bool_), whole, over=False)


def _runs(coded: memoryview, size: tuple[int, int], depth: int, *, cut: bool) -> _Painted:
    """Return what runs paint. `cut`: whether one that is longer than its row is cut off."""
    width, height = size
    values = np.zeros((height, width), np.uint32)
    painted = np.zeros((height, width), np.bool_)
    x = y = at = 0
    over, bytes_each = False, 3 if depth == 24 else 1
    while at + 2 <= len(coded) and y < height:
        count, code = coded[at], coded[at + 1]
        if not count and code <= MOVE:
            if code == END:
                return _Painted(values, painted, whole=True, over=over)
            moved = coded[at + 2 : at + 4] if code == MOVE else b""
            x, y = (x + moved[0], y + moved[1]) if len(moved) == 2 else (0, y + 1)
            at += 2 + len(moved)
            continue
        if count:
            length, begin = bytes_each, at + 1
            at = begin + length
        else:
            count, begin = code, at + 2
            length = (count * depth + 7) // 8
            at = begin + length + length % 2
        over |= x + count > width
        if over and not cut:
            return _Painted(values, painted, whole=False, over=True)
        end = min(x + count, width)
        row = _samples(coded[begin : begin + length], depth, count)[: max(0, end - x)]
        values[y, x : x + len(row)] = row
        painted[y, x : x + len(row)] = True
        x = max(x, end)
    return _Painted(values, painted, whole=y >= height, over=over)


def _samples(coded: memoryview, depth: int, count: int) -> npt.NDArray[np.uint32]:
    """Return so many samples; those of a run are repeated."""
    samples = np.frombuffer(coded, np.uint8)
    if depth == 4:
        samples = np.stack([samples >> 4, samples & 15], axis=1).reshape(-1)
    elif depth == 24:
        whole = samples[: len(samples) // 3 * 3].reshape(-1, 3).astype(np.uint32)
        return np.resize(whole @ np.array([1, 1 << 8, 1 << 16], np.uint32), count)
    return np.resize(samples, count).astype(np.uint32)
