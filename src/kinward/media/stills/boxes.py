"""Boxes of ISO containers: what AVIF and HEIC say outside the coded pictures."""

import io
import struct
from collections.abc import Iterator
from typing import Final

import av

from kinward.media.iso import Box, boxes_of
from kinward.media.stills.primaries import coded_profile

# Bytes before the boxes inside.
CONTAINERS: Final = {b"meta": 4, b"stsd": 8, b"av01": 78, b"hvc1": 78}
TRACK: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
COLOURS: Final = (
    (b"meta", b"iprp", b"ipco", b"colr"),
    (*TRACK, b"av01", b"colr"),
    (*TRACK, b"hvc1", b"colr"),
)
PICTURES: Final = frozenset({b"av01", b"grid", b"hvc1", b"iovl", b"iden", b"tmap"})


def find(data: bytes, *path: bytes) -> list[Box]:
    """Return the boxes at the end of a path of names, such as `meta`, `pitm`."""
    found = [Box(b"", 0, 0, len(data))]
    for kind in path:
        found = [
            inner
            for outer in found
            for inner in boxes_of(data, outer.body + CONTAINERS.get(outer.kind, 0), outer.end)
            if inner.kind == kind
        ]
    return found


def with_brand(data: bytes, brand: bytes) -> bytes:
    """Return a file that says that it is of another brand, so that its other pictures are read."""
    return data[:8] + brand + data[12:]


def profiles_of(data: bytes) -> list[bytes]:
    """Return the colour profiles that a file holds: those of ICC, then those told by numbers.

    If its boxes have no numbers, those of its coded pictures count, as in Chromium.
    """
    found, told = [], []
    for path in COLOURS:
        for box in find(data, *path):
            kind, body = data[box.body : box.body + 4], data[box.body + 4 : box.end]
            if kind in (b"prof", b"rICC"):
                found.append(body)
            elif kind == b"nclx" and len(body) >= 4:
                told.append(coded_profile(*struct.unpack_from(">HH", body)))
    return list(dict.fromkeys(found + (told or _told_in_pictures(data))))


def _told_in_pictures(data: bytes) -> list[bytes]:
    """Return the profile of the numbers in the first coded picture of an AVIF, if it is no sRGB."""
    if data[8:10] != b"av":
        return []
    try:
        with av.open(io.BytesIO(data), "r", format="mov") as container:
            context = container.streams.video[0].codec_context
            profile = coded_profile(int(context.color_primaries), int(context.color_trc))
    except (av.FFmpegError, ValueError, OverflowError, LookupError, AttributeError):
        return []
    return [profile] if profile else []


def crops_of(data: bytes) -> list[tuple[float, ...]]:
    """Return the width, height and offsets of the centre of each clean aperture (`clap`)."""
    crops = []
    for box in find(data, b"meta", b"iprp", b"ipco", b"clap"):
        if box.end - box.body >= 32:
            numbers = struct.unpack_from(">IIIIiIiI", data, box.body)
            if all(numbers[1::2]):
                pairs = zip(numbers[::2], numbers[1::2], strict=True)
                crops.append(tuple(over / under for over, under in pairs))
    return list(dict.fromkeys(crops))


def other_primaries(data: bytes) -> list[bytes]:
    """Return copies of a file whose primary item is another of its pictures, each in turn."""
    places = find(data, b"meta", b"pitm")
    entries = find(data, b"meta", b"iinf")
    if not places or not entries:
        return []
    place, wide = places[0], data[places[0].body] > 0
    size = 4 if wide else 2
    primary = int.from_bytes(data[place.body + 4 : place.body + 4 + size])
    used = _used_items(data)
    copies = []
    items = list(_items(data, entries[0]))
    if any(kind == b"hvc1" for _, kind, _, _ in items):
        return []  # the decoder of HEIC gives all its pictures
    for number, kind, hidden, _ in items:
        if number != primary and kind in PICTURES and not hidden and number not in used:
            copies.append(_with_primary(data, place, number))
    return copies


def _items(data: bytes, entries: Box) -> Iterator[tuple[int, bytes, bool, int]]:
    """Yield the number and type of each item, whether it is hidden, and where its type stands."""
    start = entries.body + (6 if data[entries.body] == 0 else 8)
    for box in boxes_of(data, start, entries.end):
        hidden, size = bool(data[box.body + 3] & 1), 4 if data[box.body] >= 3 else 2
        at = box.body + 6 + size
        if box.kind == b"infe" and at + 4 <= box.end:  # its name may be empty
            number = int.from_bytes(data[box.body + 4 : box.body + 4 + size])
            yield number, data[at : at + 4], hidden, at


def thumbnails(data: bytes) -> list[bytes]:
    """Return copies of a file whose primary item is each of its thumbnails, and is none."""
    places, found = find(data, b"meta", b"pitm"), find(data, b"meta", b"iref")
    copies = []
    for iref in found if places else ():
        size = 4 if data[iref.body] else 2
        for box in _references(data, iref):
            if box.kind == b"thmb" and box.body + size <= box.end:
                number = int.from_bytes(data[box.body : box.body + size])
                plain = data[: box.start + 4] + b"skip" + data[box.start + 8 :]
                copies.append(_with_primary(plain, places[0], number))
    return copies


def _with_primary(data: bytes, pitm: Box, number: int) -> bytes:
    size, at = 4 if data[pitm.body] else 2, pitm.body + 4
    return data[:at] + (number % (1 << 8 * size)).to_bytes(size) + data[at + size :]


def without_exif(data: bytes) -> bytes:
    """Return a file whose EXIF is an item of no known type. Browsers turn no AVIF by it."""
    for entries in find(data, b"meta", b"iinf"):
        for _, kind, _, at in _items(data, entries):
            if kind == b"Exif":
                data = data[:at] + b"skip" + data[at + 4 :]
    return data


def as_straight(data: bytes) -> bytes | None:
    """Return a file that does not say that its colours are multiplied by its alpha; else None."""
    found = find(data, b"meta", b"iref")
    places = [box.start for iref in found for box in _references(data, iref) if box.kind == b"prem"]
    for at in places:
        data = data[: at + 4] + b"skip" + data[at + 8 :]
    return data if places else None


def _references(data: bytes, iref: Box) -> Iterator[Box]:
    yield from boxes_of(data, iref.body + 4, iref.end)


def _used_items(data: bytes) -> set[int]:
    """Return the items that are parts or companions of others, such as tiles and alpha."""
    used: set[int] = set()
    for box in find(data, b"meta", b"iref"):
        size = 4 if data[box.body] else 2
        for reference in _references(data, box):
            at = reference.body
            of = int.from_bytes(data[at : at + size])
            count = int.from_bytes(data[at + size : at + size + 2])
            at += size + 2
            to = [
                int.from_bytes(data[place : place + size])
                for place in range(at, min(at + count * size, reference.end), size)
            ]
            used.update(to if reference.kind == b"dimg" else [of])
    return used
