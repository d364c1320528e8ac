"""Pictures with broken or unusual segments that no pixel depends on: viewers pass over them."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from PIL import Image

from tests.support.corpus.containers import jpeg_segment, png_chunk
from tests.support.corpus.entry import Desk, Element, Entry, encode, make_entry
from tests.support.corpus.items import GRID, TILE, Item, coded, heif, properties
from tests.support.corpus.orientation import app1

KIND: Final = "metadata"
BOMB: Final = zlib.compress(bytes(3_000_000), 9)
CONTROL: Final = struct.pack(">IIIIIHHBB", 7, 320, 240, 0, 0, 1, 10, 0, 0)


def entries(desk: Desk) -> Iterator[Entry]:
    for name, disguise, segment in JPEGS:
        image = desk.picture(name)
        whole = encode(image, "JPEG")
        plain = name.startswith(("jfif-five", "resolution"))
        data = whole[:2] + segment + whole[20 if plain else 2 :]
        yield make_entry(KIND, f"{name}.jpg", disguise, data, image)
    for name, disguise, chunk in PNGS:
        image = desk.picture(name)
        whole = encode(image, "PNG")
        data = whole[:33] + chunk + whole[33:]
        # Chromium shows none with a frame's control or data of no animation. Other viewers do.
        element: Element = "" if name.startswith("frame") else "img"
        yield make_entry(KIND, f"{name}.png", disguise, data, image, element=element)
    for number, block in enumerate(EXIFS):
        yield from _avifs(desk, number, block)


def resolution(kind: int, count: int, value: bytes) -> bytes:
    """Return EXIF with a resolution in X of this kind."""
    table = struct.pack("<HHHI", 2, 0x11A, kind, count) + value.ljust(4, b"\0")
    table += struct.pack("<HHIHH", 0x128, 3, 1, 2, 0)
    return app1(b"II*\0" + struct.pack("<I", 8) + table + bytes(4))


JPEGS: Final = (
    ("lone-marker", "a marker without a length", b"\xff\x01"),
    ("jfif-five", "JFIF of five bytes", jpeg_segment(0xE0, b"JFIF\0")),
    ("jfif-again", "a second JFIF of four bytes", jpeg_segment(0xE0, b"JFIF")),
    ("adobe-short", "Adobe's segment of five bytes", jpeg_segment(0xEE, b"Adobe")),
    ("profile-without-number", "no number of a profile", jpeg_segment(0xE2, b"ICC_PROFILE\0")),
    ("profile-without-count", "no count of a profile", jpeg_segment(0xE2, b"ICC_PROFILE\0\1")),
    ("photoshop-cut", "Photoshop's resources are cut", jpeg_segment(
        0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04"
    )),
    ("resolution-of-a-letter", "a resolution that is a letter", resolution(7, 1, b"a")),
    ("resolution-of-no-text", "a resolution that is no text", resolution(2, 1, b"\0")),
)  # fmt: skip
PNGS: Final = (
    ("text-method", "a text packed in an unknown way", png_chunk(b"zTXt", b"k\0\1abc")),
    ("text-long", "a packed text of 3 MB", png_chunk(b"zTXt", b"k\0\0" + BOMB)),
    ("text-long-international", "another", png_chunk(b"iTXt", b"k\0\1\0\0\0" + BOMB)),
    ("short-phys", "pHYs of three bytes", png_chunk(b"pHYs", bytes(3))),
    ("short-gama", "gAMA of two bytes", png_chunk(b"gAMA", bytes(2))),
    ("short-chrm", "cHRM of 31 bytes", png_chunk(b"cHRM", bytes(31))),
    ("empty-srgb", "an empty sRGB", png_chunk(b"sRGB", b"")),
    ("short-trns-of-colours", "tRNS of two bytes", png_chunk(b"tRNS", bytes(2))),
    ("iccp-method", "a profile packed in an unknown way", png_chunk(b"iCCP", b"k\0\1" + BOMB[:9])),
    ("iccp-without-a-name", "a profile without a name", png_chunk(b"iCCP", b"kkkkk")),
    ("short-actl", "acTL of four bytes", png_chunk(b"acTL", bytes(4))),
    ("odd-name", "a chunk with a dash in its name", png_chunk(b"ab-c", b"abc")),
    ("frame-control", "fcTL out of order, and no animation", png_chunk(b"fcTL", CONTROL)),
    ("frame-control-short", "fcTL of eight bytes", png_chunk(b"fcTL", bytes(8))),
    ("frame-data", "fdAT, and no animation", png_chunk(b"fdAT", bytes(10))),
)
EXIFS: Final = (b"garbage", bytes(4) + b"garbage that is long enough", bytes(4) + b"II+\0")


def _avifs(desk: Desk, number: int, block: bytes) -> Iterator[Entry]:
    """Yield an AVIF of four tiles with EXIF that is none."""
    name = f"exif-{number}-of-tiles.avif"
    image = desk.picture(name)
    boxes = [(x, y, x + 160, y + 120) for y in (0, 120) for x in (0, 160)]
    tiles = [_item(place, image.crop(box)) for place, box in enumerate(boxes, 2)]
    grid = Item(1, b"grid", GRID, properties(image.size))
    exif = Item(9, b"Exif", block, hidden=True)
    references = [(b"dimg", 1, (2, 3, 4, 5)), (b"cdsc", 9, (1,))]
    data = heif([grid, *tiles, exif], references)
    yield make_entry(KIND, name, "tiles, and EXIF that is none", data, image)
    name = f"two-without-names-{number}.avif"
    pictures = [desk.picture(f"{name}-{place}") for place in (1, 2)]
    items = [_item(place, picture) for place, picture in enumerate(pictures, 1)]
    yield make_entry(KIND, name, "two pictures without names", heif(items), *pictures)
    name = f"multiplied-{number}.avif"
    image, alpha = desk.picture(name), desk.grey(f"{name}-alpha")
    items = [_item(1, image), _item(2, alpha, alpha=True)]
    data = heif(items, [(b"auxl", 2, (1,)), (b"prem", 1, (2,))])
    yield make_entry(KIND, name, "colours said to be multiplied by alpha", data)


def _item(number: int, image: Image.Image, *, alpha: bool = False) -> Item:
    data, configuration = coded(image)
    own = properties(image.size, configuration, alpha=alpha)
    return Item(number, b"av01", data, own, hidden=alpha or image.size == TILE)
