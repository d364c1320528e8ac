"""Broken files, further formats, and files of several pictures."""

import io
import struct

import pillow_heif
import pytest
from PIL import Image, ImageOps

from kinward.media import TooManyPixels, TypeUnsupported, Undecodable, medium_of, read_picture
from kinward.media.medium import Bounds
from kinward.media.picture import pictures
from kinward.media.stills import boxes
from kinward.media.stills.primaries import coded_profile
from tests.support.looks import (
    MAX,
    SIZE,
    bits,
    chunks,
    encode,
    plain,
    png,
    shows,
    with_chunk,
)

PICTURE = plain(201)


@pytest.mark.parametrize(
    ("format", "options", "share"),
    [
        ("JPEG", {"quality": 90}, 0.95),
        ("JPEG", {"progressive": True}, 0.6),
        ("PNG", {}, 0.97),
        ("BMP", {}, 0.97),
        ("WEBP", {"quality": 95}, 0.985),
    ],
)
def test_a_picture_that_lacks_its_end_is_still_known(
    format: str, options: dict[str, object], share: float
) -> None:
    data = encode(PICTURE, format, **options)
    hashed = read_picture(data[: int(len(data) * share)], MAX)
    assert not hashed.entire
    assert bits(PICTURE, [view.hash for view in hashed.views]) <= 31


def test_a_jpeg_without_its_last_bytes_is_what_it_was() -> None:
    data = encode(PICTURE, "JPEG", quality=90)[:-2]
    assert shows(data, PICTURE)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "TIFF"])
def test_the_half_of_a_picture_is_hashed_as_browsers_show_it(format: str) -> None:
    data = encode(PICTURE, format)
    half = PICTURE.copy()
    rows = int(SIZE[1] * 0.5)
    box = (0, rows, *SIZE) if format != "BMP" else (0, 0, SIZE[0], SIZE[1] - rows)
    half.paste("white", box)
    hashed = read_picture(data[: len(data) // 2], MAX)
    assert not hashed.entire
    assert bits(half, [view.hash for view in hashed.views]) <= 60
    assert len(hashed.views) > 0


@pytest.mark.parametrize(
    "format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF", "JPEG2000"]
)
@pytest.mark.parametrize("length", [12, 40, 200])
def test_a_mere_beginning_is_refused(format: str, length: int) -> None:
    data = encode(PICTURE, format)[:length]
    with pytest.raises((Undecodable, TypeUnsupported)):
        read_picture(data, MAX)


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT"])
def test_wrong_checksums_of_a_png_hide_nothing(kind: bytes) -> None:
    data = png(chunks(encode(PICTURE, "PNG")), broken=kind)
    assert shows(data, PICTURE)
    assert not read_picture(data, MAX).entire


def test_a_wrong_checksum_of_a_text_is_no_loss() -> None:
    told = with_chunk(encode(PICTURE, "PNG"), b"tEXt", b"a\0b")
    hashed = read_picture(png(chunks(told), broken=b"tEXt"), MAX)
    assert hashed.entire
    assert bits(PICTURE, [hashed.signature]) == 0


def test_a_webp_that_lies_about_its_length_is_read() -> None:
    data = encode(PICTURE, "WEBP", quality=95)
    for length in (len(data) + 900, 20):
        lying = data[:4] + struct.pack("<I", length) + data[8:]
        assert shows(lying, PICTURE)


def test_avif_and_heic_are_read_whichever_brand_they_have() -> None:
    out = io.BytesIO()
    pillow_heif.from_pillow(PICTURE).save(out, quality=90)
    for data in (encode(PICTURE, "AVIF"), out.getvalue()):
        for brand in (b"avif", b"heic", b"mif1"):
            assert shows(boxes.with_brand(data, brand), PICTURE), brand


@pytest.mark.parametrize(
    ("format", "options", "media_type"),
    [
        ("BMP", {}, "image/bmp"),
        ("TIFF", {}, "image/tiff"),
        ("TIFF", {"compression": "tiff_lzw"}, "image/tiff"),
        ("TIFF", {"compression": "jpeg"}, "image/tiff"),
        ("TIFF", {"big_tiff": True}, "image/tiff"),
        ("JPEG2000", {}, "image/jp2"),
        ("JPEG2000", {"no_jp2": True}, "image/jp2"),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_further_formats_are_read(
    format: str, options: dict[str, object], media_type: str, mode: str
) -> None:
    data = encode(PICTURE.convert(mode), format, **options)
    hashed = read_picture(data, MAX)
    assert (hashed.media_type, hashed.kind, hashed.entire) == (media_type, "pdq", True)
    assert (hashed.width, hashed.height) == SIZE
    assert shows(data, PICTURE)
    assert medium_of(data).name == "image"


@pytest.mark.parametrize("mode", ["1", "P", "RGBA"])
def test_bitmaps_of_every_depth_are_read(mode: str) -> None:
    image = PICTURE.convert(mode)
    assert shows(encode(image, "BMP"), image.convert("RGB"))


def test_letters_that_begin_a_bitmap_begin_a_text_too() -> None:
    with pytest.raises(TypeUnsupported):
        read_picture(b"BM is short for benchmark, as everybody knows by now.", MAX)


def test_each_page_of_a_tiff_is_a_strand() -> None:
    pages = [plain(seed, (300 + seed, 200)) for seed in (1, 2, 3)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    hashed = read_picture(data, MAX)
    assert (hashed.kind, hashed.frames, len(hashed.signature)) == ("video", 3, 96)
    for strand, page in enumerate(pages):
        assert shows(data, page, strand=strand, moment=0)
    assert [place[:2] for place in pictures(data, Bounds(MAX, 9.0))] == [(0, 0), (1, 0), (2, 0)]


def test_the_pages_of_a_tiff_are_bounded() -> None:
    page = plain(4, (64, 64))
    data = encode(page, "TIFF", save_all=True, append_images=[page] * 99)
    hashed = read_picture(data, MAX)
    assert not hashed.entire
    assert hashed.frames == 64


def test_each_picture_of_an_mpo_and_of_a_heic_is_a_strand() -> None:
    first, second = plain(5), plain(6)
    mpo = encode(first, "MPO", save_all=True, append_images=[second])
    heif, out = pillow_heif.from_pillow(first), io.BytesIO()
    heif.add_from_pillow(second)
    heif.save(out, quality=90)
    for data in (mpo, out.getvalue()):
        assert shows(data, first, strand=0)
        assert shows(data, second, strand=1)
        assert read_picture(data, MAX).frames == 2


def icon(files: list[tuple[bytes, tuple[int, int]]], kind: int = 1) -> bytes:
    head, body = struct.pack("<HHH", 0, kind, len(files)), b""
    for data, (width, height) in files:
        at = 6 + 16 * len(files) + len(body)
        head += struct.pack("<BBBBHHII", width & 255, height & 255, 0, 0, 1, 32, len(data), at)
        body += data
    return head + body


@pytest.mark.parametrize("kind", [1, 2])
def test_each_size_of_an_icon_is_a_strand_the_largest_first(kind: int) -> None:
    small, large = plain(7, (64, 64)), plain(8, (256, 256))
    bitmap = encode(small.convert("RGBA"), "ICO", bitmap_format="bmp", sizes=[(64, 64)])[22:]
    data = icon([(bitmap, small.size), (encode(large, "PNG"), large.size)], kind)
    assert shows(data, large, strand=0)
    assert shows(data, small, strand=1)
    assert read_picture(data, MAX).media_type == "image/x-icon"


def test_an_icon_is_no_way_round_the_limits() -> None:
    huge = bytearray(encode(PICTURE, "PNG"))
    huge[16:24] = struct.pack(">II", 30_000, 30_000)
    with pytest.raises(TooManyPixels):
        read_picture(icon([(png(chunks(bytes(huge))), (0, 0))]), MAX)
    claims = struct.pack("<IiiHH", 40, 30_000, 60_000, 1, 32) + bytes(100)
    with pytest.raises(TooManyPixels):
        read_picture(icon([(claims, (0, 0))]), MAX)
    good = (encode(PICTURE, "PNG"), (0, 0))
    hashed = read_picture(icon([(claims, (0, 0)), good]), MAX)
    assert not hashed.entire
    assert bits(PICTURE, [view.hash for view in hashed.views]) == 0


def test_a_side_that_no_viewer_shows_is_refused_and_a_long_one_is_read() -> None:
    with pytest.raises(TooManyPixels, match="side"):
        read_picture(encode(Image.new("L", (200_001, 2)), "PNG"), MAX)
    long = ImageOps.invert(PICTURE).resize((20_000, 60))
    assert shows(encode(long, "PNG"), long)


def test_what_is_not_looked_at_in_time_is_said() -> None:
    pages = [plain(seed) for seed in (9, 10)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    hashed = read_picture(data, MAX, seconds=0.0)
    assert not hashed.entire
    assert bits(pages[0], [hashed.signature]) == 0


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def test_what_the_boxes_of_a_picture_say_is_read() -> None:
    clap = box(b"clap", struct.pack(">IIIIiIiI", 160, 1, 120, 1, -40, 1, -30, 2))
    nclx = box(b"colr", b"nclx", struct.pack(">HHHB", 9, 16, 9, 0))
    data = box(b"ftyp", b"avif") + box(b"meta", bytes(4), box(b"iprp", box(b"ipco", clap, nclx)))
    assert boxes.crops_of(data) == [(160, 120, -40, -15)]
    assert boxes.profiles_of(data) == [coded_profile(9, 16)]
    assert not boxes.crops_of(encode(PICTURE, "AVIF"))
    assert boxes.other_primaries(encode(PICTURE, "AVIF")) == []
    assert boxes.other_primaries(data) == []
