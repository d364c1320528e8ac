"""Writes the parts of files by hand: segments, chunks, frames and boxes."""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from PIL import Image

from tests.support.corpus.entry import Pixels, encode, to_pixels

T = TypeVar("T")
PNG: Final = b"\x89PNG\r\n\x1a\n"
ADAM7: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


@dataclass(frozen=True)
class Frame:
    """A frame of an animation: its part of the canvas, in milliseconds.

    `dispose`: 0 keeps it, 1 clears it, 2 puts back what was there before. `over`: transparent
    pixels show what is below.
    """

    image: Image.Image
    milliseconds: int = 100
    at: tuple[int, int] = (0, 0)
    dispose: int = 0
    over: bool = True


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def png_chunk(name: bytes, body: bytes, *, crc: int | None = None) -> bytes:
    crc = zlib.crc32(name + body) if crc is None else crc
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and body of each chunk."""
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def png(  # a PNG has as many parameters
    rows: Pixels | Sequence[bytes],
    width: int,
    height: int,
    *,
    depth: int,
    colour: int,
    before: bytes = b"",
    interlaced: bool = False,
) -> bytes:
    """Return a PNG of packed rows. `before`: chunks between the header and the data."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    body = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return (
        PNG
        + png_chunk(b"IHDR", header)
        + before
        + png_chunk(b"IDAT", body)
        + png_chunk(b"IEND", b"")
    )


def interlaced_png(image: Image.Image, *, colour: int, before: bytes = b"") -> bytes:
    """Return an interlaced PNG of 8 bits a sample."""
    pixels = to_pixels(image)
    rows = []
    for x, y, dx, dy in ADAM7:
        part = pixels[y::dy, x::dx]
        rows += [row.tobytes() for row in part] if part.size else []
    return png(rows, *image.size, depth=8, colour=colour, before=before, interlaced=True)


def apng(
    frames: Sequence[Frame],
    size: tuple[int, int],
    *,
    loops: int = 0,
    cover: Image.Image | None = None,
) -> bytes:
    """Return an APNG in RGBA.

    `cover`: a default image that is not part of the animation. A small first frame needs one.
    """
    if frames[0].image.size != size and cover is None:
        cover = Image.new("RGBA", size, (0, 0, 0, 0))
    out = PNG + png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 6, 0, 0, 0))
    out += png_chunk(b"acTL", struct.pack(">II", len(frames), loops))
    if cover is not None:
        out += png_chunk(b"IDAT", _deflated(cover))
    number = 0
    for place, frame in enumerate(frames):
        control = struct.pack(
            ">IIIIIHHBB",
            number,
            *frame.image.size,
            *frame.at,
            frame.milliseconds,
            1000,
            frame.dispose,
            frame.over,
        )
        out += png_chunk(b"fcTL", control)
        number += 1
        if place == 0 and cover is None:
            out += png_chunk(b"IDAT", _deflated(frame.image))
            continue
        out += png_chunk(b"fdAT", struct.pack(">I", number) + _deflated(frame.image))
        number += 1
    return out + png_chunk(b"IEND", b"")


def _cached(make: Callable[[Image.Image], T]) -> Callable[[Image.Image], T]:
    """Make each picture once: some animations show the same few again and again."""
    made: dict[int, tuple[Image.Image, T]] = {}

    def cached(image: Image.Image) -> T:
        if id(image) not in made:
            if len(made) > 20:
                made.clear()
            made[id(image)] = image, make(image)  # the picture is kept, so that its id is its own
        return made[id(image)][1]

    return cached


@_cached
def _deflated(image: Image.Image) -> bytes:
    return zlib.compress(
        b"".join(b"\0" + row.tobytes() for row in to_pixels(image.convert("RGBA"))), 6
    )


def gif(
    frames: Sequence[Frame], size: tuple[int, int], *, loops: int | None = 0, trailer: bool = True
) -> bytes:
    """Return a GIF whose frames have palettes of their own."""
    out = b"GIF89a" + struct.pack("<HHBBB", *size, 0x70, 0, 0)
    if loops is not None:
        out += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loops) + b"\0"
    return out + b"".join(gif_frame(frame) for frame in frames) + (b";" if trailer else b"")


@_cached
def _gif_parts(image: Image.Image) -> tuple[int | None, int, bytes, bytes]:
    """Return the transparent index, the flags, the palette and the data of a picture."""
    flat, transparent = _quantized(image)
    single = encode(flat, "GIF", optimize=False)
    colours = 3 * 2 ** ((single[10] & 7) + 1)
    palette, at = single[13 : 13 + colours], 13 + colours
    while single[at] == 0x21:
        at += 2
        while single[at]:
            at += single[at] + 1
        at += 1
    flags = 0x80 | (single[10] & 7) | (single[at + 9] & 0x40)
    return transparent, flags, palette, single[at + 10 :].removesuffix(b";")


def gif_frame(frame: Frame) -> bytes:
    """Return a frame: its control, descriptor, palette and data."""
    transparent, flags, palette, data = _gif_parts(frame.image)
    packed = (frame.dispose + 1) << 2 | (transparent is not None)
    control = struct.pack("<BHB", packed, frame.milliseconds // 10, transparent or 0)
    place = struct.pack("<HHHHB", *frame.at, *frame.image.size, flags)
    return b"\x21\xf9\x04" + control + b"\0," + place + palette + data


def _quantized(image: Image.Image) -> tuple[Image.Image, int | None]:
    """Return a picture with a palette, and which entry is transparent; exact up to 255 colours."""
    pixels = to_pixels(image.convert("RGBA")).astype(int)
    clear = pixels[..., 3] < 128
    packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    colours, indices = np.unique(packed, return_inverse=True)
    if len(colours) > 255:
        few = image.convert("RGB").quantize(255, Image.Quantize.FASTOCTREE)
        return _quantized(
            Image.merge(
                "RGBA", (*few.convert("RGB").split(), Image.fromarray(~clear * np.uint8(255)))
            )
        )
    indices = np.where(clear, 255, indices.reshape(clear.shape)).astype(np.uint8)
    flat = Image.fromarray(indices, "P")
    palette = [
        value
        for colour in colours.tolist()
        for value in (colour >> 16, colour >> 8 & 255, colour & 255)
    ]
    flat.putpalette(palette + [0] * (768 - len(palette)))
    return flat, 255 if clear.any() else None


def riff_chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def riff(form: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + form + body


def webp(frames: Sequence[Frame], size: tuple[int, int], *, loops: int = 0) -> bytes:
    """Return an animated WebP. Places must be even."""
    head = struct.pack("<I", 0x12) + _three(size[0] - 1) + _three(size[1] - 1)
    body = riff_chunk(b"VP8X", head) + riff_chunk(b"ANIM", bytes(4) + struct.pack("<H", loops))
    for frame in frames:
        single = _webp_data(frame.image)
        x, y = frame.at
        width, height = frame.image.size
        info = _three(x // 2) + _three(y // 2) + _three(width - 1) + _three(height - 1)
        info += _three(frame.milliseconds) + bytes(
            [(0 if frame.over else 2) | (frame.dispose == 1)]
        )
        body += riff_chunk(b"ANMF", info + single)
    return riff(b"WEBP", body)


@_cached
def _webp_data(image: Image.Image) -> bytes:
    single = encode(image, "WEBP", quality=90)[12:]
    return single[18:] if single[:4] == b"VP8X" else single


def _three(number: int) -> bytes:
    return struct.pack("<I", number)[:3]


def box(name: bytes, body: bytes) -> bytes:
    """Return a box of the ISO container."""
    return struct.pack(">I", len(body) + 8) + name + body
