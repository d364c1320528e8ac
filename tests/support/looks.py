"""How near the views of a file come to a picture that a viewer shows of it."""

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from PIL import Image

from kinward.demo import pictures
from kinward.media import Hashed, hash_array, read_picture

MAX: Final = 4_000_000
NEAR: Final = 8  # bits
SIZE: Final = (320, 240)
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def plain(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a generated picture in RGB."""
    return pictures.draw(seed, size).convert("RGB")


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    """Return a file of a picture."""
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def bits(picture: Image.Image, hashes: Iterable[bytes]) -> int:
    """Return the distance of a picture's hash from the nearest of these; 256 if there is none."""
    pdq = hash_array(np.asarray(picture.convert("RGB")))[0]
    known = (np.frombuffer(one, dtype=np.uint8) for one in hashes)
    return min((int(np.bitwise_count(pdq ^ one).sum()) for one in known), default=256)


def seen(data: bytes, *, strand: int | None = None, moment: int | None = None) -> list[bytes]:
    """Return the hashes of the views of a file, of one strand or moment if these are given."""
    return [
        view.hash
        for view in read_picture(data, MAX).views
        if strand in (None, view.strand) and moment in (None, view.moment)
    ]


def turns(hashed: Hashed) -> list[bytes]:
    """Return the hashes of the turns of a file's views."""
    return [
        view.turned[at : at + 32] for view in hashed.views for at in range(0, len(view.turned), 32)
    ]


def shows(data: bytes, picture: Image.Image, **place: int) -> bool:
    """Return whether a view of a file is near to a picture."""
    return bits(picture, seen(data, **place)) <= NEAR


def chunk(kind: bytes, body: bytes, *, sound: bool = True) -> bytes:
    """Return a chunk of a PNG, with a wrong checksum if it is not to be sound."""
    crc = zlib.crc32(kind + body) ^ (not sound)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG."""
    found, at = [], len(SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png(parts: Iterable[tuple[bytes, bytes]], *, broken: bytes = b"") -> bytes:
    """Return a PNG of chunks, of which those named `broken` have wrong checksums."""
    return SIGNATURE + b"".join(chunk(kind, body, sound=kind != broken) for kind, body in parts)


def with_chunk(data: bytes, kind: bytes, body: bytes) -> bytes:
    """Return a PNG with one more chunk, after its header."""
    header, *rest = chunks(data)
    return png([header, (kind, body), *rest])


def raw_png(
    rows: "np.ndarray[Any, Any]", depth: int, colour: int, *before: tuple[bytes, bytes]
) -> bytes:
    """Return a PNG of rows as they are stored: an array of bytes, or of 16-bit samples."""
    stored = rows.astype(">u2" if depth == 16 else np.uint8)
    lines = b"".join(b"\0" + row.tobytes() for row in stored)
    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], depth, colour, 0, 0, 0)
    return png([(b"IHDR", header), *before, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")])
