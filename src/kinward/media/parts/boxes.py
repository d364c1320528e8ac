"""The boxes of the ISO container, which MP4, QuickTime, HEIC and AVIF have in common."""

import re
import struct
from collections.abc import Iterator
from typing import Final

from kinward.media.formats import QUICKTIME
from kinward.media.iso import Box, box_at
from kinward.media.parts.budget import Budget

TAG: Final = 10  # bytes of the head of a tag of ID3, and of its foot
FOOTER: Final = 0x10  # the flag that says that there is a foot
FILM, AVIF, HEIC = b"isom", b"avif", b"heic"
# Boxes with which a film may begin. Players also skip any other, but then more must follow.
LEADING: Final = frozenset({b"free", b"skip", b"wide", b"uuid", b"mdat", b"moov", b"pnot", b"junk"})
MEDIA: Final = frozenset({b"ftyp", b"moov", b"moof", b"mdat"})
INDEXES: Final = frozenset({b"moov", b"moof"})  # of a film, and of its fragments
_KIND: Final = re.compile(rb"[\x20-\x7e\xa9]{4}")
_HANDLER: Final = re.compile(rb"hdlr.{8}(pict|vide)", re.DOTALL)


def walk(data: bytes, at: int, budget: Budget) -> Iterator[Box]:
    """Yield the boxes one after the other from `at`, until something is no box."""
    while _KIND.match(data, at + 4) and budget.step():
        if (box := box_at(data, at, len(data))) is None:
            return
        yield box
        at = box.end


def begins(data: bytes, at: int, budget: Budget) -> bool:
    """Return whether a file of boxes begins at an offset.

    Players skip boxes that they do not know, in search of `ftyp` or of the index of a film.
    """
    if is_brands(data, at) or data[at + 4 : at + 8] in LEADING:
        return True
    start = at
    while (box := box_at(data, at, len(data))) is not None and budget.step():
        if box.kind == b"moov" or (is_brands(data, at) and at > start):
            return True
        at = box.end
    return False


def _own(data: bytes, at: int, budget: Budget) -> Iterator[Box]:
    """Yield the boxes of one file. What comes before its `ftyp` may be its own; a second is not."""
    begun, leading = False, at == 0 and begins(data, 0, budget)
    anything = leading  # until something says that it is a film
    while (anything or _KIND.match(data, at + 4)) and budget.step():
        box = box_at(data, at, len(data))
        if box is None or (begun and box.kind == b"ftyp"):
            return
        begun = begun or box.kind == b"ftyp" or not (leading or box.kind in LEADING)
        anything = anything and box.kind not in MEDIA
        yield box
        at = box.end


def ends(data: bytes, at: int, budget: Budget) -> int:
    """Return the end of the file of boxes that begins at `at`."""
    return max((box.end for box in _own(data, at, budget)), default=at)


def is_brands(data: bytes, at: int) -> bool:
    """Return whether a box `ftyp` begins at an offset."""
    if at < 0 or data[at + 4 : at + 8] != b"ftyp" or at + 16 > len(data):
        return False
    (size,) = struct.unpack_from(">I", data, at)
    return size >= 16 and bool(_KIND.match(data, at + 8))


def readings(data: bytes, budget: Budget) -> list[bytes]:
    """Return what else a viewer may take a file of boxes for: as a film, and as a picture.

    A viewer asks the boxes, and not only the first brand. Each result has the size and the offsets
    of the file, and begins with the brand that a film or a picture has.
    """
    given, data = data, without_tags(data, budget)
    if not begins(data, 0, budget):
        return []
    if data[4:8] != b"ftyp" and data[4:8] not in QUICKTIME:
        data = data[:4] + b"free" + data[8:]  # which players skip in the same way
    boxes = list(_own(data, 0, budget))
    brands = next((box for box in boxes if box.kind == b"ftyp"), None)
    handlers = [found for box in boxes if box.kind == b"moov" for found in _handlers(data, box)]
    fragments = any(box.kind == b"moof" for box in boxes)
    stills = [box for box in boxes if box.kind == b"meta" and b"pict" in _handlers(data, box)]
    film = b"vide" in handlers or (fragments and not stills)
    early = boxes if brands is None else boxes[: boxes.index(brands)]
    if brands is None or any(box.kind in INDEXES for box in early):
        return [data] if film and data is not given else []
    wanted = [FILM] if film else []
    # No viewer skips tags, or what it does not know, before a picture.
    for meta in stills if data is given and all(box.kind in LEADING for box in early) else ():
        wanted.append(AVIF if data.find(b"av01", meta.body, meta.end) >= 0 else HEIC)
        break
    main = data[brands.body : brands.body + 4]
    return [begun(data, brands, brand) for brand in wanted if brands.start or brand != main]


def without_tags(data: bytes, budget: Budget) -> bytes:
    """Return a file in whose beginning a box `free` stands in place of tags of ID3.

    Players skip such tags, and count offsets in the file from their beginning.
    """
    end = 0
    while data[end : end + 3] == b"ID3" and len(data) >= end + TAG:
        sizes, footer = data[end + 6 : end + TAG], data[end + 5] & FOOTER
        if any(byte & 0x80 for byte in sizes):
            break
        length = sum(byte << 7 * (3 - place) for place, byte in enumerate(sizes))
        end += TAG + length + (TAG if footer else 0)
    if not end or not begins(data, end, budget):
        return data
    return struct.pack(">I4s", end, b"free") + data[8:]


def _handlers(data: bytes, box: Box) -> list[bytes]:
    return [found[1] for found in _HANDLER.finditer(data, box.body, box.end)]


def begun(data: bytes, brands: Box, brand: bytes) -> bytes:
    """Return a file that begins with a box `ftyp` of one brand, in place of all up to its own."""
    size = brands.end
    first = 24 if size == 24 or size >= 32 else 16
    head = struct.pack(">I4s4sI", first, b"ftyp", brand, 0) + (brand + b"mif1")[: first - 16]
    if size > first:
        head += struct.pack(">I4s", size - first, b"free")
    # What is between is not read by anybody: offsets in the file stay as they are.
    return head + data[len(head) :]
