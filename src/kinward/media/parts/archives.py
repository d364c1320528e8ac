"""Files that are packed in ZIP archives, and therefore in office documents, books and comics.

The directory of an archive is not read. Each file has a header of its own, which some programs
follow, and a damaged or lying directory hides nothing.
"""

import bz2
import lzma
import struct
import zlib
from typing import Final

from kinward.media.parts.budget import Budget

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
HEAD: Final = 4096  # bytes by which a packed file is recognised


def member(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the method of the packed file whose header is at `at`, and where its bytes begin.

    None for a stored file, whose bytes are found as they are, and for an encrypted one.
    """
    flags, method = struct.unpack_from("<HH", data, at + 6)
    name, extra = struct.unpack_from("<HH", data, at + 26)
    if flags & 1 or method not in (DEFLATED, BZIP2, LZMA):
        return None
    return method, at + 30 + name + extra


def is_sealed(data: bytes, at: int) -> bool:
    """Return whether the packed file whose header is at `at` is encrypted, or packed unknown."""
    flags, method = struct.unpack_from("<HH", data, at + 6)
    return bool(flags & 1) or method not in (STORED, DEFLATED, BZIP2, LZMA)


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


def unpack_member(data: bytes, method: int, at: int, size: int) -> bytes:
    """Return at most `size` bytes of a packed file. Damaged: what there is before the damage."""
    view = memoryview(data)[at:]
    if method == DEFLATED:
        return inflate(view, size, -15)
    try:
        if method == BZIP2:
            return bz2.BZ2Decompressor().decompress(view, size)
        return _lzma(view, size)
    except (OSError, ValueError, EOFError, lzma.LZMAError, struct.error):
        return b""


def _lzma(view: memoryview, size: int) -> bytes:
    """Return bytes packed as a ZIP archive has them: version, length and properties first."""
    properties, memory = view[4], struct.unpack_from("<I", view, 5)[0]
    chain = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": min(memory, 64 * 1024 * 1024),
        "lc": properties % 9,
        "lp": properties // 9 % 5,
        "pb": properties // 45,
    }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain]).decompress(view[9:], size)


def inflate(view: bytes | memoryview, size: int, window: int) -> bytes:
    """Return at most `size` bytes of a Deflate stream; `window` as `zlib` has it.

    Of a damaged stream it returns what comes before the damage.
    """
    unpacker, out, left = zlib.decompressobj(window), bytearray(), size
    if size <= 0:
        return b""
    for start in range(0, len(view), 4096):
        try:
            out += unpacker.decompress(view[start : start + 4096], left)
            while unpacker.unconsumed_tail and len(out) < size:
                out += unpacker.decompress(unpacker.unconsumed_tail, size - len(out))
        except zlib.error:
            break
        left = size - len(out)
        if unpacker.eof or left <= 0:
            break
    return bytes(out)


def unzip(data: bytes, budget: Budget) -> bytes:
    """Return the content of a gzip file, within the budget."""
    content = inflate(data, budget.room(), 31)
    budget.unpack(len(content))
    return content
