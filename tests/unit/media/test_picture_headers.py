"""Bitmaps and icons whose headers say unusual numbers are read as browsers read them."""

import struct

import pytest
from PIL import Image

from kinward.media import medium_of, read_picture
from kinward.media.formats import picture_type
from tests.support.looks import MAX, NEAR, bits, encode, plain, seen

PICTURE = plain(41, (256, 256))
LENGTHS = (16, 20, 24, 28, 32, 36, 42, 44, 46, 48, 60)


def bitmap(length: int, image: Image.Image = PICTURE) -> bytes:
    """Return a BMP whose header has another length, and zeros for what is new in it."""
    whole = encode(image, "BMP")
    start = struct.unpack_from("<I", whole, 10)[0]
    head = struct.pack("<I", length) + whole[18:54].ljust(60, b"\0")[: length - 4]
    rest = whole[54:]  # the palette and the pixels
    return whole[:10] + struct.pack("<I", start + length - 40) + head + rest


def icon(image: Image.Image = PICTURE) -> bytes:
    return encode(image.convert("RGBA"), "ICO", sizes=[image.size], bitmap_format="bmp")


@pytest.mark.parametrize("length", LENGTHS)
def test_a_bitmap_with_a_header_of_any_length_is_seen(length: int) -> None:
    hashed = read_picture(bitmap(length), MAX)
    assert hashed.media_type == "image/bmp"
    assert hashed.entire
    assert bits(PICTURE, [view.hash for view in hashed.views]) <= NEAR
    few = PICTURE.quantize(128)
    assert bits(few.convert("RGB"), seen(bitmap(length, few))) <= NEAR


@pytest.mark.parametrize("length", [0, 8, 13, 18, 43, 65, 109, 1 << 31])
def test_two_letters_alone_are_no_bitmap(length: int) -> None:
    assert picture_type(b"BM" + bytes(12) + struct.pack("<I", length) + bytes(90)) == ""


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("reserved", [0, 1, 255])
def test_an_icon_is_seen_whatever_its_reserved_byte_says(kind: int, reserved: int) -> None:
    data = bytearray(icon())
    data[2], data[9] = kind, reserved
    assert medium_of(bytes(data)).name == "image"
    assert bits(PICTURE, seen(bytes(data))) <= NEAR


def test_an_icon_whose_entries_point_nowhere_is_none() -> None:
    data = bytearray(icon())
    data[9], data[18:22] = 1, struct.pack("<I", 30)
    assert picture_type(bytes(data)) == ""


@pytest.mark.parametrize("format", ["bmp", "png"])
@pytest.mark.parametrize("length", [0, 100, 2_000, 1 << 31])
def test_an_icon_is_seen_whatever_length_it_says(format: str, length: int) -> None:
    data = encode(PICTURE.convert("RGBA"), "ICO", sizes=[PICTURE.size], bitmap_format=format)
    data = data[:14] + struct.pack("<I", length) + data[18:]
    hashed = read_picture(data, MAX)
    assert bits(PICTURE, [view.hash for view in hashed.views]) <= NEAR
    assert hashed.entire == read_picture(icon(), MAX).entire or format == "png"


@pytest.mark.parametrize("length", [12, 20])
def test_a_bitmap_of_an_icon_may_have_an_old_header(length: int) -> None:
    few = PICTURE.quantize(128)
    width, height = few.size
    pixels = encode(few, "BMP")[54:]
    count, colours = 256, bytearray(few.getpalette("BGRX" if length != 12 else "BGR") or b"")
    colours += bytes(count * (3 if length == 12 else 4) - len(colours))
    rows = pixels[-width * height :]
    if length == 12:
        head = struct.pack("<IHHHH", 12, width, 2 * height, 1, 8)
    else:
        head = struct.pack("<IiiHHI", 20, width, 2 * height, 1, 8, 0)
    body = head[:length] + bytes(colours) + rows + bytes(width * height // 8)
    entry = struct.pack("<4BHHII", 0, 0, 0, 0, 1, 8, len(body), 22)
    data = struct.pack("<HHH", 0, 1, 1) + entry + body
    assert bits(few.convert("RGB"), seen(data)) <= NEAR
