"""WebP: a repaired copy, and the frames of an animation."""

import io
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import numpy as np
from PIL import Image

from kinward.media.stills import ffmpeg, libwebp
from kinward.media.stills.animation import Animation, Disposal, Frame
from kinward.media.stills.reading import Pixels

CODED: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
TRANSPARENT: Final = 0x10  # the flag of a file that says that it has alpha
STILL: Final = CODED - {b"ALPH"}
UNPAINTED: Final = (0, 135, 0)  # what FFmpeg leaves where nothing could be decoded
MOST_LACKING: Final = 1 << 24  # bytes
SPARE: Final = 4096  # bytes, so that wrong pixels at the end need not fit
Chunk = tuple[bytes, memoryview]


def chunks_of(data: bytes | memoryview, at: int = 12) -> Iterator[Chunk]:
    """Yield the name and body of each chunk. The last may be cut."""
    view = memoryview(data)
    while at + 8 <= len(view):
        kind, length = bytes(view[at : at + 4]), int.from_bytes(view[at + 4 : at + 8], "little")
        yield kind, view[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def is_whole(data: bytes) -> bool:
    """Return whether a WebP is as long as it says."""
    return len(data) >= int.from_bytes(data[4:8], "little") + 8


def has_still(data: bytes) -> bool:
    """Return whether there is a picture outside the frames."""
    return any(kind in STILL for kind, _ in chunks_of(data))


def ends_with_alpha(data: bytes) -> bool:
    """Return whether alpha comes after the picture, where a viewer may ignore it."""
    kinds = [kind for kind, _ in chunks_of(data) if kind in CODED]
    return b"ALPH" in kinds[1:]


def without_alpha(data: bytes) -> bytes:
    """Return a still WebP without what makes it transparent beside the picture itself."""
    return build([chunk for chunk in chunks_of(data) if chunk[0] in STILL])


def profiles_of(data: bytes) -> tuple[bytes, ...]:
    """Return the colour profiles of a WebP, of which the first or the last may count."""
    found = [bytes(body) for kind, body in chunks_of(data) if kind == b"ICCP"]
    return tuple(found[:1] + found[1:][-1:])


def build(chunks: list[Chunk]) -> bytes:
    """Return a WebP of these chunks."""
    out = []
    for kind, body in chunks:
        out += [kind, struct.pack("<I", len(body)), bytes(body), b"\0" * (len(body) % 2)]
    content = b"".join(out)
    return b"RIFF" + struct.pack("<I", 4 + len(content)) + b"WEBP" + content


def repair(data: bytes) -> bytes:
    """Return a still WebP of the same pixels whose lengths are right."""
    return single(list(chunks_of(data)), None)


def single(chunks: list[Chunk], size: tuple[int, int] | None) -> bytes:
    """Return a WebP of the coded picture among these chunks; with alpha it needs its size."""
    coded = [chunk for chunk in chunks if chunk[0] in CODED]
    header = next((body for kind, body in chunks if kind == b"VP8X" and len(body) >= 10), None)
    if any(kind == b"ALPH" for kind, _ in coded):
        if size is not None:
            sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
            coded.insert(0, (b"VP8X", memoryview(b"\x10\0\0\0" + sides)))
        elif header is not None:
            coded.insert(0, (b"VP8X", memoryview(b"\x10\0\0\0" + bytes(header[4:10]))))
    return build(coded)


def animation_of(data: bytes, *, as_said: bool = False) -> Animation | None:
    """Return the animation of a WebP; None if it has no frame.

    A frame has the size of its picture, as in Chromium, or the one that the file says.
    """
    chunks = list(chunks_of(data))
    header = next((body for kind, body in chunks if kind == b"VP8X"), b"")
    if len(header) < 10:
        return None
    width, height = (int.from_bytes(header[at : at + 3], "little") + 1 for at in (4, 7))
    bodies = [body for kind, body in chunks if kind == b"ANMF" and len(body) >= 16]
    frames = [_frame(body, None if as_said else _coded_size(body[16:])) for body in bodies]
    return Animation(width, height, frames, whole=is_whole(data)) if frames else None


def as_opaque(data: bytes, animation: Animation) -> Animation | None:
    """Return an animation whose frames are opaque, if its header says so of frames that are not.

    Chromium believes the header. None if both agree.
    """
    header = next((body for kind, body in chunks_of(data) if kind == b"VP8X"), b"")
    frames = [body[16:] for kind, body in chunks_of(data) if kind == b"ANMF" and len(body) >= 16]
    if not header or header[0] & TRANSPARENT or not any(map(_has_alpha, frames)):
        return None
    return animation._replace(
        frames=[
            frame._replace(blends=False, read=partial(_read_opaque, frame.read))
            for frame in animation.frames
        ]
    )


def _has_alpha(body: memoryview) -> bool:
    """Return whether a frame has alpha, by the head of its picture."""
    return any(
        kind == b"ALPH" or (kind == b"VP8L" and len(coded) >= 5 and bool(coded[4] & 0x10))
        for kind, coded in chunks_of(body, 0)
    )


def _read_opaque(read: Callable[[], tuple[Pixels, bool]]) -> tuple[Pixels, bool]:
    pixels, whole = read()
    pixels = pixels.copy()
    pixels[..., 3] = 255
    return pixels, whole


def _coded_size(body: memoryview) -> tuple[int, int] | None:
    """Return the width and height in the head of the picture among these chunks."""
    for kind, coded in chunks_of(body, 0):
        if kind == b"VP8L" and len(coded) >= 5:
            bits = int.from_bytes(coded[1:5], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if kind == b"VP8 " and len(coded) >= 10:
            return tuple(int.from_bytes(coded[at : at + 2], "little") & 0x3FFF for at in (6, 8))  # type: ignore[return-value]
    return None


def _frame(body: memoryview, coded: tuple[int, int] | None) -> Frame:
    left, top, width, height, milliseconds = (
        int.from_bytes(body[at : at + 3], "little") for at in (0, 3, 6, 9, 12)
    )
    disposal = Disposal.CLEAR if body[15] & 1 else Disposal.KEEP
    size = coded if coded and all(coded) else (width + 1, height + 1)
    read = partial(_read_frame, body[16:], size)
    blends = not body[15] & 2
    return Frame(2 * left, 2 * top, *size, milliseconds / 1000, disposal, blends, read)


def _read_frame(body: memoryview, size: tuple[int, int]) -> tuple[Pixels, bool]:
    """Decode one frame. Returns uint8[h, w, 4] in RGBA, and whether all of it could be decoded."""
    file = single(list(chunks_of(body, 0)), size)
    try:
        image = Image.open(io.BytesIO(file), formats=("WEBP",))
        return np.asarray(image.convert("RGBA")), True
    except MemoryError:
        raise
    except Exception:
        *_, most = read_broken(body, size, lambda *coded: check_size(coded, size))
        return most, False


def check_size(coded: tuple[int, ...], size: tuple[int, int]) -> None:
    """Raise `ValueError` if a frame's picture is not as large as the frame."""
    if coded != size:
        raise ValueError(coded)


def read_broken(
    body: memoryview, size: tuple[int, int] | None, admit: Callable[[int, int], None]
) -> Iterator[Pixels]:
    """Yield what can be decoded of a broken picture of these chunks: what browsers show first.

    Then with zeros for the bytes that lack, so that nothing is lost which is there. `size`: as
    `single` takes it. `admit` raises for a picture that is too large. Raises if there is nothing.
    """
    chunks = list(chunks_of(body, 0))
    lacking = _lacking(body)
    if lacking and chunks:
        kind, last = chunks[-1]
        chunks[-1] = kind, memoryview(bytes(last) + bytes(lacking))
    file, any = single(chunks, size), False
    ends = [len(file) - lacking - (len(chunks[-1][1]) % 2), len(file)] if lacking else [len(file)]
    coded = libwebp.size_of(file)
    if coded is not None:
        admit(*coded)
        for end in ends:
            if (pixels := libwebp.decode_begun(file[:end], coded)) is not None:
                any = True
                yield pixels
    if not any:
        yield _read_with_ffmpeg(single(list(chunks_of(body, 0)), size), admit)


def _lacking(body: memoryview) -> int:
    """Return how many bytes a cut last chunk lacks, and some to spare; 0 if it is whole."""
    at = 0
    while at + 8 <= len(body):
        length = int.from_bytes(body[at + 4 : at + 8], "little")
        if at + 8 + length > len(body):
            return min(at + 8 + length - len(body), MOST_LACKING) + SPARE
        at += 8 + length + length % 2
    return 0


def _read_with_ffmpeg(data: bytes, admit: Callable[[int, int], None]) -> Pixels:
    """Decode a still WebP with FFmpeg, which shows what it can of some broken ones."""
    pixels = ffmpeg.decode("webp", data, admit)
    pixels[(pixels[..., :3] == UNPAINTED).all(axis=2)] = 0
    return pixels
