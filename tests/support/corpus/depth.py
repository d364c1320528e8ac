"""Pictures whose samples are not eight bits of red, green and blue."""

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
from PIL import Image, ImageOps

from tests.support.corpus.alpha import pack_rows
from tests.support.corpus.containers import interlaced_png, jpeg_segment, png, png_chunk
from tests.support.corpus.entry import SIZE, Desk, Entry, encode, make_entry, to_pixels
from tests.support.corpus.profiles import INVERTED, LINEAR, STEEP, make_profile

KIND: Final = "depth"


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _sixteen(desk)
    yield from _few(desk)
    yield from _interlaced(desk)
    yield from _jpegs(desk)
    yield from _cmyk(desk)
    yield from _profiles(desk)
    yield from _png_colours(desk)


_entry = partial(make_entry, KIND)


def _wide_rows(pixels: "np.ndarray[Any, Any]") -> list[bytes]:
    return [row.astype(">u2").tobytes() for row in pixels]


def _sixteen(desk: Desk) -> Iterator[Entry]:
    name = "grey-16.png"
    grey = desk.grey(name)
    data = png(_wide_rows(to_pixels(grey).astype(int) * 257), *SIZE, depth=16, colour=0)
    yield _entry(name, "grey in 16 bits", data, grey)
    name = "colour-16.png"
    image = desk.picture(name)
    data = png(_wide_rows(to_pixels(image).astype(int) * 257), *SIZE, depth=16, colour=2)
    yield _entry(name, "colours in 16 bits", data, image)
    name = "grey-16-low-bytes.png"
    grey, decoy = desk.grey(name), desk.grey(f"{name}-decoy")
    both = to_pixels(grey).astype(int) * 256 + to_pixels(decoy)
    data = png(_wide_rows(both), *SIZE, depth=16, colour=0)
    yield _entry(name, "a decoy in the low bytes", data, grey)
    name = "colour-16-alpha.png"
    image = desk.picture(name).convert("RGBA")
    data = png(_wide_rows(to_pixels(image).astype(int) * 257), *SIZE, depth=16, colour=6)
    yield _entry(name, "16 bits and opaque", data, image)
    name = "grey-16-interlaced-by-pillow.tiff"
    grey = desk.grey(name)
    wide = Image.fromarray(to_pixels(grey).astype(np.uint16) * 257)
    yield Entry(name, KIND, "a TIFF in 16 bits", encode(wide, "TIFF"), (grey,), "")


def _few(desk: Desk) -> Iterator[Entry]:
    for depth in (1, 2, 4):
        name = f"grey-{depth}.png"
        grey = desk.grey(name)
        levels = 2**depth
        few = (
            np.asarray(grey.convert("1")).astype(np.uint8)
            if depth == 1
            else to_pixels(grey) // (256 // levels)
        )
        data = png(pack_rows(few, depth), *SIZE, depth=depth, colour=0)
        shown = Image.fromarray((few * (255 // (levels - 1))).astype(np.uint8))
        yield _entry(name, f"grey in {depth} bits", data, shown)
    for depth in (1, 2, 4, 8):
        name = f"colours-{depth}.png"
        few_colours = desk.picture(name).quantize(2**depth)
        palette = bytes((few_colours.getpalette() or [])[: 3 * 2**depth])
        before = png_chunk(b"PLTE", palette)
        data = png(
            pack_rows(to_pixels(few_colours), depth), *SIZE, depth=depth, colour=3, before=before
        )
        yield _entry(name, f"a palette of {2**depth}", data, few_colours.convert("RGB"))
    name = "shuffled-palette.png"
    few_colours = desk.picture(name).quantize(256)
    order = desk.dice(name).permutation(256)
    colours = np.array(few_colours.getpalette(), np.uint8).reshape(-1, 3)
    colours = np.vstack([colours, np.zeros((256 - len(colours), 3), np.uint8)])
    shuffled = np.empty_like(colours)
    shuffled[order] = colours
    before = png_chunk(b"PLTE", shuffled.tobytes())
    rows = order.astype(np.uint8)[to_pixels(few_colours)]
    data = png([row.tobytes() for row in rows], *SIZE, depth=8, colour=3, before=before)
    yield _entry(
        name, "a shuffled palette: the indices look like noise", data, few_colours.convert("RGB")
    )


def _interlaced(desk: Desk) -> Iterator[Entry]:
    for mode, colour in (("RGB", 2), ("L", 0), ("RGBA", 6)):
        name = f"interlaced-{mode.lower()}.png"
        image = desk.picture(name).convert(mode)
        yield _entry(name, f"Adam7, {mode}", interlaced_png(image, colour=colour), image)
    name = "interlaced.gif"
    image = desk.picture(name).quantize(256)
    data = encode(image, "GIF", interlace=1)
    yield _entry(name, "an interlaced GIF", data, image.convert("RGB"))


def _jpegs(desk: Desk) -> Iterator[Entry]:
    options: tuple[tuple[str, dict[str, Any]], ...] = (
        ("progressive", {"progressive": True}),
        ("4-4-4", {"subsampling": "4:4:4"}),
        ("4-2-2", {"subsampling": "4:2:2"}),
        ("4-2-0", {"subsampling": "4:2:0", "progressive": True}),
        ("rgb", {"keep_rgb": True}),
        ("restart", {"restart_marker_rows": 1}),
        ("optimized", {"optimize": True, "quality": 60}),
    )
    for label, chosen in options:
        name = f"{label}.jpg"
        image = desk.picture(name)
        yield _entry(name, f"JPEG {label}", encode(image, "JPEG", **chosen), image)
    name = "grey.jpg"
    grey = desk.grey(name)
    yield _entry(name, "a grey JPEG", encode(grey, "JPEG", progressive=True), grey)
    name = "rgb-without-adobe.jpg"
    image = desk.picture(name)
    whole = encode(image, "JPEG", keep_rgb=True)
    at = whole.index(b"\xff\xee")
    data = whole[:at] + whole[at + 16 :]
    yield _entry(name, "red, green and blue by the names of its components", data, image)
    name = "ycc-said-to-be-rgb.jpg"
    image = desk.picture(name)
    whole = encode(image, "JPEG", subsampling="4:4:4")
    data = whole[:2] + jpeg_segment(0xEE, b"Adobe\0\x64\0\0\0\0\0") + whole[20:]
    shown = Image.merge("RGB", image.convert("YCbCr").split())
    yield _entry(name, "Adobe's segment says RGB of YCbCr", data, shown)


def _cmyk(desk: Desk) -> Iterator[Entry]:
    name = "cmyk.jpg"
    image = desk.picture(name)
    cmyk = Image.merge("CMYK", (*ImageOps.invert(image).split(), Image.new("L", SIZE, 0)))
    yield _entry(name, "CMYK as Adobe inverts it", encode(cmyk, "JPEG"), image)
    name = "only-in-black.jpg"
    grey = desk.grey(name)
    flat = Image.new("L", SIZE, 0)
    cmyk = Image.merge("CMYK", (flat, flat, flat, ImageOps.invert(grey)))
    yield _entry(name, "the picture is in the black plate alone", encode(cmyk, "JPEG"), grey)
    name = "cmyk-with-black.jpg"
    image, grey = desk.picture(name), desk.grey(f"{name}-black")
    cmyk = Image.merge("CMYK", (*ImageOps.invert(image).split(), ImageOps.invert(grey)))
    mixed = to_pixels(image).astype(int) * to_pixels(grey)[..., None] // 255
    yield _entry(
        name,
        "colours under a black plate",
        encode(cmyk, "JPEG"),
        Image.fromarray(mixed.astype(np.uint8)),
    )
    name = "cmyk-without-adobe.jpg"
    image = desk.picture(name)
    cmyk = Image.merge("CMYK", (*ImageOps.invert(image).split(), Image.new("L", SIZE, 0)))
    whole = encode(cmyk, "JPEG")
    at = whole.index(b"\xff\xee")
    data = whole[:at] + whole[at + 16 :]
    yield _entry(name, "inverted CMYK without Adobe's segment", data, image)
    name = "ycck.jpg"
    image = desk.picture(name)
    planes = [ImageOps.invert(plane) for plane in ImageOps.invert(image).convert("YCbCr").split()]
    whole = encode(Image.merge("CMYK", (*planes, Image.new("L", SIZE, 0))), "JPEG")
    at = whole.index(b"\xff\xee") + 15
    data = whole[:at] + b"\x02" + whole[at + 1 :]
    yield _entry(name, "YCCK", data, image)


def _profiles(desk: Desk) -> Iterator[Entry]:
    """Profiles that change what a screen shows of the samples."""
    for format, ending in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("AVIF", "avif")):
        name = f"profile-inverted.{ending}"
        image = desk.picture(name)
        profile = make_profile(INVERTED)
        data = encode(ImageOps.invert(image), format, icc_profile=profile)
        yield _entry(name, "a negative whose profile inverts it", data, image)
        name = f"profile-swapped.{ending}"
        image = desk.picture(name)
        red, green, blue = image.split()
        data = encode(
            Image.merge("RGB", (green, blue, red)), format, icc_profile=make_profile(swapped=True)
        )
        yield _entry(name, "channels swapped, and a profile that swaps them back", data, image)
    for label, curve in (("linear", LINEAR), ("steep", STEEP)):
        name = f"profile-{label}.png"
        image = desk.picture(name)
        stored = image.point(
            [int(curve.store(value / 255) * 255 + 0.5) for value in range(256)] * 3
        )
        data = encode(stored, "PNG", icc_profile=make_profile(curve))
        yield _entry(name, f"a {label} profile", data, image)
    name = "profile-grey.jpg"
    grey = desk.grey(name)
    data = encode(ImageOps.invert(grey), "JPEG", icc_profile=make_profile(INVERTED, grey=True))
    yield _entry(name, "a grey negative whose profile inverts it", data, grey)


def _png_colours(desk: Desk) -> Iterator[Entry]:
    for gamma in (0.1, 0.25, 1.0):
        name = f"gama-{gamma}.png"
        image = desk.picture(name)
        linear = [(value / 255) ** (1 / gamma) for value in range(256)]
        shown = image.point([int(_srgb(value) * 255 + 0.5) for value in linear] * 3)
        chunk = png_chunk(b"gAMA", struct.pack(">I", int(gamma * 100_000)))
        yield _entry(name, f"gAMA of {gamma}", _with_chunk(image, chunk), shown)
    name = "gama-and-srgb.png"
    image = desk.picture(name)
    chunks = png_chunk(b"gAMA", struct.pack(">I", 10_000)) + png_chunk(b"sRGB", b"\0")
    yield _entry(name, "gAMA that sRGB makes void", _with_chunk(image, chunks), image)
    name = "chrm-swapped.png"
    image = desk.picture(name)
    red, green, blue = (64_000, 33_000), (30_000, 60_000), (15_000, 6_000)
    numbers = (31_270, 32_900, *blue, *red, *green)
    chunks = png_chunk(b"gAMA", struct.pack(">I", 45_455)) + png_chunk(
        b"cHRM", struct.pack(">8I", *numbers)
    )
    first, second, third = image.split()
    stored = Image.merge("RGB", (third, first, second))
    yield _entry(
        name, "cHRM names the channels in another order", _with_chunk(stored, chunks), image
    )
    name = "bkgd.png"
    image = desk.picture(name).convert("RGBA")
    image.putalpha(desk.grey(f"{name}-alpha"))
    chunk = png_chunk(b"bKGD", struct.pack(">HHH", 255, 0, 0))
    yield _entry(
        name, "a background colour that viewers do not use", _with_chunk(image, chunk), image
    )
    name = "iccp-broken.png"
    image = desk.picture(name)
    chunk = png_chunk(b"iCCP", b"words\0\0" + zlib.compress(b"no profile"))
    yield _entry(name, "a profile that is none", _with_chunk(image, chunk), image)


def _with_chunk(image: Image.Image, chunk: bytes) -> bytes:
    whole = encode(image, "PNG")
    return whole[:33] + chunk + whole[33:]


def _srgb(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
