"""PNG: its chunks, a repaired copy, its colours, and the frames of an animation."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image

from kinward.media.stills.animation import Animation, Disposal, Frame
from kinward.media.stills.colour import coded_profile, gamma_profile, to_eight
from kinward.media.stills.reading import Pixels, load

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
# What a repaired copy keeps: pixels and colours.
KEPT: Final = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"eXIf"}
)
SHARED: Final = frozenset({b"PLTE", b"tRNS"})  # by all frames
CONTROL: Final = struct.Struct(">IIIIIHHBB")
DISPOSALS: Final = {1: Disposal.CLEAR, 2: Disposal.RESTORE}


class Chunk(NamedTuple):
    """A chunk: its name and body, and whether it is whole and its checksum right."""

    kind: bytes
    body: memoryview
    sound: bool


def chunks_of(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks of a PNG through its last, or its last bytes."""
    view, at = memoryview(data), len(SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = view[at + 8 : at + 8 + length]
        end = at + 8 + length
        sound = end + 4 <= len(data) and zlib.crc32(body, zlib.crc32(kind)) == int.from_bytes(
            view[end : end + 4]
        )
        yield Chunk(kind, body, sound)
        if kind == b"IEND":
            return
        at = end + 4


def build(chunks: Iterable[tuple[bytes, Any]]) -> bytes:
    """Return a PNG of these chunks and an end."""
    out = [SIGNATURE]
    for kind, body in (*chunks, (b"IEND", b"")):
        out += [struct.pack(">I", len(body)), kind, bytes(body)]
        out.append(struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))))
    return b"".join(out)


def repair(chunks: Iterable[Chunk]) -> bytes:
    """Return a PNG of the same pixels and colours whose checksums are right."""
    return build((chunk.kind, chunk.body) for chunk in chunks if chunk.kind in KEPT)


def cut(chunks: Iterable[Chunk]) -> bytes:
    """Return a PNG that ends with its first broken chunk of pixels, where browsers stop."""
    kept = []
    for chunk in chunks:
        if chunk.kind in KEPT:
            kept.append((chunk.kind, chunk.body))
            if chunk.kind == b"IDAT" and not chunk.sound:
                break
    return build(kept)


def colours_of(chunks: Iterable[Chunk], icc: bytes) -> bytes:
    """Return the ICC profile of a PNG's colours, of whichever chunk says it; empty for sRGB."""
    bodies: dict[bytes, memoryview] = {}
    for chunk in chunks:
        if chunk.kind == b"IDAT":
            break
        bodies.setdefault(chunk.kind, chunk.body)
    coded = bodies.get(b"cICP", b"")
    if len(coded) == 4:
        return coded_profile(coded[0], coded[1])
    if icc or b"sRGB" in bodies or len(bodies.get(b"gAMA", b"")) != 4:
        return icc
    gamma = int.from_bytes(bodies[b"gAMA"]) / 100_000
    if len(bodies.get(b"cHRM", b"")) != 32:
        return gamma_profile(gamma, None)
    numbers = [number / 100_000 for number in struct.unpack(">8I", bodies[b"cHRM"])]
    return gamma_profile(gamma, tuple(numbers[2:]), tuple(numbers[:2]))


def is_animated(chunks: Iterable[Chunk]) -> bool:
    """Return whether the chunks are of an APNG."""
    return any(chunk.kind == b"acTL" for chunk in chunks)


def animation_of(chunks: list[Chunk]) -> Animation | None:
    """Return the animation of an APNG; None if it has no frame."""
    header = next((chunk.body for chunk in chunks if chunk.kind == b"IHDR"), b"")
    if len(header) < 13:
        return None
    size = struct.unpack_from(">II", header)
    shared = [(chunk.kind, chunk.body) for chunk in chunks if chunk.kind in SHARED]
    frames: list[Frame] = []
    control: tuple[int, ...] | None = None
    parts: list[memoryview] = []
    default_in = False

    def finish() -> None:
        if control is None or not parts:
            return
        _, width, height, left, top, numerator, denominator, disposal, blend = control
        seconds = numerator / (denominator or 100)
        read = partial(_read_frame, bytes(header[8:13]), (width, height), shared, list(parts))
        frames.append(
            Frame(
                left, top, width, height, seconds,
                DISPOSALS.get(disposal, Disposal.KEEP), blend == 1, read,
            )
        )  # fmt: skip

    for chunk in chunks:
        if chunk.kind == b"fcTL" and len(chunk.body) >= CONTROL.size:
            finish()
            control, parts = CONTROL.unpack_from(chunk.body), []
        elif chunk.kind == b"IDAT" and control is not None:
            default_in = True
            parts.append(chunk.body)
        elif chunk.kind == b"fdAT":
            parts.append(chunk.body[4:])
    finish()
    if not frames:
        return None
    return Animation(size[0], size[1], frames, default_outside=not default_in)


def _read_frame(
    rest: bytes, size: tuple[int, int], shared: list[Any], parts: list[memoryview]
) -> tuple[Pixels, bool]:
    """Decode one frame. Returns uint8[h, w, 4] in RGBA, and whether all of it was there."""
    header = struct.pack(">II", *size) + rest
    file = build([(b"IHDR", header), *shared, *((b"IDAT", part) for part in parts)])
    image = Image.open(io.BytesIO(file), formats=("PNG",))
    whole = load(image)
    return np.asarray(to_eight(image).convert("RGBA")), whole
