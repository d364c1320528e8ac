"""Pictures that are, in part or alone, in the transparency of a file."""

import io
import struct
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from PIL import Image, ImageOps

from tests.support.corpus.containers import png, png_chunk
from tests.support.corpus.entry import SIZE, Desk, Entry, Pixels, encode, flatten, to_pixels

KIND: Final = "alpha"
FORMATS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("PNG", "png", {}),
    ("WEBP", "webp", {"lossless": True, "exact": True}),
    ("WEBP", "lossy.webp", {"quality": 90, "exact": True}),
    ("AVIF", "avif", {}),
)


def only_alpha(grey: Image.Image, colour: str) -> Image.Image:
    """Return a colour whose transparency is the picture: black for white pages, or white."""
    alpha = ImageOps.invert(grey) if colour == "black" else grey
    image = Image.new("RGB", grey.size, colour)
    image.putalpha(alpha)
    return image


def two_faced(on_white: Image.Image, on_black: Image.Image) -> Image.Image:
    """Return a picture that white and black pages show as different pictures."""
    light = 128 + to_pixels(on_white).astype(float) / 2
    dark = to_pixels(on_black).astype(float) / 2.01
    alpha = 255 - (light - dark)
    colour = np.clip(dark / np.maximum(alpha, 1) * 255, 0, 255)
    return Image.merge("LA", [Image.fromarray(plane.astype(np.uint8)) for plane in (colour, alpha)])


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _common(desk)
    yield from _grey(desk)
    yield from _palettes(desk)
    yield from _keys(desk)
    yield from _sixteen(desk)


def _entry(
    name: str, disguise: str, data: bytes, *truth: Image.Image, element: str = "img"
) -> Entry:
    return Entry(name, KIND, disguise, data, truth, element="img" if element else "")


def _common(desk: Desk) -> Iterator[Entry]:
    for format, ending, options in FORMATS:
        for colour in ("black", "white"):
            name = f"only-alpha-in-{colour}.{ending}"
            image = only_alpha(desk.grey(name), colour)
            yield _entry(
                name,
                f"{colour} with a picture in its alpha",
                encode(image, format, **options),
                image,
            )
        name = f"decoy-under-alpha.{ending}"
        image = desk.picture(f"{name}-decoy")
        image.putalpha(
            only_alpha(desk.grey(name), "black").getchannel("A").point(lambda v: v * 2 // 3)
        )
        yield _entry(
            name, "a decoy's colours under another's alpha", encode(image, format, **options), image
        )
        name = f"two-faced.{ending}"
        image = two_faced(desk.grey(f"{name}-white"), desk.grey(f"{name}-black")).convert("RGBA")
        data = encode(image, format, **options)
        shown = Image.open(io.BytesIO(data)).convert("RGBA")  # what is lost is lost for all
        yield _entry(name, "one picture on white, another on black", data, shown)
        name = f"clear-half.{ending}"
        image = desk.picture(f"{name}-known").convert("RGBA")
        clear = desk.picture(f"{name}-decoy").convert("RGBA").crop((160, 0, 320, 240))
        clear.putalpha(0)
        image.paste(clear, (160, 0))
        yield _entry(
            name, "half of it is a decoy of alpha 0", encode(image, format, **options), image
        )


def _grey(desk: Desk) -> Iterator[Entry]:
    for colour in ("black", "white"):
        name = f"only-alpha-in-{colour}-la.png"
        image = only_alpha(desk.grey(name), colour).convert("LA")
        yield _entry(name, f"grey with alpha, all {colour}", encode(image, "PNG"), image)
    name = "two-faced-la.png"
    image = two_faced(desk.grey(f"{name}-white"), desk.grey(f"{name}-black"))
    yield _entry(name, "two pictures in grey with alpha", encode(image, "PNG"), image)
    name = "only-alpha-interlaced.png"
    image = only_alpha(desk.grey(name), "black")
    yield _entry(name, "the alpha of a BMP-like layer", encode(image, "PNG", optimize=True), image)
    for format, ending in (("ICO", "ico"), ("TIFF", "tiff"), ("JPEG2000", "jp2")):
        name = f"only-alpha.{ending}"
        size = (256, 256) if ending == "ico" else SIZE
        image = only_alpha(desk.grey(name, size), "black")
        options = {"sizes": [size]} if ending == "ico" else {}
        element = "img" if ending == "ico" else ""
        data = encode(image, format, **options)
        yield _entry(name, f"a picture in the alpha of {format}", data, image, element=element)


def _palettes(desk: Desk) -> Iterator[Entry]:
    """Palettes whose entries differ in transparency only."""
    for depth in (1, 2, 4, 8):
        name = f"palette-{depth}.png"
        levels = 2**depth
        indices = _indices(desk.grey(name), levels)
        alphas = bytes(255 - 255 * level // (levels - 1) for level in range(levels))
        before = png_chunk(b"PLTE", bytes(3 * levels)) + png_chunk(b"tRNS", alphas)
        data = png(pack_rows(indices, depth), *SIZE, depth=depth, colour=3, before=before)
        image = Image.new("RGB", SIZE, "black")
        image.putalpha(Image.fromarray(np.array(list(alphas), np.uint8)[indices]))
        yield _entry(name, f"{levels} black entries that differ in tRNS", data, image)
    name = "short-trns.png"
    indices = _indices(desk.grey(name), 16)
    colours = b"".join(bytes([17 * level] * 3) for level in range(16))
    before = png_chunk(b"PLTE", colours) + png_chunk(b"tRNS", bytes([0, 0, 0, 0]))
    data = png(pack_rows(indices, 4), *SIZE, depth=4, colour=3, before=before)
    image = Image.fromarray((17 * indices).astype(np.uint8)).convert("RGB")
    image.putalpha(Image.fromarray(np.where(indices < 4, 0, 255).astype(np.uint8)))
    yield _entry(name, "the first four entries are transparent", data, image)
    name = "holes.gif"
    dots = np.asarray(desk.grey(name, (160, 120)).convert("1")).repeat(2, 0).repeat(2, 1)
    indices = np.where(dots, 1, 0).astype(np.uint8)
    flat = Image.fromarray(indices, "P")
    flat.putpalette([0, 0, 0] * 2 + [0] * 762)
    image = Image.new("RGB", SIZE, "black")
    image.putalpha(Image.fromarray(np.where(dots, 0, 255).astype(np.uint8)))
    yield _entry(name, "black dots and holes", encode(flat, "GIF", transparency=1), image)


def _keys(desk: Desk) -> Iterator[Entry]:
    """One colour is transparent, by tRNS in a PNG without a palette."""
    name = "key-grey.png"
    grey = to_pixels(desk.grey(name)) // 32 * 32
    before = png_chunk(b"tRNS", struct.pack(">H", 96))
    data = png([row.tobytes() for row in grey], *SIZE, depth=8, colour=0, before=before)
    image = Image.fromarray(grey).convert("RGB")
    image.putalpha(Image.fromarray(np.where(grey == 96, 0, 255).astype(np.uint8)))
    yield _entry(name, "a grey that is transparent", data, image)
    name = "key-colour.png"
    dots = np.asarray(desk.grey(name, (160, 120)).convert("1")).repeat(2, 0).repeat(2, 1)
    colours = np.where(dots[..., None], [1, 2, 3], [0, 0, 0]).astype(np.uint8)
    before = png_chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))
    data = png([row.tobytes() for row in colours], *SIZE, depth=8, colour=2, before=before)
    image = Image.fromarray(colours)
    image.putalpha(Image.fromarray(np.where(dots, 0, 255).astype(np.uint8)))
    yield _entry(name, "a near-black that is transparent among blacks", data, image)
    name = "key-16-bit.png"
    dots = np.asarray(desk.grey(name, (160, 120)).convert("1")).repeat(2, 0).repeat(2, 1)
    wide = np.where(dots, 5, 0).astype(">u2")
    before = png_chunk(b"tRNS", struct.pack(">H", 5))
    data = png([row.tobytes() for row in wide], *SIZE, depth=16, colour=0, before=before)
    image = Image.new("RGB", SIZE, "black")
    image.putalpha(Image.fromarray(np.where(dots, 0, 255).astype(np.uint8)))
    yield _entry(name, "a 16-bit black that is transparent", data, image)


def _sixteen(desk: Desk) -> Iterator[Entry]:
    for channels, colour in ((2, 4), (4, 6)):
        name = f"only-alpha-16-bit-{channels}.png"
        image = only_alpha(desk.grey(name), "black")
        wide = np.zeros((SIZE[1], SIZE[0], channels), ">u2")
        wide[..., -1] = to_pixels(image.getchannel("A")).astype(np.uint16) * 257
        data = png([row.tobytes() for row in wide], *SIZE, depth=16, colour=colour)
        yield _entry(name, f"16-bit alpha, {channels} channels", data, image)
    name = "two-faced-16-bit.png"
    image = two_faced(desk.grey(f"{name}-white"), desk.grey(f"{name}-black"))
    wide = (to_pixels(image).astype(np.uint16) * 257).astype(">u2")
    data = png([row.tobytes() for row in wide], *SIZE, depth=16, colour=4)
    yield _entry(name, "two pictures in 16 bits", data, *flatten(image))


def _indices(grey: Image.Image, levels: int) -> Pixels:
    if levels == 2:
        return np.asarray(grey.convert("1")).astype(np.uint8)
    return (to_pixels(grey).astype(int) * levels // 256).astype(np.uint8)


def pack_rows(indices: Pixels, depth: int) -> list[bytes]:
    """Pack the samples of each row into bytes."""
    bits = np.unpackbits(indices[..., None], axis=2)[..., 8 - depth :]
    return [row.tobytes() for row in np.packbits(bits.reshape(len(indices), -1), axis=1)]
