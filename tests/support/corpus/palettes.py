"""Pixels that have a number and no colour, and chunks where no viewer looks for them."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.support.corpus.containers import png_chunk, riff, riff_chunk
from tests.support.corpus.entry import SIZE, Desk, encode, to_pixels

FEW = 60  # colours that are there, of 120


def entries(desk: Desk) -> Iterator[tuple[str, str, bytes, list[Image.Image]]]:
    """Yield names, disguises, bytes and what viewers show."""
    name = "short-palette.png"
    data, shown = short_palette(desk.picture(name))
    yield name, "pixels with numbers beyond the palette", data, shown
    name = "too-many-colours.bmp"
    few = desk.picture(name).quantize(256)
    yield name, "300 colours for 8 bits", many_colours(few), [few.convert("RGB")]
    name = "alpha-after.webp"
    image = desk.picture(name)
    yield name, "alpha after the picture", alpha_after(image, desk.grey(f"{name}-alpha")), [image]


def short_palette(image: Image.Image) -> tuple[bytes, list[Image.Image]]:
    """Return a PNG half of whose colours lack, and what viewers show: the last colour, or black."""
    few = image.quantize(2 * FEW)
    colours = np.array(few.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)[: 2 * FEW]
    numbers = to_pixels(few)
    rows = b"".join(b"\0" + row.tobytes() for row in numbers)
    header = struct.pack(">IIBBBBB", *SIZE, 8, 3, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    data += png_chunk(b"PLTE", colours[:FEW].tobytes())
    data += png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    shown = []
    for instead in (colours[FEW - 1], np.zeros(3, dtype=np.uint8)):
        seen = np.where((np.arange(2 * FEW) < FEW)[:, None], colours, instead)
        shown.append(Image.fromarray(seen.astype(np.uint8)[numbers]))
    return data, shown


def many_colours(few: Image.Image) -> bytes:
    """Return a BMP that claims more colours than a byte can name."""
    colours = np.array(few.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)[:, ::-1]
    table = b"".join(colour.tobytes() + b"\0" for colour in colours).ljust(1024, b"\0")
    body = to_pixels(few)[::-1].tobytes()
    head = struct.pack("<IiiHHIIiiII", 40, *SIZE, 1, 8, 0, len(body), 0, 0, 300, 0)
    start = 14 + len(head) + len(table)
    return b"BM" + struct.pack("<III", start + len(body), 0, start) + head + table + body


def alpha_after(image: Image.Image, alpha: Image.Image) -> bytes:
    """Return a WebP whose alpha stands after the picture, where browsers ignore it."""
    sides = b"".join((side - 1).to_bytes(3, "little") for side in image.size)
    header = riff_chunk(b"VP8X", b"\x10\0\0\0" + sides)
    late = riff_chunk(b"ALPH", b"\0" + to_pixels(alpha).tobytes())
    return riff(b"WEBP", header + encode(image, "WEBP")[12:] + late)
