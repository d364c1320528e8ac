"""The search for the beginnings of files in some bytes: one pass, in which nothing is decoded."""

import re
import struct
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Final

import msgspec
from ahocorasick_rs import BytesAhoCorasick, MatchKind

from kinward.media.parts import boxes, extents
from kinward.media.parts.budget import MIB, Budget

BLOCK: Final = MIB  # searched at a time, so that a block of nothing but signatures costs little
OVERLAP: Final = 32
MAX_FOUND: Final = 65_536
# Five packets of 188 bytes in a row, or of 192: with a time before each, as camcorders write them.
_PACKETS: Final = re.compile(
    rb"G(?=.{187}G.{187}G.{187}G.{187}G|.{191}G.{191}G.{191}G.{191}G)", re.DOTALL
)
_SHORT, _LONG = 188, 192

Check = Callable[[bytes, int, Budget], bool]
End = Callable[[bytes, int, Budget], int]


class Signature(msgspec.Struct, frozen=True):
    """How a kind of file is found.

    `pattern`: bytes that every such file has, `back` bytes after its beginning. `check`: whether it
    is really one. `end`: where it ends. `run`: whether others of its kind inside it belong to it.
    `weak`: other bytes may look so by accident.
    """

    kind: str
    pattern: bytes
    check: Check
    end: End = extents.rest
    back: int = 0
    run: bool = False
    weak: bool = False


class Found(msgspec.Struct, frozen=True):
    """The beginning of a file of some kind."""

    start: int
    signature: Signature


def _always(data: bytes, at: int, budget: Budget) -> bool:
    return True


def _is_jpeg(data: bytes, at: int, budget: Budget) -> bool:
    return extents.jpeg_scan(data, at, budget) is not None


def _is_riff(data: bytes, at: int, budget: Budget) -> bool:
    return data[at + 8 : at + 12] in (b"WEBP", b"AVI ")


def _is_boxes(data: bytes, at: int, budget: Budget) -> bool:
    return boxes.is_brands(data, at) and len(list(islice(boxes.walk(data, at, budget), 2))) == 2


def _is_bmp(data: bytes, at: int, budget: Budget) -> bool:
    return data[at : at + 2] == b"BM" and (
        data[at + 14] == 12 or data[at + 26 : at + 28] == b"\1\0"
    )


def _is_tiff(data: bytes, at: int, budget: Budget) -> bool:
    """Return whether a picture in TIFF begins here. The metadata of a JPEG is in TIFF, too."""
    order = "<" if data[at] == 0x49 else ">"
    if at + 8 > len(data) or data[at - 6 : at] == b"Exif\0\0":
        return False
    (first,) = struct.unpack_from(f"{order}I", data, at + 4)
    if first < 8 or at + first + 2 > len(data):
        return False
    (count,) = struct.unpack_from(f"{order}H", data, at + first)
    begin, tags = at + first + 2, set[int]()
    for entry in range(begin, min(begin + 12 * count, len(data) - 11), 12):
        tags.add(struct.unpack_from(f"{order}H", data, entry)[0])
        if {256, 257} <= tags or not budget.step():
            return {256, 257} <= tags
    return False


def _is_program(data: bytes, at: int, budget: Budget) -> bool:
    """Return whether a pack of an MPEG program stream begins here, of version 2 or 1."""
    if at + 12 > len(data):
        return False
    first, third, fifth = data[at + 4], data[at + 6], data[at + 8]
    newer = first & 0xC4 == 0x44 and third & 4 and fifth & 4 and data[at + 9] & 1
    return bool(newer or (first & 0xF1 == 0x21 and third & 1 and fifth & 1))


def _is_matroska(data: bytes, at: int, budget: Budget) -> bool:
    return extents.is_ebml(data, at)


def _is_flash(data: bytes, at: int, budget: Budget) -> bool:
    return data[at + 5 : at + 9] == b"\0\0\0\x09"


def _is_member(data: bytes, at: int, budget: Budget) -> bool:
    return at + 30 <= len(data)


_ASF: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ZIP, PDF, DATA = "zip", "pdf", "data"
PACKED: Final = frozenset({ZIP, PDF, DATA})  # these hold files, and are none that is shown

SIGNATURES: Final = (
    Signature("jpeg", b"\xff\xd8\xff", _is_jpeg, extents.jpeg_end),
    Signature("png", b"\x89PNG\r\n\x1a\n", _always, extents.png_end),
    Signature("gif", b"GIF87a", _always, extents.gif_end),
    Signature("gif", b"GIF89a", _always, extents.gif_end),
    Signature("riff", b"RIFF", _is_riff, extents.riff_end),
    Signature("boxes", b"ftyp", _is_boxes, extents.box_end, back=4),
    Signature("bmp", b"\x28\0\0\0", _is_bmp, extents.bmp_end, back=14, weak=True),
    Signature("bmp", b"\x0c\0\0\0", _is_bmp, extents.bmp_end, back=14, weak=True),
    Signature("bmp", b"\x6c\0\0\0", _is_bmp, extents.bmp_end, back=14, weak=True),
    Signature("bmp", b"\x7c\0\0\0", _is_bmp, extents.bmp_end, back=14, weak=True),
    Signature("tiff", b"II*\0", _is_tiff, weak=True),
    Signature("tiff", b"MM\0*", _is_tiff, weak=True),
    Signature("jpeg 2000", b"\0\0\0\x0cjP  \r\n\x87\n", _always, extents.signed_end),
    Signature("jpeg 2000", b"\xff\x4f\xff\x51\0", _always, weak=True),
    Signature("jpeg xl", b"\0\0\0\x0cJXL \r\n\x87\n", _always, extents.signed_end),
    Signature("matroska", b"\x1a\x45\xdf\xa3", _is_matroska, extents.ebml_end),
    Signature("ogg", b"OggS\0\2", _always, extents.ogg_end, run=True, weak=True),
    Signature("program", b"\0\0\1\xba", _is_program, extents.program_end, run=True, weak=True),
    Signature("flash", b"FLV\1", _is_flash, extents.flash_end, run=True, weak=True),
    Signature("asf", _ASF, _always, run=True),
    Signature(ZIP, b"PK\3\4", _is_member),
    Signature(PDF, b"%PDF-", _always),
    Signature(DATA, b";base64,", _always),
    Signature(DATA, b";BASE64,", _always),
)
TRANSPORT: Final = Signature("transport", b"G", _always, extents.packets_end, run=True, weak=True)


# Those whose last bytes may be the first of another, such as `(` and three zeros.
_HIDING: Final = frozenset(
    number
    for number, signature in enumerate(SIGNATURES)
    if any(
        other.pattern.startswith(signature.pattern[at:])
        for other in SIGNATURES
        for at in range(1, len(signature.pattern))
    )
)


@cache
def _searcher() -> BytesAhoCorasick:
    # With this kind of match the library compares 16 or more bytes at a time.
    patterns = [signature.pattern for signature in SIGNATURES]
    return BytesAhoCorasick(patterns, matchkind=MatchKind.LeftmostFirst)


def scan(data: bytes, budget: Budget) -> Iterator[Found]:
    """Yield the beginnings of files, by signature; those of transport streams come first.

    It stops when the time of the budget is up, or after `MAX_FOUND`.
    """
    yield from _transports(data, budget)
    view, after, count = memoryview(data), 0, 0
    for at in range(0, len(data), BLOCK):
        if budget.is_late():
            return
        for which, start in _matches(view[at : at + BLOCK + OVERLAP]):
            signature = SIGNATURES[which]
            begin = at + start - signature.back
            if at + start < after or begin < 0:
                continue  # it is in the overlap and was seen
            after = at + start + 1
            if signature.check(data, begin, budget):
                count += 1
                yield Found(begin, signature)
            if count == MAX_FOUND:
                budget.cut = True
                return


def _matches(view: memoryview) -> Iterator[tuple[int, int]]:
    """Yield the number of each signature and where its pattern begins, in that order."""
    for which, start, end in _searcher().find_matches_as_indexes(view):
        yield which, start
        if which in _HIDING:  # another may begin before its end, and the search passes over that
            for other, later in _matches(view[start + 1 : end + OVERLAP]):
                if start + 1 + later >= end:
                    break
                yield other, start + 1 + later


def _transports(data: bytes, budget: Budget) -> Iterator[Found]:
    at = 0
    while not budget.is_late() and (found := _PACKETS.search(data, at)) is not None:
        yield Found(found.start(), TRANSPORT)
        at = max(extents.packets_end(data, found.start(), budget), found.start() + 5 * _LONG)


def transport(data: bytes) -> bytes:
    """Return a transport stream in packets of 188 bytes from one of 192, or as it is."""
    if data[_SHORT : _SHORT + 1] == b"G":
        return data
    view = memoryview(data)
    return b"".join(view[at : at + _SHORT] for at in range(0, len(data) - _SHORT + 1, _LONG))
