"""Files of strangers' lists: their bounds, encoding, line ends and lines. Pure.

A file is read as UTF-8, as UTF-16 with a byte order mark, or as Windows-1252 if it cannot be UTF-8.
Whatever is not clearly one of those is refused with a sentence that says what to do.
"""

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, TextIO

import msgspec

from kinward.ground.errors import KinwardError

MAX_BYTES: Final = 16 * 1024**3
MAX_ROWS: Final = 100_000_000
MAX_LINE: Final = 256 * 1024  # characters; a banked film of 1,024 frames has 65,536 hex digits
SHOWN: Final = 20
CHUNK: Final = 1 << 20
WINDOWS: Final = "windows-1252"

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PACKED: Final = (
    *(b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf"),
    *(b"Rar!", b"\x28\xb5\x2f\xfd", b"%PDF"),
)
_SEVERAL_BYTES: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_SAVE: Final = "Save it as CSV in UTF-8 and import that."


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be read, so that its list is refused: its number from 1, and the reason."""

    line: int
    why: str


class ListRefused(KinwardError):
    """The list was refused as a whole. Nothing in the bank has changed."""

    code = "list.refused"
    status = 422

    def __init__(self, detail: str = "", rows: Iterable[BadRow] = (), count: int = 0) -> None:
        super().__init__(detail)
        self.rows = list(rows)[:SHOWN]
        self.count = count or len(self.rows)


class Encoding(msgspec.Struct, frozen=True):
    """How bytes are text: a codec, the bytes before the text, and whether the codec is a guess."""

    codec: str
    start: int = 0
    guessed: bool = False


def encoding_of(file: BinaryIO) -> Encoding:
    """Read a whole file, and say how its bytes are text. Raises `ListRefused`."""
    if file.seek(0, io.SEEK_END) > MAX_BYTES:
        raise ListRefused(f"The file has more than {MAX_BYTES:,} bytes. Split it.")
    file.seek(0)
    head = file.read(8)
    if not head:
        raise ListRefused("The file is empty.")
    if head.startswith(_PACKED):
        raise ListRefused(f"The file is a workbook, an archive or a PDF, not text. {_SAVE}")
    for mark, codec in _MARKS:
        if head.startswith(mark):
            if not codec:
                raise ListRefused(f"The file is in UTF-32. {_SAVE}")
            return Encoding(codec, len(mark))
    return Encoding("utf-8") if _is_utf8(file) else _windows(file)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in _chunks(file):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _windows(file: BinaryIO) -> Encoding:
    """Return Windows-1252 for a file that is not UTF-8, unless it looks like UTF-8 with damage."""
    decoder = codecs.getincrementaldecoder(WINDOWS)()
    before = b""
    try:
        for chunk in _chunks(file):
            decoder.decode(chunk)
            if _SEVERAL_BYTES.search(before + chunk):
                raise ListRefused(f"Parts of the file are UTF-8 and parts are not. {_SAVE}")
            before = chunk[-3:]
    except UnicodeDecodeError:
        raise ListRefused(f"The file's encoding is unknown. {_SAVE}") from None
    return Encoding(WINDOWS, guessed=True)


def lines_of(text: TextIO) -> Iterator[str]:
    """Yield the lines of a text without their ends. Raises `ListRefused` for what no list has.

    A line ends with CRLF, LF or CR, which a text that is opened with `newline=None` makes one.
    """
    number = 0
    while line := text.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise ListRefused(f"Row {number:,} has more than {MAX_LINE:,} characters.")
        if number > MAX_ROWS:
            raise ListRefused(f"The list has more than {MAX_ROWS:,} rows. Split it.")
        if "\0" in line:
            raise ListRefused(f"Row {number:,} has a NUL byte, so this is not a text. {_SAVE}")
        yield line.removesuffix("\n")


def lines_of_file(file: BinaryIO, encoding: Encoding) -> Iterator[str]:
    """Yield the lines of a file. Raises `ListRefused` if they are not in its encoding."""
    file.seek(encoding.start)
    text = io.TextIOWrapper(file, encoding.codec, errors="strict", newline=None)
    try:
        yield from lines_of(text)
    except UnicodeDecodeError:
        raise ListRefused(f"The file is not in the encoding that it begins with. {_SAVE}") from None
    finally:
        if not file.closed:  # whoever stopped reading early may have closed it
            text.detach()
