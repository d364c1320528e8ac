"""What becomes of honest, broken and lying files."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from kinward.demo import pictures
from kinward.media import (
    TooManyPixels,
    TypeUnsupported,
    Undecodable,
    read_picture,
)
from kinward.media.picture import render_preview

MAX = 4_000_000
PICTURE = pictures.draw(1, (320, 240))


def heic() -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(PICTURE).save(out, quality=80)
    return out.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 10_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (pictures.encode(PICTURE, "JPEG"), "image/jpeg"),
        (pictures.encode(PICTURE, "PNG"), "image/png"),
        (pictures.encode(PICTURE, "WEBP"), "image/webp"),
        (pictures.encode(PICTURE, "GIF"), "image/gif"),
        (pictures.encode(PICTURE, "AVIF"), "image/avif"),
        (heic(), "image/heic"),
        (pictures.encode(PICTURE.convert("L"), "PNG"), "image/png"),
        (pictures.encode(PICTURE.convert("CMYK"), "JPEG"), "image/jpeg"),
        (pictures.encode(PICTURE.convert("RGBA"), "PNG"), "image/png"),
    ],
)
def test_every_promised_type_is_read(data: bytes, media_type: str) -> None:
    picture = read_picture(data, MAX)
    assert picture.media_type == media_type
    assert (picture.width, picture.height) == (320, 240)
    assert len(picture.signature) == 32


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"<svg/>", b"II-\0" + bytes(40), bytes(500)])
def test_what_is_no_picture_is_a_415(data: bytes) -> None:
    with pytest.raises(TypeUnsupported) as caught:
        read_picture(data, MAX)
    assert caught.value.status == 415


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_truncated_picture_is_a_4xx_or_not_entire(format: str, share: float) -> None:
    data = pictures.encode(PICTURE, format)
    try:
        assert not read_picture(data[: int(len(data) * share)], MAX).entire
    except (Undecodable, TypeUnsupported):
        assert format in ("WEBP", "AVIF")


def test_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(TooManyPixels, match="30000 x 30000"):
        read_picture(png_that_claims(30_000, 30_000), MAX)


def test_a_picture_that_lies_about_its_size_is_refused() -> None:
    with pytest.raises(Undecodable):
        read_picture(png_that_claims(1000, 1000), MAX)


def test_the_veil_shows_no_picture() -> None:
    veil = Image.open(io.BytesIO(render_preview(pictures.encode(PICTURE), 10**6 * 4, veiled=True)))
    assert veil.mode == "L"
    assert veil.width == 240
    # Twelve by nine grey squares, smoothed: neighbours hardly differ anywhere.
    steps = np.abs(np.diff(np.asarray(veil).astype(int), axis=1))
    assert steps.max() < 60


def test_a_preview_carries_no_metadata() -> None:
    tagged = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    PICTURE.save(tagged, "JPEG", exif=exif)
    assert b"where it was taken" in tagged.getvalue()
    assert b"where it was taken" not in render_preview(tagged.getvalue(), MAX, veiled=False)
