"""Where a file ends that begins at some offset: read from its headers, without decoding."""

import re
import struct
from typing import Final

from kinward.media.parts import boxes
from kinward.media.parts.budget import Budget

EBML_HEAD: Final = 65536  # bytes of the first element of a Matroska file that are searched
_SIGNATURE: Final = 12  # bytes of the box with which JPEG 2000 and JPEG XL begin
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # headers of a JPEG's picture
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FILL: Final = re.compile(rb"\xff{2,}+")
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
# A GIF begins like a packet, too.
_PACKETS: Final = re.compile(
    rb"(?:(?:G(?!IF8[79]a).{187}){5,}+|(?:G(?!IF8[79]a).{191}){4,}+G.{187})", re.DOTALL
)


def jpeg_scan(data: bytes, at: int, budget: Budget) -> int | None:
    """Return the offset after the header of a JPEG's first scan; None if it is no JPEG."""
    at, framed = at + 2, False
    while budget.step() and data[at : at + 1] == b"\xff":
        if (fill := _FILL.match(data, at)) is not None:
            at = fill.end() - 1
            budget.step((fill.end() - fill.start()) // 1024)
        marker = data[at + 1] if at + 1 < len(data) else _EOI
        if marker in _ALONE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        if marker in (0, _SOI, _EOI) or length < 2:
            return None
        framed, at = framed or marker in _FRAMES, at + 2 + length
        if marker == _SOS:
            return at if framed else None
    return None


def jpeg_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of a JPEG, or where the next one begins after its first scan."""
    scan = jpeg_scan(data, at, budget)
    while scan is not None and budget.step():
        found = _MARKER.search(data, scan)
        if found is None:
            return len(data)
        marker = data[found.start() + 1]
        if marker == _EOI:
            return found.end()
        if marker == _SOI:
            return found.start()
        length = int.from_bytes(data[found.end() : found.end() + 2])
        scan = found.end() + (length if marker >= 0xC0 else 0)
    return len(data)


def png_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of a PNG."""
    at += 8
    while at + 12 <= len(data) and budget.step():
        (size,) = struct.unpack_from(">I", data, at)
        kind, at = data[at + 4 : at + 8], at + 12 + size
        if kind == b"IEND":
            return min(at, len(data))
    return len(data)


def gif_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of a GIF."""
    at += 13 + _colours(data[at + 10 : at + 11])
    while at < len(data) and budget.step():
        block = data[at]
        if block == 0x3B:
            return at + 1
        if block == 0x21:
            at += 2
        elif block == 0x2C:
            at += 11 + _colours(data[at + 9 : at + 10])
        else:
            return at
        while at < len(data) and data[at] and budget.step():
            at += 1 + data[at]
        at += 1
    return len(data)


def _colours(flags: bytes) -> int:
    """Return the bytes of a colour table, from the byte that says whether there is one."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def riff_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of a RIFF file: WebP or AVI. A long AVI has several RIFF chunks."""
    while data[at : at + 4] == b"RIFF" and budget.step():
        (size,) = struct.unpack_from("<I", data, at + 4)
        at += 8 + size + (size & 1)
        if data[at + 8 : at + 12] != b"AVIX":
            break
    return min(at, len(data))


def box_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of a file of boxes."""
    return boxes.ends(data, at, budget)


def signed_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of a file of boxes whose first is a signature: JPEG 2000 or JPEG XL."""
    return max(at + _SIGNATURE, boxes.ends(data, at + _SIGNATURE, budget))


def bmp_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of a BMP, as it says itself; of the bytes if it says nothing plausible."""
    (size,) = struct.unpack_from("<I", data, at + 2)
    return at + size if 26 < size <= len(data) - at else len(data)


def packets_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of a run of transport packets."""
    run = _PACKETS.match(data, at)
    return run.end() if run else at


def program_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of an MPEG program stream: of its packs and packets, as far as they go."""
    while data[at : at + 3] == b"\0\0\1" and at + 14 <= len(data) and budget.step():
        code = data[at + 3]
        if code == 0xB9:
            at += 4
        elif code == 0xBA:
            at += 14 + (data[at + 13] & 7) if data[at + 4] >> 6 == 1 else 12
        elif code > 0xBA:
            at += 6 + int.from_bytes(data[at + 4 : at + 6])
        else:
            break
    return min(at, len(data))


def flash_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of an FLV: of its last tag, each of which repeats its size."""
    at += 13
    while at + 15 <= len(data) and budget.step():
        size = int.from_bytes(data[at + 1 : at + 4])
        if int.from_bytes(data[at + 11 + size : at + 15 + size]) != size + 11:
            return at
        at += 15 + size
    return min(at, len(data))


def is_ebml(data: bytes, at: int) -> bool:
    """Return whether the first element of a file names Matroska or WebM, or is too long to ask."""
    end = _element(data, at) or at + 128
    if end - at > EBML_HEAD and len(data) - at > EBML_HEAD:
        return True
    return any(data.find(name, at, end) >= 0 for name in (b"webm", b"matroska"))


def ebml_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of a Matroska or WebM file, if it says its length; else of the bytes."""
    head = _element(data, at)
    segment = _element(data, head) if head else None
    return min(segment, len(data)) if segment else len(data)


def _element(data: bytes, at: int) -> int | None:
    """Return the end of an EBML element with a 4-byte id; None if it says none."""
    if at + 5 > len(data) or not data[at + 4]:
        return None
    width = 9 - data[at + 4].bit_length()
    size = int.from_bytes(data[at + 4 : at + 4 + width]) & ((1 << 7 * width) - 1)
    return None if size == (1 << 7 * width) - 1 else at + 4 + width + size


def ogg_end(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of a chain of Ogg pages."""
    while data[at : at + 4] == b"OggS" and at + 27 <= len(data) and budget.step():
        segments = data[at + 27 : at + 27 + data[at + 26]]
        at += 27 + len(segments) + sum(segments)
    return min(at, len(data))


def rest(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of the bytes, for what does not say where it ends."""
    return len(data)
