"""Plain pixels of a PDF as a PNG, which has the same rows: packed, from the top, to whole bytes."""

import io
import re
import struct
import zlib
from typing import Final, NamedTuple

import msgspec
import numpy as np

BITS: Final = (1, 2, 4, 8, 16)  # of a colour
MAX_BYTES: Final = 256 * 1024 * 1024  # of the pixels of one picture
_ESCAPE: Final = re.compile(rb"\\(?:([0-7]{1,3})|\r\n?|\n|(.))", re.DOTALL)
_LETTERS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class Rows(NamedTuple):
    """How rows of pixels are packed, as PDF has it: the predictor, and what it works on."""

    predictor: int
    colours: int
    bits: int
    columns: int

    @property
    def bytes(self) -> int:
        """The bytes of a row."""
        return (self.columns * self.colours * self.bits + 7) // 8


class Pixels(msgspec.Struct, frozen=True):
    """The measures of a picture, the bits of a colour, the colours of a pixel, and its palette.

    `palette`: 3 bytes for each colour; empty if the colours are not indexed. `profile`: of its
    colours, if it has one.
    """

    width: int
    height: int
    bits: int
    colours: int
    palette: bytes
    inverted: bool
    profile: bytes = b""

    def as_png(self, content: bytes, rows: Rows) -> bytes:
        """Return a PNG of pixels; rows that are missing are white. Empty if they cannot be read."""
        row = (self.width * self.colours * self.bits + 7) // 8
        if (row + 1) * self.height > MAX_BYTES or (self.colours == 4 and self.bits != 8):
            return b""
        own = (rows.colours, rows.bits, rows.columns) == (self.colours, self.bits, self.width)
        marked = rows.predictor >= 10 and own and not self.inverted and self.colours != 4
        if rows.predictor > 1 and not marked:
            content = unpredicted(content, rows, self.height * (row + 1))
        if not content:
            return b""
        blank = (b"\0" if marked else b"") + b"\xff" * row
        content = content[: len(blank) * self.height]
        content = content.ljust(-(-len(content) // len(blank)) * len(blank), b"\xff")
        content += blank * (self.height - len(content) // len(blank))
        if self.inverted:
            content = (~np.frombuffer(content, dtype=np.uint8)).tobytes()
        colours = self.colours
        if colours == 4:
            content, colours, row = _from_cmyk(content), 3, self.width * 3
        if not marked:
            content = _marked(content, row)
        return self._png(content, 3 if self.palette else {1: 0, 3: 2}[colours])

    def _png(self, rows: bytes, kind: int) -> bytes:
        bits = 8 if self.colours == 4 else self.bits
        header = struct.pack(">IIBBBBB", self.width, self.height, bits, kind, 0, 0, 0)
        palette = _chunk(b"PLTE", self.palette[: 3 * 2**self.bits]) if kind == 3 else b""
        if self.profile and self.colours != 4 and kind != 3:
            palette = _chunk(b"iCCP", b"a\0\0" + zlib.compress(self.profile))
        body = _chunk(b"IHDR", header) + palette + _chunk(b"IDAT", zlib.compress(rows, 1))
        return b"\x89PNG\r\n\x1a\n" + body + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def _marked(content: bytes, row: int) -> bytes:
    """Return rows, each after the number of the filter that changes nothing."""
    rows = np.frombuffer(content, dtype=np.uint8).reshape(-1, row)
    return np.pad(rows, ((0, 0), (1, 0))).tobytes()


def unpredicted(content: bytes, rows: Rows, most: int) -> bytes:
    """Return rows without their predictor; empty if they cannot be read. `most`: bytes."""
    from PIL import Image  # which only decoders load

    row, pixel = rows.bytes, max(1, rows.colours * rows.bits // 8)
    if rows.predictor == 2:
        if rows.bits != 8 or not 0 < row <= len(content):
            return b""
        content = content[: len(content) // row * row]
        values = np.frombuffer(content, dtype=np.uint8).reshape(-1, rows.columns, rows.colours)
        return np.cumsum(values, axis=1, dtype=np.uint8).tobytes()
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}.get(pixel)
    height = min(len(content), most) // (row + 1)
    if mode is None or row % pixel or not height:
        return b""
    kind = {"L": 0, "LA": 4, "RGB": 2, "RGBA": 6}[mode]
    header = struct.pack(">IIBBBBB", row // pixel, height, 8, kind, 0, 0, 0)
    packed = _chunk(b"IDAT", zlib.compress(content[: height * (row + 1)], 1))
    png = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + packed + _chunk(b"IEND", b"")
    try:
        return Image.open(io.BytesIO(png), formats=("PNG",)).tobytes()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return b""


def _from_cmyk(content: bytes) -> bytes:
    inks = np.frombuffer(content, dtype=np.uint8).reshape(-1, 4).astype(np.uint16)
    return ((255 - inks[:, :3]) * (255 - inks[:, 3:]) // 255).astype(np.uint8).tobytes()


def as_palette(entries: bytes, colours: int) -> bytes:
    """Return a palette of 3 bytes for each colour from one of so many; empty if it is unknown."""
    if colours == 1:
        return bytes(value for value in entries for _ in range(3))
    if colours == 4:
        return _from_cmyk(entries[: len(entries) // 4 * 4])
    return entries[: len(entries) // 3 * 3] if colours == 3 else b""


def literal(text: bytes) -> bytes:
    """Return the bytes of a string of a PDF that begins with a parenthesis."""
    depth, at = 0, 0
    while at < len(text):
        if text[at] == 0x5C:
            at += 1
        elif text[at] == 0x28:
            depth += 1
        elif text[at] == 0x29:
            depth -= 1
            if not depth:
                break
        at += 1
    return _ESCAPE.sub(_unescaped, text[1:at])


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 8) & 255])
    return _LETTERS.get(found[2], found[2]) if found[2] else b""
