"""Files with several pictures at the top, and formats of which galleries are fond."""

import io
import struct
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin

from tests.support.corpus import masks
from tests.support.corpus.alpha import pack_rows
from tests.support.corpus.entry import SIZE, Desk, Entry, encode, make_entry, to_pixels
from tests.support.corpus.orientation import store

KIND: Final = "several"


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _mpo(desk)
    yield from _heic(desk)
    yield from _tiff(desk)
    yield from _ico(desk)
    yield from _bmp(desk)
    yield from _thumbnails(desk)
    yield from _jpeg_2000(desk)


_entry = partial(make_entry, KIND)


def _mpo(desk: Desk) -> Iterator[Entry]:
    for count in (2, 3):
        name = f"mpo-{count}.jpg"
        pictures = [desk.picture(f"{name}-{number}") for number in range(count)]
        data = encode(pictures[0], "MPO", save_all=True, append_images=pictures[1:])
        yield _entry(name, f"an MPO of {count} pictures", data, *pictures)
    name = "mpo-small-second.jpg"
    first, second = desk.picture(f"{name}-0", (400, 300)), desk.picture(f"{name}-1", (200, 150))
    data = encode(first, "MPO", save_all=True, append_images=[second])
    yield _entry(name, "the second picture is smaller", data, first, second)


def _heic(desk: Desk) -> Iterator[Entry]:
    for count in (2, 3):
        for primary in range(count):
            name = f"{count}-pictures-primary-{primary}.heic"
            pictures = [desk.picture(f"{name}-{number}") for number in range(count)]
            options: dict[str, Any] = {
                "save_all": True,
                "append_images": pictures[1:],
                "primary_index": primary,
            }
            yield _entry(
                name,
                f"{count} pictures; number {primary} is primary",
                encode(pictures[0], "HEIF", **options),
                *pictures,
                element="",
            )
    name = "alpha.heic"
    image = desk.picture(name)
    image.putalpha(desk.grey(f"{name}-alpha"))
    yield _entry(name, "HEIC with alpha", encode(image, "HEIF"), image, element="")


def _tiff(desk: Desk) -> Iterator[Entry]:
    name = "three-pages.tiff"
    pages = [desk.picture(f"{name}-{number}") for number in range(3)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    yield _entry(name, "three pages", data, *pages, element="")
    name = "small-first-page.tiff"
    small, known = desk.picture(f"{name}-0", (64, 48)), desk.picture(f"{name}-1")
    data = encode(small, "TIFF", save_all=True, append_images=[known])
    yield _entry(name, "a small first page", data, known, element="")
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        name = f"{compression}.tiff"
        image = desk.picture(name)
        yield _entry(
            name, compression, encode(image, "TIFF", compression=compression), image, element=""
        )
    for orientation in (2, 3, 6, 8):
        name = f"orientation-{orientation}.tiff"
        image = desk.picture(name)
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[0x112] = orientation
        stored = store(image, orientation)
        yield _entry(
            name,
            f"TIFF of orientation {orientation}",
            encode(stored, "TIFF", tiffinfo=tags),
            image,
            element="",
        )
    name = "cmyk.tiff"
    image = desk.picture(name)
    cmyk = Image.merge("CMYK", (*ImageOps.invert(image).split(), Image.new("L", SIZE, 0)))
    yield _entry(name, "a TIFF in CMYK", encode(cmyk, "TIFF"), image, element="")
    name = "white-is-zero.tiff"
    grey = desk.grey(name)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0
    data = encode(grey, "TIFF", tiffinfo=tags)
    shown = Image.open(io.BytesIO(data)).convert("L")
    yield _entry(name, "a TIFF in which zero is white", data, shown, element="")
    name = "big-endian.tiff"
    grey = desk.grey(name)
    yield _entry(name, "a TIFF in Motorola's order", _big_endian_tiff(grey), grey, element="")


def _big_endian_tiff(grey: Image.Image) -> bytes:
    width, height = grey.size
    strip = to_pixels(grey).tobytes()
    shorts = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: 1, 278: height}
    tags = [(tag, 3, value << 16) for tag, value in shorts.items()]
    tags = sorted([*tags, (273, 4, 8), (279, 4, len(strip))])
    directory = struct.pack(">H", len(tags))
    directory += b"".join(struct.pack(">HHII", tag, type, 1, value) for tag, type, value in tags)
    return b"MM\0*" + struct.pack(">I", 8 + len(strip)) + strip + directory + bytes(4)


def _ico(desk: Desk) -> Iterator[Entry]:
    name = "sizes.ico"
    small, large = desk.picture(f"{name}-0", (64, 64)), desk.picture(f"{name}-1", (256, 256))
    yield _entry(name, "two sizes, two pictures, as PNG", _icon([small, large]), large, small)
    yield _entry(
        "sizes-reversed.ico", "the larger stands first", _icon([large, small]), large, small
    )
    name = "bitmaps.ico"
    small, large = desk.picture(f"{name}-0", (96, 96)), desk.picture(f"{name}-1", (256, 256))
    yield _entry(name, "two sizes as BMP", _icon([small, large], bitmap=True), large, small)
    name = "same-size.ico"
    first, second = desk.picture(f"{name}-0", (256, 256)), desk.picture(f"{name}-1", (256, 256))
    yield _entry(name, "two pictures of one size", _icon([first, second]), first, second)
    name = "cursor.cur"
    image = desk.picture(name, (256, 256))
    yield _entry(name, "a cursor", _icon([image], kind=2), image)


def _icon(pictures: list[Image.Image], *, bitmap: bool = False, kind: int = 1) -> bytes:
    """Return an icon (1) or a cursor (2) of pictures, as PNG or as bitmaps."""
    head, body = struct.pack("<HHH", 0, kind, len(pictures)), b""
    for image in pictures:
        width, height = image.size
        part = encode(image.convert("RGBA"), "PNG")
        if bitmap:
            part = struct.pack("<IiiHHIIiiII", 40, width, height * 2, 1, 32, 0, 0, 0, 0, 0, 0)
            part += to_pixels(image.convert("RGBA"))[::-1, :, [2, 1, 0, 3]].tobytes()
            part += bytes((width + 31) // 32 * 4 * height)
        place = 6 + 16 * len(pictures) + len(body)
        planes, bits = (0, 0) if kind == 2 else (1, 32)
        head += struct.pack(
            "<BBBBHHII", width % 256, height % 256, 0, 0, planes, bits, len(part), place
        )
        body += part
    return head + body


def _bmp(desk: Desk) -> Iterator[Entry]:
    for bits in (1, 4, 8):
        name = f"palette-{bits}.bmp"
        few = desk.picture(name).quantize(2**bits)
        palette = (few.getpalette() or [])[: 3 * 2**bits]
        yield _entry(
            name, f"a palette of {2**bits}", _bitmap(few, bits, palette), few.convert("RGB")
        )
    for bits in (16, 24, 32):
        name = f"colours-{bits}.bmp"
        image = desk.picture(name)
        yield _entry(name, f"{bits} bits", _bitmap(image, bits), image)
    name = "top-down.bmp"
    image = desk.picture(name)
    yield _entry(
        name, "the rows stand from top to bottom", _bitmap(image, 24, top_down=True), image
    )
    name = "run-length.bmp"
    few = desk.picture(name).quantize(16)
    palette = (few.getpalette() or [])[:48] + [0] * 720
    yield _entry(name, "run lengths", _bitmap(few, 8, palette[:768], runs=True), few.convert("RGB"))
    name = "565.bmp"
    image = desk.picture(name)
    yield _entry(name, "masks of 5, 6 and 5 bits", _bitmap(image, 16, fields=True), image)
    name = "alpha.bmp"
    image = desk.picture(name)
    image.putalpha(desk.grey(f"{name}-alpha"))
    yield _entry(name, "a mask of alpha", _alpha_bitmap(image), image)
    name = "os2.bmp"
    image = desk.picture(name)
    body = _rows(to_pixels(image)[::-1, :, ::-1].reshape(SIZE[1], -1))
    data = b"BM" + struct.pack("<IIIIHHHH", 26 + len(body), 0, 26, 12, *SIZE, 1, 24) + body
    yield _entry(name, "the header of OS/2", data, image)
    for name, data, image in masks.bitmaps(desk):
        yield _entry(name, "colours in unusual bits", data, image)
    name = "masks.ico"
    data, image = masks.icon(desk, name, "555-swapped")
    yield _entry(name, "an icon with colours in unusual bits", data, image)


def _rows(pixels: "np.ndarray[Any, Any]") -> bytes:
    """Return rows, each filled up to four bytes."""
    return b"".join(row.tobytes() + bytes(-len(row.tobytes()) % 4) for row in pixels)


def _bitmap(
    image: Image.Image,
    bits: int,
    palette: list[int] | None = None,
    *,
    top_down: bool = False,
    runs: bool = False,
    fields: bool = False,
) -> bytes:
    pixels = to_pixels(image) if palette else to_pixels(image)[..., ::-1].astype(int)
    pixels = pixels if top_down else pixels[::-1]
    width, height = image.size
    extra, compression = b"", 3 if fields else 0
    if palette:
        colours = np.array(palette, np.uint8).reshape(-1, 3)[:, ::-1]
        extra = b"".join(colour.tobytes() + b"\0" for colour in colours)
        body = b"".join(
            row + bytes(-len(row) % 4) for row in pack_rows(pixels.astype(np.uint8), bits)
        )
        if runs:
            compression, body = (
                1,
                b"".join(_run_length(row) for row in pixels.astype(np.uint8)) + b"\0\1",
            )
    elif bits == 16:
        blue, green, red = pixels[..., 0], pixels[..., 1], pixels[..., 2]
        wide = (
            red >> 3 << 11 | green >> 2 << 5 | blue >> 3
            if fields
            else red >> 3 << 10 | green >> 3 << 5 | blue >> 3
        )
        body = _rows(wide.astype("<u2"))
        extra = struct.pack("<III", 0xF800, 0x07E0, 0x001F) if fields else b""
    else:
        samples = pixels.astype(np.uint8)
        if bits == 32:
            samples = np.dstack([samples, np.zeros(samples.shape[:2], np.uint8)])
        body = _rows(samples.reshape(height, -1))
    start = 54 + len(extra)
    head = b"BM" + struct.pack("<III", start + len(body), 0, start)
    colours_used = len(extra) // 4 if palette else 0
    head += struct.pack(
        "<IiiHHIIiiII",
        40,
        width,
        -height if top_down else height,
        1,
        bits,
        compression,
        len(body),
        0,
        0,
        colours_used,
        0,
    )
    return head + extra + body


def _run_length(row: "np.ndarray[Any, np.dtype[np.uint8]]") -> bytes:
    out, at = b"", 0
    while at < len(row):
        end = at
        while end < len(row) and end - at < 255 and row[end] == row[at]:
            end += 1
        out += bytes([end - at, row[at]])
        at = end
    return out + b"\0\0"


def _alpha_bitmap(image: Image.Image) -> bytes:
    width, height = image.size
    body = to_pixels(image)[::-1, :, [2, 1, 0, 3]].tobytes()
    info = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(body), 0, 0, 0, 0)
    info += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    return b"BM" + struct.pack("<III", 14 + len(info) + len(body), 0, 14 + len(info)) + info + body


def _thumbnails(desk: Desk) -> Iterator[Entry]:
    """A small picture inside that no viewer of the file shows; it is not asked for."""
    name = "other-thumbnail.jpg"
    image, other = desk.picture(name), encode(desk.picture(f"{name}-small", (160, 120)), "JPEG")
    directory = struct.pack("<H", 3)
    for tag, kind, value in ((0x103, 3, 6), (0x201, 4, 14 + 42 - 8), (0x202, 4, len(other))):
        directory += struct.pack("<HHII", tag, kind, 1, value)
    block = b"II*\0" + struct.pack("<IHI", 8, 0, 14) + directory + bytes(4)
    place = len(block)
    block = block.replace(
        struct.pack("<HHII", 0x201, 4, 1, 48), struct.pack("<HHII", 0x201, 4, 1, place)
    )
    data = encode(image, "JPEG", exif=b"Exif\0\0" + block + other)
    yield _entry(name, "a thumbnail of another picture", data, image)


def _jpeg_2000(desk: Desk) -> Iterator[Entry]:
    for name, options in (
        ("plain.jp2", {}),
        ("plain.j2k", {"no_jp2": True}),
        ("tiles.jp2", {"tile_size": (128, 128)}),
    ):
        image = desk.picture(name)
        yield _entry(name, "JPEG 2000", encode(image, "JPEG2000", **options), image, element="")
