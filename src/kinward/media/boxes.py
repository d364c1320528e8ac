"""What FFmpeg does not tell of a container: crops, covers, colours, unread codecs."""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from kinward.media.iso import box_at

MOST: Final = 20_000  # boxes of a file
DEEPEST: Final = 12
MOST_COVERS: Final = 8
MOST_LOOKS: Final = 4  # crops, and ways to read colours
UNSAID: Final = 2  # the colour space of a file that does not say
FOLDERS: Final = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"ilst", b"covr"))
BEFORE_COVER: Final = 8  # bytes of a `data` box before the picture
# Bytes of a sample entry of video before the boxes in it.
BEFORE_BOXES: Final = 86
CLAP: Final = struct.Struct(">IIIIiIiI")

SEGMENT, TRACKS, ENTRY, VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
WIDTH, HEIGHT = 0xB0, 0xBA
COLOUR, MATRIX, RANGE = 0x55B0, 0x55B1, 0x55B9
TOP, BOTTOM, LEFT, RIGHT = 0x54BB, 0x54AA, 0x54CC, 0x54DD


class Crop(msgspec.Struct, frozen=True):
    """A rectangle that some players show of a frame of this size, in pixels."""

    width: int
    height: int
    top: int
    bottom: int
    left: int
    right: int

    def is_real(self) -> bool:
        """Return whether it is in the frame, is not all of it, and is not tiny."""
        inside = 0 <= self.top < self.bottom <= self.height
        inside = inside and 0 <= self.left < self.right <= self.width
        whole = (self.bottom - self.top, self.right - self.left) == (self.height, self.width)
        return inside and not whole and min(self.bottom - self.top, self.right - self.left) >= 16


class Colours(msgspec.Struct, frozen=True):
    """How a container says that colours are to be read: the number of a colour space, and range.

    `full`: whether luma uses all levels; None if it does not say.
    """

    space: int = UNSAID
    full: bool | None = None


class Claims(msgspec.Struct):
    """What a container says besides its streams.

    `colours`: of any of its tracks. Frames may say something else. `unread`: a track changes its
    codec, of which FFmpeg reads only the first one, or too much is said of colours.
    """

    crops: list[Crop] = msgspec.field(default_factory=list)
    colours: list[Colours] = msgspec.field(default_factory=list)
    covers: list[bytes] = msgspec.field(default_factory=list)
    unread: bool = False


def read_claims(data: bytes, format: str) -> Claims:
    """Return what the boxes of an MP4 or Matroska file say. Never raises."""
    claims = Claims()
    try:
        if format == "mp4":
            _read_mp4(data, claims)
        elif format == "matroska":
            _read_matroska(data, claims)
    except (struct.error, IndexError, ZeroDivisionError, OverflowError):
        pass  # what FFmpeg makes of a broken file decides
    claims.crops = [crop for crop in dict.fromkeys(claims.crops) if crop.is_real()][:MOST_LOOKS]
    told = [colours for colours in dict.fromkeys(claims.colours) if colours != Colours()]
    claims.unread = claims.unread or len(told) > MOST_LOOKS
    claims.colours = told[:MOST_LOOKS]
    return claims


def _read_mp4(data: bytes, claims: Claims) -> None:
    left = [MOST]
    for path, start, end in _boxes(data, 0, len(data), (), left):
        if path[-1] == b"stsd":
            _read_entries(data, start + 8, end, claims, left)
        elif path[-2:] == (b"covr", b"data") and len(claims.covers) < MOST_COVERS:
            claims.covers.append(data[start + BEFORE_COVER : end])


def _boxes(
    data: bytes, start: int, end: int, path: tuple[bytes, ...], left: list[int]
) -> Iterator[tuple[tuple[bytes, ...], int, int]]:
    """Yield the path of each box, and where its content begins and ends."""
    while left[0] > 0 and (box := box_at(data, start, end)) is not None:
        left[0] -= 1
        kind, inside, until = box.kind, box.body, box.end
        yield (*path, kind), inside, until
        if kind == b"meta" and path[-1:] == (b"udta",):
            # QuickTime's has no version before its boxes.
            inside += 0 if data[inside + 4 : inside + 8] == b"hdlr" else 4
            yield from _boxes(data, inside, until, (*path, kind), left)
        elif kind in FOLDERS and len(path) < DEEPEST:
            yield from _boxes(data, inside, until, (*path, kind), left)
        start = until


def _read_entries(data: bytes, start: int, end: int, claims: Claims, left: list[int]) -> None:
    kinds = set()
    while start + 8 <= end and left[0] > 0:
        left[0] -= 1
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8:
            break
        kinds.add(kind)
        if size > BEFORE_BOXES:
            width, height = struct.unpack_from(">HH", data, start + 32)
            inside = start + BEFORE_BOXES
            for path, at, until in _boxes(data, inside, min(start + size, end), (), left):
                if path == (b"clap",):
                    claims.crops.append(_clean_aperture(width, height, CLAP.unpack_from(data, at)))
                elif path == (b"colr",):
                    claims.colours += _coded_colours(data[at:until])
        start += size
    claims.unread = claims.unread or len(kinds) > 1


def _clean_aperture(width: int, height: int, parts: tuple[int, ...]) -> Crop:
    wide, high = parts[0] / parts[1], parts[2] / parts[3]
    left = (width - wide) / 2 + parts[4] / parts[5]
    top = (height - high) / 2 + parts[6] / parts[7]
    return Crop(width, height, round(top), round(top + high), round(left), round(left + wide))


def _coded_colours(box: bytes) -> list[Colours]:
    """Return what a box says by code points; nothing if it holds a profile."""
    if box[:4] not in (b"nclx", b"nclc"):
        return []
    (space,) = struct.unpack_from(">H", box, 8)
    return [Colours(space, bool(box[10] & 0x80) if box[:4] == b"nclx" else None)]


def _read_matroska(data: bytes, claims: Claims) -> None:
    left = [MOST]
    for segment in _elements(data, 0, len(data), left, SEGMENT):
        for tracks in _elements(data, *segment, left, TRACKS):
            for entry in _elements(data, *tracks, left, ENTRY):
                for video in _elements(data, *entry, left, VIDEO):
                    _read_crop(data, *video, claims, left)
                    for colour in _elements(data, *video, left, COLOUR):
                        _read_colours(data, *colour, claims, left)


def _read_crop(data: bytes, start: int, end: int, claims: Claims, left: list[int]) -> None:
    sides = (WIDTH, HEIGHT, TOP, BOTTOM, LEFT, RIGHT)
    told = _numbers(data, start, end, left, sides)
    width, height = told.get(WIDTH, 0), told.get(HEIGHT, 0)
    bottom, right = height - told.get(BOTTOM, 0), width - told.get(RIGHT, 0)
    claims.crops.append(Crop(width, height, told.get(TOP, 0), bottom, told.get(LEFT, 0), right))


def _read_colours(data: bytes, start: int, end: int, claims: Claims, left: list[int]) -> None:
    told = _numbers(data, start, end, left, (MATRIX, RANGE))
    full = {1: False, 2: True}.get(told.get(RANGE, 0))
    claims.colours.append(Colours(told.get(MATRIX, UNSAID), full))


def _numbers(
    data: bytes, start: int, end: int, left: list[int], wanted: Sequence[int]
) -> dict[int, int]:
    """Return the values of those elements that hold a number, the last one of each."""
    return {
        number: int.from_bytes(data[at : min(until, at + 8)])
        for number in wanted
        for at, until in _elements(data, start, end, left, number)
    }


def _elements(
    data: bytes, start: int, end: int, left: list[int], wanted: int
) -> Iterator[tuple[int, int]]:
    """Yield where the content of each element of this number begins and ends."""
    while start < end and left[0] > 0:
        left[0] -= 1
        length = 9 - data[start].bit_length()
        number = int.from_bytes(data[start : start + length])
        start += length
        length = 9 - data[start].bit_length()
        size = int.from_bytes(data[start : start + length]) & ((1 << 7 * length) - 1)
        unknown = size == (1 << 7 * length) - 1
        start += length
        after = end if unknown else start + size
        if number == wanted:
            yield start, min(after, end)
        start = after
