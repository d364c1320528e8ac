"""BMP: headers of every length that browsers take, and the colour profile of the newest."""

import struct
from typing import Final

import numpy as np

from kinward.media.formats import is_bitmap_header
from kinward.media.stills.profiles import UNREAD

FILE: Final = 14  # bytes of the header of a file
CORE: Final = 12  # bytes of the oldest header of a bitmap
USUAL: Final = 40
NEWEST: Final = 124
KNOWN: Final = frozenset({CORE, USUAL, 52, 56, 64, 108, NEWEST})  # to Pillow
COUNTS: Final = (("<H", 14), ("<I", 32))  # the bits of a pixel, and the colours of a palette
EMBEDDED: Final = b"DEBM"  # a profile stands in the file
CALIBRATED: Final = bytes(4)  # the header says the primaries and the gammas


def with_usual_header(data: bytes) -> bytes:
    """Return a BMP whose header Pillow knows: what a short one lacks is zero."""
    (length,) = struct.unpack_from("<I", data, FILE)
    if length >= USUAL and len(data) >= FILE + USUAL:
        data = data[:FILE] + _with_fewer_colours(data[FILE:])
    if length in KNOWN or not is_bitmap_header(length):
        return data
    (at,) = struct.unpack_from("<I", data, 10)
    bitmap = bitmap_with_usual_header(data[FILE:])
    moved = max(0, at + USUAL - length) if at else 0
    return data[:10] + struct.pack("<I", moved) + bitmap


def bitmap_with_usual_header(bitmap: bytes) -> bytes:
    """Return the same for a bitmap without a header of a file, as in an icon."""
    (length,) = struct.unpack_from("<I", bitmap)
    if length == CORE:
        return _modern(bitmap)
    if length >= USUAL and len(bitmap) >= USUAL:
        bitmap = _with_fewer_colours(bitmap)
    if length in KNOWN or not is_bitmap_header(length):
        return bitmap
    fields = bitmap[4 : min(length, USUAL)].ljust(USUAL - 4, b"\0")
    return struct.pack("<I", USUAL) + fields + bitmap[length:]


def _with_fewer_colours(bitmap: bytes) -> bytes:
    """Return a bitmap that claims no more colours than its pixels can name, as browsers read it."""
    (depth,), (colours,) = (struct.unpack_from(form, bitmap, at) for form, at in COUNTS)
    if depth > 8 or colours <= 1 << depth:
        return bitmap
    return bitmap[:32] + struct.pack("<I", 1 << depth) + bitmap[36:]


def _modern(bitmap: bytes) -> bytes:
    """Return a bitmap with the oldest header, and colours of three bytes, as newer ones have it."""
    width, height, planes, depth = struct.unpack_from("<4H", bitmap, 4)
    head = struct.pack("<IIIHH", USUAL, width, height, planes, depth).ljust(USUAL, b"\0")
    end = CORE + 3 * (1 << depth if depth <= 8 else 0)
    colours = (bitmap[at : at + 3] + b"\0" for at in range(CORE, end, 3))
    return head + b"".join(colours) + bitmap[end:]


def profiles_of(data: bytes) -> tuple[bytes, ...]:
    """Return the colour profile of a BMP, if it has one."""
    head = data[FILE : FILE + NEWEST]
    if len(head) < 108 or head[0] not in (108, NEWEST):
        return ()
    kind = head[56:60]
    if kind == EMBEDDED and len(head) == NEWEST and head[0] == NEWEST:
        at, length = struct.unpack_from("<II", head, 112)
        return (data[FILE + at : FILE + at + length],)
    calibrated = kind == CALIBRATED and any(head[60:108])
    return (UNREAD,) if calibrated else ()


def from_the_beginning(data: bytes) -> tuple[bytes, ...]:
    """Return a BMP whose rows begin with the file itself, if it says 0; else nothing.

    Chromium reads it so. Others take the rows that follow the header.
    """
    if any(data[10:FILE]):
        return ()
    return (data[:10] + struct.pack("<I", len(data)) + data[FILE:] + data,)


def without_alpha(bitmap: bytes) -> bytes | None:
    """Return the bitmap of an icon in 24 bits, with its mask, if it has 32; else None."""
    length, width, height, depth, packing = struct.unpack_from("<IiixxHI", bitmap)
    rows = abs(height) // 2
    end = length + 4 * width * rows
    if length < USUAL or (depth, packing) != (32, 0) or width <= 0 or len(bitmap) < end:
        return None
    samples = np.frombuffer(bitmap, np.uint8, 4 * width * rows, length).reshape(rows, width, 4)
    colours = np.pad(samples[..., :3].reshape(rows, 3 * width), ((0, 0), (0, -3 * width % 4)))
    head = bitmap[:14] + struct.pack("<H", 24) + bitmap[16:length]
    return head + colours.tobytes() + bitmap[end:]
