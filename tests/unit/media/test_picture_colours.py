"""What is transparent, deep, printed or coloured by a profile is hashed as it is shown."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from kinward.media import read_picture
from kinward.media.medium import Bounds
from kinward.media.picture import pictures, render_moment
from kinward.media.stills.colour import as_shown
from kinward.media.stills.primaries import coded_profile, gamma_profile, make_profile
from tests.support.looks import MAX, NEAR, bits, encode, plain, raw_png, seen, shows, with_chunk

GREY = plain(11).convert("L")
LEVELS = np.asarray(GREY)
BLACK = np.zeros_like(LEVELS)


def over(image: Image.Image, colour: str) -> Image.Image:
    page = Image.new("RGBA", image.size, colour)
    page.alpha_composite(image.convert("RGBA"))
    return page.convert("RGB")


@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF", "TIFF", "JPEG2000"])
@pytest.mark.parametrize("ink", [0, 255])
def test_a_picture_that_is_only_in_the_alpha_is_seen(format: str, ink: int) -> None:
    alpha = ImageOps.invert(GREY) if ink == 0 else GREY
    colour = Image.new("L", GREY.size, ink)
    image = Image.merge("RGBA", (colour, colour, colour, alpha))
    options = {"lossless": True} if format == "WEBP" else {}
    data = encode(image, format, **options)
    assert shows(data, over(image, "white" if ink == 0 else "black"), strand=0, moment=0)


def test_two_pictures_of_one_file_are_both_seen_and_so_is_what_is_under_the_alpha() -> None:
    white, black, under = (np.asarray(plain(seed).convert("L")) for seed in (12, 13, 14))
    light, dark = 128 + white // 2.0, black // 2.0  # over white, and over black
    alpha = 255 - (light - dark)
    ink = (dark * 255 / np.maximum(alpha, 1)).clip(0, 255)
    pixels = np.dstack([ink, ink, ink, alpha]).round().astype(np.uint8)
    data = encode(Image.fromarray(pixels), "PNG")
    assert shows(data, Image.fromarray(light.astype(np.uint8)))
    assert shows(data, Image.fromarray(dark.astype(np.uint8)))
    hidden = np.dstack([under, under, under, np.full_like(under, 3)])
    assert shows(encode(Image.fromarray(hidden), "PNG"), Image.fromarray(under))


def test_the_pages_of_a_transparent_picture_are_shown_side_by_side() -> None:
    image = Image.merge("LA", (Image.new("L", GREY.size, 0), ImageOps.invert(GREY)))
    data = encode(image, "PNG")
    shown = list(pictures(data, Bounds(MAX, 9.0)))
    assert [place[:2] for place in shown] == [(0, 0), (0, 0)]
    assert bits(over(image, "white"), seen(encode(shown[0][2], "PNG"))) == 0
    assert render_moment(data, Bounds(MAX, 9.0), veiled=False, strand=0, moment=0)


@pytest.mark.parametrize(
    "data",
    [
        raw_png(LEVELS // 4, 8, 3, (b"PLTE", bytes(192)), (b"tRNS", bytes(range(255, 0, -4)))),
        raw_png(
            np.dstack([BLACK, 255 - LEVELS]).reshape(240, 640).astype(int) * 257, 16, 4
        ).replace(struct.pack(">II", 640, 240), struct.pack(">II", 320, 240)),
        encode(Image.merge("LA", (Image.new("L", GREY.size, 0), ImageOps.invert(GREY))), "PNG"),
    ],
    ids=["palette", "sixteen bits", "grey"],
)
def test_alpha_of_every_kind_is_over_white(data: bytes) -> None:
    assert bits(GREY, seen(_sound(data), strand=0, moment=0)) <= NEAR


def _sound(data: bytes) -> bytes:
    """Return a PNG whose header's checksum is right again."""
    from tests.support.looks import chunks, png

    return png(chunks(data))


@pytest.mark.parametrize("depth", [8, 16])
def test_the_key_of_a_grey_picture_is_transparent(depth: int) -> None:
    key = 0 if depth == 8 else 777
    levels = np.where(
        LEVELS > 120, key, np.maximum(LEVELS, 1).astype(int) * (1 if depth == 8 else 257)
    )
    data = raw_png(levels, depth, 0, (b"tRNS", struct.pack(">H", key)))
    shown = np.where(LEVELS > 120, 255, np.maximum(LEVELS, 1)).astype(np.uint8)
    assert shows(data, Image.fromarray(shown), strand=0, moment=0)


def test_sixteen_bits_are_shown_by_their_upper_half() -> None:
    assert shows(raw_png(LEVELS.astype(int) * 256 + 99, 16, 0), GREY)
    wide = Image.fromarray((LEVELS.astype(np.uint16) << 8) + 7)
    assert shows(encode(wide, "TIFF"), GREY)
    assert shows(encode(Image.fromarray(LEVELS.astype(np.float32) * 1e5 - 3e6), "TIFF"), GREY)
    assert shows(encode(Image.fromarray(LEVELS.astype(np.int32) * 70_000), "TIFF"), GREY)


def test_print_is_shown() -> None:
    picture = plain(15)
    assert shows(encode(picture.convert("CMYK"), "JPEG", quality=92), picture)
    assert shows(encode(picture.convert("CMYK"), "TIFF"), picture)


def upside_down() -> bytes:
    """Return a profile that shows every picture as its negative."""
    return make_profile((0.64, 0.33, 0.3, 0.6, 0.15, 0.06), np.linspace(1, 0, 1024))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_a_profile_that_changes_a_picture_is_applied(format: str) -> None:
    data = encode(plain(16), format, icc_profile=upside_down())
    shown = ImageOps.invert(plain(16))
    assert bits(shown, [read_picture(data, MAX).signature[:32]]) < 60  # its curve differs
    assert bits(plain(16), seen(data)) <= NEAR  # also as stored


@pytest.mark.parametrize("gamma", [10_000, 200_000])
def test_the_gamma_of_a_png_is_applied(gamma: int) -> None:
    data = with_chunk(encode(plain(17), "PNG"), b"gAMA", struct.pack(">I", gamma))
    light = (np.asarray(plain(17)) / 255) ** (100_000 / gamma)
    srgb = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert shows(data, Image.fromarray((srgb.clip(0, 1) * 255).astype(np.uint8)))


def test_swapped_primaries_of_a_png_are_applied() -> None:
    picture = plain(18)
    numbers = (31270, 32900, 15000, 6000, 30000, 60000, 64000, 33000)  # blue first
    data = with_chunk(encode(picture, "PNG"), b"cHRM", struct.pack(">8I", *numbers))
    data = with_chunk(data, b"gAMA", struct.pack(">I", 45455))
    red, green, blue = picture.split()
    assert shows(data, Image.merge("RGB", (blue, green, red)))


def test_a_usual_profile_changes_nothing_and_a_broken_one_neither() -> None:
    picture = plain(19)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile", upside_down()[:200]):
        assert seen(encode(picture, "JPEG", icc_profile=profile)) == seen(encode(picture, "JPEG"))
    assert coded_profile(1, 13) == gamma_profile(0, None) == b""
    assert make_profile((0.3, 0.3) * 3, np.linspace(0, 1, 1024)) == b""
    assert not as_shown(picture, [b""], b"").others


@pytest.mark.parametrize(
    ("coding", "colour", "shown"),
    [
        ((1, 16), (180, 90, 40), (255, 52, 7)),
        ((1, 16), (128, 128, 128), (132, 132, 132)),
        ((9, 16), (40, 90, 180), (0, 40, 254)),
        ((9, 18), (180, 90, 40), (186, 49, 6)),
        ((9, 18), (0, 128, 0), (0, 102, 0)),
        ((1, 8), (180, 90, 40), (219, 160, 110)),
        ((12, 13), (180, 90, 40), (193, 83, 19)),
    ],
)
def test_coded_colours_are_those_that_chromium_shows(
    coding: tuple[int, int], colour: tuple[int, ...], shown: tuple[int, ...]
) -> None:
    """The colours shown were read from a screen of Chromium 156."""
    structure = np.asarray(plain(20)).copy()
    structure[:8, :8] = colour
    data = with_chunk(encode(Image.fromarray(structure), "PNG"), b"cICP", bytes([*coding, 0, 1]))
    (_, _, image), *_ = pictures(data, Bounds(MAX, 9.0))
    assert np.abs(np.asarray(image)[4, 4].astype(int) - shown).max() <= 16
