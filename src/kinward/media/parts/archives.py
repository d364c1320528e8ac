"""Files that are packed in ZIP archives, and therefore in office documents, books and comics.

Each file has a header of its own, which some programs follow, and a damaged or lying directory
hides nothing. Other programs believe the directory: what it says about a file is tried as well.
"""

import bz2
import lzma
import struct
import zlib
from typing import Final

import msgspec

from kinward.media.parts.budget import Budget

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
GZIP: Final = b"\x1f\x8b\x08"
CHUNK: Final = 4096  # bytes; of a damaged chunk nothing is unpacked
METHODS: Final = frozenset({STORED, DEFLATED, BZIP2, LZMA})
HEAD: Final = 4096  # bytes by which a packed file is recognised
# Archives in other formats, which are not opened here.
_CLOSED: Final = (
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"BZh",
    b"MSCF",
    b"LZIP",
    b"\x1f\x9d",
    b"\x04\x22\x4d\x18",
    b"xar!",
    b"ITSF",
    b"\x60\xea",
)
# Pictures and films that programs show, and that cannot be read here.
_UNREAD: Final = (
    b"8BPS",
    b"\x76\x2f\x31\x01",
    b"gimp xcf",
    b"icns",
    b"II\xbc\x01",
    b"qoif",
    b"AT&TFORM",
    b"YUV4MPEG2",
    b"\x06\x0e\x2b\x34",
    b"BIK",
    b"SMK2",
)


class Member(msgspec.Struct, frozen=True):
    """A packed file: how its own header says that it is packed, and where its bytes are.

    `weak`: its header may be bytes of another packed file, so nothing follows if it is damaged.
    """

    method: int
    start: int
    end: int
    sealed: bool = False
    weak: bool = False

    def methods(self) -> tuple[int, ...]:
        """Return how it may be packed: as its header says, and as a directory most often says.

        Some programs believe the directory, others the header.
        """
        own = (self.method,) if self.method in METHODS else ()
        return own if self.method == DEFLATED else (*own, DEFLATED)


def member(data: bytes, at: int, following: int, *, weak: bool = False) -> Member:
    """Return the packed file whose header is at `at`. `following`: where the next one begins."""
    flags, method = struct.unpack_from("<HH", data, at + 6)
    start, end = extent(data, at, following)
    return Member(method, start, end, bool(flags & 1) or method not in METHODS, weak)


def extent(data: bytes, at: int, following: int) -> tuple[int, int]:
    """Return where the bytes of the packed file begin and end whose header is at `at`.

    `following`: where the next one begins, for a file whose header does not say its size.
    """
    size, _, name, extra = struct.unpack_from("<IIHH", data, at + 18)
    start = at + 30 + name + extra
    if not size or size == 0xFFFFFFFF:
        directory = data.find(b"PK\1\2", start, following)
        return start, directory if directory >= 0 else following
    return start, start + size


class Directory:
    """The directories of archives. `listed`: where the headers are that they point to.

    `sealed`: whether one lists a file that is encrypted, or packed unknown.
    """

    def __init__(self, data: bytes, budget: Budget) -> None:
        self.sealed = False
        places, shifts, at = set[int](), {0}, data.find(b"PK\1\2")
        while 0 <= at <= len(data) - 46 and budget.step():
            flags, method = struct.unpack_from("<HH", data, at + 8)
            places.add(struct.unpack_from("<I", data, at + 42)[0])
            self.sealed |= bool(flags & 1) or method not in METHODS
            at = data.find(b"PK\1\2", at + 46)
        at = data.find(b"PK\5\6")
        while 0 <= at <= len(data) - 22 and budget.step():
            size, offset = struct.unpack_from("<II", data, at + 12)
            shifts.add(at - size - offset)
            at = data.find(b"PK\5\6", at + 22)
        self._places, self._shifts = places, shifts

    def lists(self, start: int) -> bool:
        """Return whether a directory points to the header at an offset."""
        return any(start - shift in self._places for shift in self._shifts)


def unpack_member(data: bytes, method: int, at: int, size: int) -> tuple[bytes, bool]:
    """Return at most `size` bytes of a packed file, and whether they are all of it.

    Damaged: what there is before the damage.
    """
    if method == DEFLATED:
        content, _, whole = _inflate(data, at, size, -15)
        return content, whole
    view = memoryview(data)[at:]
    try:
        unpacker = bz2.BZ2Decompressor() if method == BZIP2 else _lzma(view)
        content = unpacker.decompress(view if method == BZIP2 else view[9:], size)
        return content, unpacker.eof or (method == LZMA and len(content) < size)
    except (OSError, ValueError, EOFError, IndexError, lzma.LZMAError, struct.error):
        return b"", False


def _lzma(view: memoryview) -> lzma.LZMADecompressor:
    """Return what unpacks LZMA as a ZIP archive has it: version, length and properties first."""
    properties, memory = view[4], struct.unpack_from("<I", view, 5)[0]
    chain = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": min(memory, 64 * 1024 * 1024),
        "lc": properties % 9,
        "lp": properties // 9 % 5,
        "pb": properties // 45,
    }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])


def inflate(view: bytes | memoryview, size: int, window: int) -> bytes:
    """Return at most `size` bytes of a Deflate stream; `window` as `zlib` has it.

    Of a damaged stream it returns what comes before the damage.
    """
    return _inflate(view, 0, size, window)[0]


def _inflate(data: bytes | memoryview, at: int, size: int, window: int) -> tuple[bytes, int, bool]:
    """Return what `inflate` does from an offset, where the stream ends, and whether it is whole."""
    unpacker, out, view = zlib.decompressobj(window), bytearray(), memoryview(data)
    while at < len(view) and len(out) < size and not unpacker.eof:
        chunk = view[at : at + CHUNK]
        try:
            out += unpacker.decompress(chunk, size - len(out))
            while unpacker.unconsumed_tail and len(out) < size:
                out += unpacker.decompress(unpacker.unconsumed_tail, size - len(out))
        except zlib.error:
            break
        at += len(chunk) - len(unpacker.unused_data)
    return bytes(out), at, unpacker.eof


def unzip(data: bytes, budget: Budget) -> bytes:
    """Return the content of a gzip file, of all its members, within the budget."""
    content, at = bytearray(), 0
    while data.startswith(GZIP, at) and (not at or budget.step(16)):
        piece, at, whole = _inflate(data, at, budget.room() - len(content), 31)
        content += piece
        budget.unread |= not whole
        if not whole:
            break
    budget.unpack(len(content))
    return bytes(content)


def is_closed(head: bytes) -> bool:
    """Return whether a file is an archive, or a picture, that cannot be opened here."""
    return head.startswith((*_CLOSED, *_UNREAD))
