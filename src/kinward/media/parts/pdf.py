"""The pictures of a PDF, read from its streams without its table of contents.

JPEG pictures that are packed no further are found by their signature. Here are the others: packed
JPEG and JPEG 2000, and plain pixels. An encrypted file has nothing that can be read.
"""

import base64
import binascii
import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from kinward.media.parts.archives import inflate
from kinward.media.parts.budget import Budget
from kinward.media.parts.pixels import BITS, Pixels, as_palette, literal

MAX_STREAMS: Final = 20_000
MAX_OBJECTS: Final = 200_000
MAX_HEAD: Final = 4096  # bytes of the dictionary before a stream
_STREAM: Final = re.compile(rb"(?<!end)stream\r?\n")
_END: Final = re.compile(rb"endstream|(?<!end)stream\r?\n")
_ENCRYPTED: Final = re.compile(rb"/Encrypt\s*(?:\d|<<)")
_OBJECT: Final = re.compile(rb"\sobj\b")
_NUMBER: Final = re.compile(rb"(\d{1,7})\s+\d{1,5}\Z")
_NAMES: Final = re.compile(rb"/([A-Za-z0-9]+)")
_REFERENCE: Final = re.compile(rb"\s*(\d{1,7})\s+\d{1,5}\s+R")
_TABLE: Final = re.compile(rb"\s\d{1,3}\s*(<[^<]|\(|\d{1,7}\s+\d{1,5}\s+R)", re.DOTALL)
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


class Pdf:
    """A PDF: its objects by number, as far as pictures need them."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self._data, self._budget = data, budget
        self._packed: dict[int, bytes] = {}  # objects out of object streams
        self._plain: dict[int, int] = {}  # where other objects begin
        self._listed: list[tuple[bytes, int]] = []
        for count, found in enumerate(_OBJECT.finditer(data)):
            before = data[max(0, found.start() - 16) : found.start()]
            if count >= MAX_OBJECTS:
                budget.unread = True
                break
            if number := _NUMBER.search(before):
                self._plain[int(number[1])] = found.end()
        self._ends = [found.start() for found in _END.finditer(data)]
        self._listed.extend(self._streams())

    def pictures(self) -> Iterator[bytes]:
        """Yield its pictures, each as a file that a decoder reads."""
        self._budget.unread |= bool(self._listed and _ENCRYPTED.search(self._data))
        for head, start in self._listed:
            if b"/ObjStm" in head:
                self._unpack(head, start)
        for head, start in self._listed:
            if self._budget.late():
                return
            if re.search(rb"/Subtype\s*/Image\b", head):
                picture = self._picture(head, start)
                self._budget.unread |= not (picture or self._is_plain(head))
            elif b"/EmbeddedFile" in head and self._filters(head):
                picture = self._stream(head, start)
            else:
                continue
            if picture:
                yield picture

    def _is_plain(self, head: bytes) -> bool:
        """Return whether a picture is a file by itself, which its signature finds."""
        filters = self._filters(head)
        return len(filters) == 1 and filters[0] in _AS_IT_IS

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield where the bytes of each packed stream begin and end."""
        for head, start in self._listed:
            if set(self._filters(head)) - _AS_IT_IS:
                yield start, self._end(start)

    def _end(self, start: int) -> int:
        place = bisect_left(self._ends, start)
        return self._ends[place] if place < len(self._ends) else len(self._data)

    def _streams(self) -> Iterator[tuple[bytes, int]]:
        """Yield the dictionary of each stream and the offset of its bytes."""
        for count, found in enumerate(_STREAM.finditer(self._data)):
            if count >= MAX_STREAMS or self._budget.late():
                self._budget.cut = True
                return
            before = self._data[max(0, found.start() - MAX_HEAD) : found.start()]
            head = before[before.rfind(b" obj") + 4 :] if b" obj" in before else before
            if b"<<" in head:
                yield head, found.end()

    def _unpack(self, head: bytes, start: int) -> None:
        """Keep the objects of an object stream."""
        content, first = self._stream(head, start), self._number(head, b"First")
        numbers = [int(word) for word in content[:first].split() if word.isdigit()]
        for number, at in zip(numbers[::2], numbers[1::2], strict=False):
            self._packed[number] = content[first + at : first + at + MAX_HEAD]

    def _value(self, head: bytes, *names: bytes) -> bytes:
        """Return what follows a name in a dictionary; of a reference, the object itself."""
        for name in names:
            found = re.search(rb"/" + name + rb"(?![A-Za-z0-9])\s*", head)
            if found:
                rest = head[found.end() :]
                reference = _REFERENCE.match(rest)
                return self._object(int(reference[1])) if reference else rest
        return b""

    def _object(self, number: int) -> bytes:
        if number in self._packed:
            return self._packed[number]
        at = self._plain.get(number)
        return b"" if at is None else self._data[at : at + MAX_HEAD].lstrip()

    def _number(self, head: bytes, *names: bytes) -> int:
        found = re.match(rb"\d{1,9}", self._value(head, *names))
        return int(found[0]) if found else 0

    def _filters(self, head: bytes) -> list[bytes]:
        value = self._value(head, b"Filter", b"F")
        listed = value[: value.find(b"]")] if value.startswith(b"[") else value[:40]
        names = _NAMES.findall(listed)
        names = names if value.startswith(b"[") else names[:1]
        return [_SHORT.get(name, name) for name in names]

    def _stream(self, head: bytes, start: int) -> bytes:
        """Return the content of a stream, unpacked up to a picture's own format."""
        content = self._budget.copy(self._data, start, self._end(start)) or b""
        for name in self._filters(head):
            if name in _AS_IT_IS:
                break
            content = _unfiltered(content, name, self._budget.room())
            self._budget.unpack(len(content))
        return content

    def _picture(self, head: bytes, start: int) -> bytes:
        filters = self._filters(head)
        if filters and filters[-1] in _AS_IT_IS:
            # By itself its signature is found, as long as nothing else packs it.
            return self._stream(head, start) if len(filters) > 1 else b""
        width, height = self._number(head, b"Width", b"W"), self._number(head, b"Height", b"H")
        mask = re.match(rb"true", self._value(head, b"ImageMask", b"IM"))
        bits = 1 if mask else self._number(head, b"BitsPerComponent", b"BPC")
        space = self._value(head, b"ColorSpace", b"CS")
        colours, palette = (1, b"") if mask else self._space(space)
        if not (width and height and colours and bits in BITS):
            return b""
        parms = self._value(head, b"DecodeParms", b"DP")
        inverted = re.match(rb"\[\s*1(?:\.0*)?\s+0", self._value(head, b"Decode", b"D"))
        pixels = Pixels(width, height, bits, colours, palette, inverted=bool(inverted))
        return pixels.as_png(self._stream(head, start), self._number(parms, b"Predictor"))

    def _space(self, value: bytes) -> tuple[int, bytes]:
        """Return the colours of a pixel, 0 for an unknown space, and the palette if indexed."""
        name = _NAMES.search(value[:64])
        if name is None:
            return 0, b""
        rest = value[name.end() :]
        if name[1] == b"ICCBased" and (reference := _REFERENCE.match(rest)):
            count = self._number(self._object(int(reference[1])), b"N")
            return (count if count in (1, 3, 4) else 0), b""
        if name[1] in (b"Indexed", b"I"):
            return self._indexed(rest)
        return _SPACES.get(name[1], 0), b""

    def _indexed(self, rest: bytes) -> tuple[int, bytes]:
        """Return the space and the palette of indexed colours: a base, a number and a table."""
        reference = _REFERENCE.match(rest)
        base = self._object(int(reference[1])) if reference else rest
        colours, _ = self._space(base)
        table = _TABLE.search(rest, reference.end() if reference else 0)
        if table is None:
            return 0, b""
        after = rest[table.start(1) :]
        if pointer := _REFERENCE.match(after):
            entries = self._stream_of(int(pointer[1]))
        elif after.startswith(b"<"):
            entries = _of_hex(after)
        else:
            entries = literal(after)
        palette = as_palette(entries, colours)
        return (1, palette) if palette else (0, b"")

    def _stream_of(self, number: int) -> bytes:
        """Return the content of the stream that is an object."""
        at = self._plain.get(number)
        found = _STREAM.search(self._data, at, at + MAX_HEAD) if at is not None else None
        return self._stream(self._data[at : found.start()], found.end()) if found else b""


def _unfiltered(content: bytes, name: bytes, room: int) -> bytes:
    """Undo one filter of a stream; nothing for one that is not known."""
    try:
        if name == b"FlateDecode":
            return inflate(content, room, 15)
        if name == b"ASCIIHexDecode":
            return _of_hex(content)
        if name == b"ASCII85Decode":
            return base64.a85decode(content.partition(b"~>")[0].strip().removeprefix(b"<~"))
        if name == b"RunLengthDecode":
            return _of_runs(content, room)
    except ValueError:
        pass
    return b""


def _of_hex(text: bytes) -> bytes:
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", text.partition(b">")[0])
    return binascii.unhexlify(digits[: len(digits) // 2 * 2])


def _of_runs(content: bytes, room: int) -> bytes:
    out, at = bytearray(), 0
    while at < len(content) and content[at] != 128 and len(out) < room:
        length = content[at]
        if length < 128:
            out += content[at + 1 : at + 2 + length]
            at += 2 + length
        else:
            out += content[at + 1 : at + 2] * (257 - length)
            at += 2
    return bytes(out)
