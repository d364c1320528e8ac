"""Bitmaps whose pixels have their colours in unusual bits."""

import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.support.corpus.entry import SIZE, Desk, to_pixels

# By name: bits of a pixel, the bytes of the header, and the masks of red, green, blue and alpha.
LAYOUTS = {
    "555-swapped": (16, 40, (0x1F, 0x3E0, 0x7C00)),
    "444": (16, 56, (0xF00, 0xF0, 0xF)),
    "10-bits": (32, 40, (0x3FF00000, 0xFFC00, 0x3FF)),
    "565-swapped": (16, 56, (0x1F, 0x7E0, 0xF800)),
    "alpha-first": (32, 108, (0xFF0000, 0xFF00, 0xFF000000, 0xFF)),
}


def bitmaps(desk: Desk) -> Iterator[tuple[str, bytes, Image.Image]]:
    """Yield the names of bitmaps, their bytes, and what they show."""
    for layout in LAYOUTS:
        name = f"masks-{layout}.bmp"
        image = desk.picture(name)
        if len(LAYOUTS[layout][2]) == 4:
            image.putalpha(desk.grey(f"{name}-alpha"))
        body = bitmap(image, layout)
        start = 14 + len(body) - pixels_length(layout)
        yield name, b"BM" + struct.pack("<III", 14 + len(body), 0, start) + body, image


def icon(desk: Desk, name: str, layout: str) -> tuple[bytes, Image.Image]:
    """Return an icon of one such bitmap, and what it shows."""
    image = desk.picture(name, (256, 240))
    body = bitmap(image, layout, twice=True) + bytes(256 // 8 * 240)
    entry = struct.pack("<BBBBHHII", 0, 240, 0, 0, 1, LAYOUTS[layout][0], len(body), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + body, image


def pixels_length(layout: str) -> int:
    """Return the bytes of the pixels of a bitmap."""
    return SIZE[0] * SIZE[1] * LAYOUTS[layout][0] // 8


def bitmap(image: Image.Image, layout: str, *, twice: bool = False) -> bytes:
    """Return a bitmap from its header on. `twice`: its height counts twice, as in an icon."""
    depth, length, masks = LAYOUTS[layout]
    values: npt.NDArray[np.uint64] = np.zeros(to_pixels(image).shape[:2], dtype=np.uint64)
    for number, mask in enumerate(masks):
        shift = (mask & -mask).bit_length() - 1
        levels = to_pixels(image)[..., number].astype(np.uint64)
        values |= np.round(levels * ((mask >> shift) / 255)).astype(np.uint64) << np.uint64(shift)
    body = values[::-1].astype(f"<u{depth // 8}").tobytes()
    height = image.height * 2 if twice else image.height
    head = struct.pack("<IiiHHIIiiII", length, image.width, height, 1, depth, 3, 0, 0, 0, 0, 0)
    told = struct.pack(f"<{len(masks)}I", *masks)
    return head + (told if length == 40 else told.ljust(length - 40, b"\0")) + body
