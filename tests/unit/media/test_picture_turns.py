"""A picture is hashed as it is shown, and known in every turn, and without its border."""

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from kinward.media import MIN_QUALITY, hash_array, read_picture
from kinward.media.medium import Bounds
from kinward.media.orientation import TURNS, turn_pixels
from kinward.media.pdq import hash_turns, shrink
from kinward.media.picture import pictures, render_preview
from tests.support.looks import MAX, NEAR, bits, encode, plain, seen, shows, turns

OPERATIONS = [None, *Image.Transpose]
EVERY_TURN = pytest.mark.parametrize("orientation", sorted(TURNS))


def stored(picture: Image.Image, orientation: int) -> Image.Image:
    """Return how a picture is stored that EXIF turns to what it is."""
    back = {6: 8, 8: 6}.get(orientation, orientation)
    turned = turn_pixels(np.asarray(picture), TURNS[back])
    return Image.fromarray(np.ascontiguousarray(turned))


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    return block


@EVERY_TURN
@pytest.mark.parametrize("format", ["JPEG", "PNG", "AVIF", "TIFF", "MPO"])
def test_the_first_view_is_turned_as_exif_says(format: str, orientation: int) -> None:
    picture = plain(1)
    data = encode(stored(picture, orientation), format, exif=exif(orientation))
    hashed = read_picture(data, MAX)
    assert (hashed.width, hashed.height) == picture.size
    assert bits(picture, [hashed.signature[:32]]) <= NEAR
    assert bits(stored(picture, orientation), turns(hashed)) <= NEAR


@EVERY_TURN
def test_exif_in_a_webp_turns_nothing_as_in_browsers_but_the_turn_is_known(
    orientation: int,
) -> None:
    picture = plain(1)
    lying = stored(picture, orientation)
    hashed = read_picture(encode(lying, "WEBP", exif=exif(orientation), lossless=True), MAX)
    assert bits(lying, [hashed.signature]) == 0
    assert bits(picture, turns(hashed)) == 0


def test_heic_is_turned_by_its_own_means() -> None:
    picture, out = plain(1), io.BytesIO()
    image = pillow_heif.from_pillow(stored(picture, 6))
    image.save(out, quality=90, exif=exif(6).tobytes())
    assert shows(out.getvalue(), picture, strand=0, moment=0)


def test_a_broken_exif_turns_nothing() -> None:
    data = encode(plain(1), "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff")
    assert shows(data, plain(1))


@pytest.mark.parametrize("size", [(320, 240), (241, 333), (1024, 768)])
def test_a_plain_picture_knows_every_turn_exactly(size: tuple[int, int]) -> None:
    picture = plain(2, size)
    hashed = read_picture(encode(picture, "PNG"), MAX)
    assert {len(view.turned) for view in hashed.views} == {7 * 32}
    assert {(view.strand, view.moment) for view in hashed.views} == {(0, 0)}
    assert (hashed.kind, hashed.signature) == ("pdq", hashed.views[0].hash)
    for operation in Image.Transpose:
        turned = picture.transpose(operation)
        assert bits(turned, turns(hashed)) == 0, operation


def test_a_turn_of_a_large_picture_is_near() -> None:
    picture = plain(3, (2400, 1600))
    known = turns(read_picture(encode(picture, "JPEG"), MAX))
    for operation in Image.Transpose:
        assert bits(picture.transpose(operation), known) <= 10, operation


@EVERY_TURN
@pytest.mark.parametrize("width", [333, 3333])
def test_turned_pixels_and_turned_reduction_are_the_same(orientation: int, width: int) -> None:
    pixels, turn = np.asarray(plain(4, (width, 217))), TURNS[orientation]
    turned = np.ascontiguousarray(turn_pixels(pixels, turn))
    assert np.array_equal(hash_turns(shrink(pixels, turn=turn))[0], hash_turns(shrink(turned))[0])


@EVERY_TURN
def test_a_preview_is_turned_as_shown(orientation: int) -> None:
    picture = plain(5)
    data = encode(stored(picture, orientation), "PNG", exif=exif(orientation))
    preview = Image.open(io.BytesIO(render_preview(data, MAX, veiled=False)))
    assert preview.size == picture.size
    assert bits(picture, [hash_array(np.asarray(preview))[0].tobytes()]) <= NEAR
    ((strand, moment, shown),) = pictures(data, Bounds(MAX, 9.0))
    assert (strand, moment) == (0, 0)
    assert np.array_equal(np.asarray(shown), np.asarray(picture))


@pytest.mark.parametrize("fill", ["black", "white", (10, 90, 200)])
@pytest.mark.parametrize("border", [(7, 7), (0, 60), (90, 0), (40, 200)])
def test_a_picture_in_a_border_is_known(border: tuple[int, int], fill: object) -> None:
    picture = plain(6)
    framed = ImageOps.expand(picture, border=border, fill=fill)  # type: ignore[arg-type]
    assert bits(picture, seen(encode(framed, "PNG"))) <= 2
    assert bits(picture, seen(encode(framed, "JPEG", quality=60))) <= NEAR
    mirrored = ImageOps.mirror(framed)
    assert bits(picture, turns(read_picture(encode(mirrored, "PNG"), MAX))) <= 2


def test_a_border_in_a_border_is_taken_off_as_well() -> None:
    picture = plain(7)
    framed = ImageOps.expand(ImageOps.expand(picture, 12, "white"), (30, 5), "black")
    assert bits(picture, seen(encode(framed, "PNG"))) <= 2


def test_a_transparent_border_is_taken_off() -> None:
    picture = plain(8)
    page = Image.new("RGBA", (500, 700))
    page.paste(picture, (60, 300))
    assert bits(picture, seen(encode(page, "PNG"))) <= 2


def test_hardly_anything_inside_a_border_is_no_picture() -> None:
    for side, found in ((40, True), (12, False)):
        page = Image.new("RGB", (800, 800), "white")
        page.paste(plain(9, (side, side)), (300, 300))
        assert (bits(plain(9, (side, side)), seen(encode(page, "PNG"))) <= 31) is found


def test_a_plain_page_has_no_view() -> None:
    hashed = read_picture(encode(Image.new("RGB", (300, 200), "white"), "PNG"), MAX)
    assert (hashed.kind, hashed.views, hashed.entire) == ("pdq", (), True)
    assert (hashed.quality or 0) < MIN_QUALITY
