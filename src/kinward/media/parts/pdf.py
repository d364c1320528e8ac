"""The pictures of a PDF, read from its streams without its table of contents.

JPEG pictures that are packed no further are found by their signature. Here are the others: packed
JPEG and JPEG 2000, plain pixels, and pictures inside the streams that draw pages. An encrypted file
has nothing that can be read. What is drawn, and how pictures are cut or coloured there, is not
worked out: the search notes that something is drawn.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from kinward.media.jpeg import with_profile
from kinward.media.parts.budget import Budget
from kinward.media.parts.dictionary import Entries, entries_at, unescaped
from kinward.media.parts.drawing import draws, inline_pictures
from kinward.media.parts.extents import jpeg_scan
from kinward.media.parts.filters import of_hex, unfiltered
from kinward.media.parts.pixels import BITS, Pixels, Rows, as_palette, literal

MAX_STREAMS: Final = 20_000
MAX_OBJECTS: Final = 200_000
MAX_VALUE: Final = 65_536  # bytes of a value that stands elsewhere
_BLANK: Final = re.compile(rb"(?:[\0\t\n\f\r ]|%[^\r\n]*+[\r\n])*+")
_BEGIN: Final = re.compile(_BLANK.pattern + rb"stream(?:[ \t]*+(?:\r\n|\n|\r))?")
_STREAM: Final = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
_END: Final = re.compile(rb"endstream|(?<!end)stream(?:\r\n|\n|\r)")
_ENDED: Final = re.compile(_BLANK.pattern + rb"endstream")
_ENCRYPTED: Final = re.compile(rb"/Encrypt\s*(?:\d|<<)")
_BLENDED: Final = re.compile(
    rb"/BM\s*+\[?\s*+/(?!Normal|Compatible)|/SMask\s*+<<|/SMask[^>]{0,40}/S\s*/"
)
_OBJECT: Final = re.compile(rb"(?<![A-Za-z])obj(?![A-Za-z])")
_WORD: Final = re.compile(rb"(\d{1,7})\s+\d{1,5}\s*\Z")
_NAMES: Final = re.compile(rb"/([A-Za-z0-9]+)")
_REFERENCE: Final = re.compile(rb"\s*(\d{1,7})\s+\d{1,5}\s+R")
_TABLE: Final = re.compile(rb"\s\d{1,3}\s*(<[^<]|\(|\d{1,7}\s+\d{1,5}\s+R)", re.DOTALL)
_DECIMALS: Final = re.compile(rb"-?\d+(?:\.\d*)?|-?\.\d+")
DAMAGED: Final = 4096  # bytes before a stream in which its dictionary is searched
_SHORT: Final = {
    b"Fl": b"FlateDecode",
    b"DCT": b"DCTDecode",
    b"AHx": b"ASCIIHexDecode",
    b"A85": b"ASCII85Decode",
    b"LZW": b"LZWDecode",
    b"RL": b"RunLengthDecode",
}
_AS_IT_IS: Final = frozenset({b"DCTDecode", b"JPXDecode"})
# Colours of a pixel, by the name of a colour space.
_SPACES: Final = {
    b"DeviceGray": 1,
    b"CalGray": 1,
    b"G": 1,
    b"DeviceRGB": 3,
    b"CalRGB": 3,
    b"RGB": 3,
    b"DeviceCMYK": 4,
    b"CMYK": 4,
}
# Streams with one of these draw nothing.
_NO_PAGE: Final = frozenset({b"Length1", b"N", b"FunctionType", b"CMapName", b"Extends", b"W"})


class Pdf:
    """A PDF: its objects by number, as far as pictures need them."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self._data, self._budget = data, budget
        self._packed: dict[int, bytes] = {}  # objects out of object streams
        self._plain: dict[int, int] = {}  # where other objects begin
        self._begins: list[int] = []
        for count, found in enumerate(_OBJECT.finditer(data)):
            if count >= MAX_OBJECTS:
                budget.unread = True
                break
            self._begins.append(found.end())
            if number := _WORD.search(data[max(0, found.start() - 24) : found.start()]):
                self._plain[int(number[1])] = found.end()
        self._ends = [found.start() for found in _END.finditer(data)]
        self._listed = list(self._streams())

    def pictures(self) -> Iterator[bytes]:
        """Yield its pictures, each as a file that a decoder reads."""
        budget = self._budget
        budget.unread |= bool(self._listed and _ENCRYPTED.search(self._data))
        budget.drawn |= bool(_BLENDED.search(self._data))
        for head, start in self._listed:
            if self._names(head, b"Type") == [b"ObjStm"]:
                self._unpack(head, start)
        for head, start in self._listed:
            if budget.is_late():
                return
            kinds = self._names(head, b"Subtype", b"Type")
            if b"Image" in kinds:
                picture = self._picture(head, start)
                budget.unread |= not (picture or self._is_plain(head))
            elif b"EmbeddedFile" in kinds:
                picture = self._stream(head, start)
                budget.unread |= not picture and self._end(head, start) > start + 1
            elif b"ShadingType" in head:
                budget.drawn = True
                continue
            elif not _NO_PAGE & head.keys() and kinds in ([], [b"Form"], [b"XObject"]):
                yield from self._drawn(self._stream(head, start, aside=True))
                continue
            else:
                continue
            if picture:
                yield picture

    def _drawn(self, content: bytes) -> Iterator[bytes]:
        """Yield the pictures inside a stream that draws, and note if it draws something else."""
        self._budget.drawn |= draws(content)
        for entries, body in inline_pictures(content, self._budget):
            picture = self._picture_of(entries, self._unpacked(entries, body))
            self._budget.unread |= not picture
            if picture:
                yield picture

    def _is_plain(self, head: Entries) -> bool:
        """Return whether a picture is a file by itself, which its signature finds."""
        filters = self._filters(head)
        return len(filters) == 1 and filters[0] in _AS_IT_IS

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield where the bytes of each packed stream begin and end."""
        for head, start in self._listed:
            if set(self._filters(head)) - _AS_IT_IS:
                yield start, self._end(head, start)

    def _end(self, head: Entries, start: int) -> int:
        end = start + self._number(head, b"Length")
        if end > start and _ENDED.match(self._data, end):
            return end
        place = bisect_left(self._ends, start)
        return self._ends[place] if place < len(self._ends) else len(self._data)

    def _streams(self) -> Iterator[tuple[Entries, int]]:
        """Yield the dictionary of each stream and the offset of its bytes."""
        data, known, count = self._data, set[int](), 0
        for begin in self._begins:
            at = _BLANK.match(data, begin)
            found = entries_at(data, at.end() if at else begin, self._budget)
            if found is None or (stream := _BEGIN.match(data, found[1])) is None:
                continue
            known.add(stream.end())
            if count >= MAX_STREAMS or self._budget.is_late():
                self._budget.cut = True
                return
            count += 1
            yield found[0], stream.end()
        # What a damaged file has: streams whose object cannot be told.
        for stream in _STREAM.finditer(data):
            if stream.end() in known:
                continue
            if count >= MAX_STREAMS or self._budget.is_late():
                self._budget.cut = True
                return
            before = data[max(0, stream.start() - DAMAGED) : stream.start()]
            place = before.find(b"<<", max(0, before.rfind(b" obj")))
            if place >= 0 and (found := entries_at(before, place, self._budget)) is not None:
                count += 1
                yield found[0], stream.end()

    def _unpack(self, head: Entries, start: int) -> None:
        """Keep the objects of an object stream."""
        content, first = self._stream(head, start), self._number(head, b"First")
        numbers = [int(word) for word in content[:first].split() if word.isdigit()]
        for number, at in zip(numbers[::2], numbers[1::2], strict=False):
            self._packed[number] = unescaped(content[first + at : first + at + MAX_VALUE])
        self._budget.drawn |= bool(_BLENDED.search(content))

    def _value(self, head: Entries, *names: bytes) -> bytes:
        """Return the value of a name in a dictionary; of a reference, the object itself."""
        for name in names:
            if name in head:
                reference = _REFERENCE.match(head[name])
                return self._object(int(reference[1])) if reference else head[name]
        return b""

    def _object(self, number: int) -> bytes:
        if number in self._packed:
            return self._packed[number]
        at = self._plain.get(number)
        blank = None if at is None else _BLANK.match(self._data, at)
        return unescaped(self._data[blank.end() : blank.end() + MAX_VALUE]) if blank else b""

    def _number(self, head: Entries, *names: bytes) -> int:
        found = re.match(rb"\d{1,9}", self._value(head, *names))
        return int(found[0]) if found else 0

    def _names(self, head: Entries, *names: bytes) -> list[bytes]:
        """Return the names that some entries have as their value."""
        values = [_NAMES.match(self._value(head, name)) for name in names]
        return [value[1] for value in values if value is not None]

    def _filters(self, head: Entries) -> list[bytes]:
        value = self._value(head, b"Filter", b"F")
        listed = value[: value.find(b"]")] if value.startswith(b"[") else value[:40]
        names = _NAMES.findall(listed)
        if value.startswith(b"[") and b"]" not in value:
            names = [b"unknown"]
        names = names if value.startswith(b"[") else names[:1]
        return [_SHORT.get(name, name) for name in names]

    def _stream(self, head: Entries, start: int, *, aside: bool = False) -> bytes:
        """Return the content of a stream, unpacked up to a picture's own format.

        `aside`: what is no picture has less room, and what is beyond that counts as a drawing.
        """
        content = self._budget.copy(self._data, start, self._end(head, start)) or b""
        if aside:
            room, packed = self._budget.search_room(), bool(content.strip())
            content = self._unpacked(head, content, room)
            self._budget.search(len(content))
            self._budget.drawn |= len(content) >= room or (packed and not content)
            return content
        return self._unpacked(head, content)

    def _unpacked(self, head: Entries, content: bytes, room: int | None = None) -> bytes:
        for name in self._filters(head):
            if name in _AS_IT_IS:
                break
            content = unfiltered(content, name, self._budget.room() if room is None else room)
            if room is None:
                self._budget.unpack(len(content))
        return content

    def _picture(self, head: Entries, start: int) -> bytes:
        filters = self._filters(head)
        profile = b""
        if filters and filters[-1] in _AS_IT_IS:
            space = self._value(head, b"ColorSpace", b"CS") or b"/DeviceRGB"
            colours, _, profile = self._space(space)
            decode = _DECIMALS.findall(self._value(head, b"Decode", b"D").partition(b"]")[0])
            plain = all(float(value) == place % 2 for place, value in enumerate(decode))
            # How the page colours it is not worked out.
            self._budget.drawn |= not (plain and colours)
            # A profile of the page's is put into a JPEG, in place of the JPEG's own.
            self._budget.drawn |= bool(profile) and filters[-1] != b"DCTDecode"
        content = self._stream(head, start)
        if profile and filters[-1] == b"DCTDecode":
            return with_profile(content, profile)
        if filters and filters[-1] == b"DCTDecode" and len(filters) == 1:
            # By itself its signature is found, as long as it is one.
            return b"" if jpeg_scan(content, 0, self._budget) is not None else content
        if filters and filters[-1] in _AS_IT_IS:
            return content if len(filters) > 1 else b""
        return self._picture_of(head, content)

    def _picture_of(self, head: Entries, content: bytes) -> bytes:
        """Return the file of a picture that is unpacked: plain pixels as a PNG."""
        filters = self._filters(head)
        if filters and filters[-1] in _AS_IT_IS:
            return content
        width, height = self._number(head, b"Width", b"W"), self._number(head, b"Height", b"H")
        mask = self._value(head, b"ImageMask", b"IM").startswith(b"true")
        bits = 1 if mask else self._number(head, b"BitsPerComponent", b"BPC")
        space = self._value(head, b"ColorSpace", b"CS")
        colours, palette, profile = (1, b"", b"") if mask else self._space(space)
        if not (width and height and colours and bits in BITS):
            return b""
        inverted = self._inverted(head, (2**bits - 1) if palette else 1)
        if inverted is None:
            return b""
        pixels = Pixels(width, height, bits, colours, palette, inverted, profile)
        return pixels.as_png(content, self._rows(head))

    def _inverted(self, head: Entries, most: int) -> bool | None:
        """Return whether values count from the other end; None if they are changed otherwise."""
        text = self._value(head, b"Decode", b"D").partition(b"]")[0]
        values = [float(value) for value in _DECIMALS.findall(text)]
        pairs = set(zip(values[::2], values[1::2], strict=False))
        if pairs <= {(0.0, float(most))}:
            return False
        return True if pairs == {(float(most), 0.0)} else None

    def _rows(self, head: Entries) -> Rows:
        """Return how the rows of a picture are packed."""
        value = self._value(head, b"DecodeParms", b"DP")
        for found in re.finditer(rb"(\d{1,7})\s+\d{1,5}\s+R|<<", value.partition(b"endobj")[0]):
            text, at = (self._object(int(found[1])), 0) if found[1] else (value, found.start())
            if (entries := entries_at(text, at, self._budget)) is None:
                continue
            if predictor := self._number(entries[0], b"Predictor"):
                colours = self._number(entries[0], b"Colors") or 1
                bits = self._number(entries[0], b"BitsPerComponent") or 8
                return Rows(predictor, colours, bits, self._number(entries[0], b"Columns") or 1)
        return Rows(1, 1, 8, 1)

    def _space(self, value: bytes) -> tuple[int, bytes, bytes]:
        """Return the colours of a pixel, 0 for an unknown space, the palette, and the profile."""
        name = _NAMES.search(value[:64])
        if name is None:
            return 0, b"", b""
        rest = value[name.end() :]
        if name[1] == b"ICCBased" and (reference := _REFERENCE.match(rest)):
            number = int(reference[1])
            entries = entries_at(self._object(number), 0, self._budget)
            count = self._number(entries[0], b"N") if entries else 0
            return (count if count in (1, 3, 4) else 0), b"", self._stream_of(number)
        if name[1] in (b"Indexed", b"I"):
            return *self._indexed(rest), b""
        return _SPACES.get(name[1], 0), b"", b""

    def _indexed(self, rest: bytes) -> tuple[int, bytes]:
        """Return the space and the palette of indexed colours: a base, a number and a table."""
        reference = _REFERENCE.match(rest)
        base = self._object(int(reference[1])) if reference else rest
        colours, _, _ = self._space(base)
        table = _TABLE.search(rest, reference.end() if reference else 0)
        if table is None:
            return 0, b""
        after = rest[table.start(1) :]
        if pointer := _REFERENCE.match(after):
            entries = self._stream_of(int(pointer[1]))
        elif after.startswith(b"<"):
            entries = of_hex(after)
        else:
            entries = literal(after)
        palette = as_palette(entries, colours)
        return (1, palette) if palette else (0, b"")

    def _stream_of(self, number: int) -> bytes:
        """Return the content of the stream that is an object."""
        at = self._plain.get(number)
        blank = None if at is None else _BLANK.match(self._data, at)
        found = entries_at(self._data, blank.end(), self._budget) if blank else None
        begin = _BEGIN.match(self._data, found[1]) if found else None
        return self._stream(found[0], begin.end()) if found and begin else b""
