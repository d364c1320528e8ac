"""The luma of a large image is computed part by part, and hashes as if it were computed at once."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageOps

from kinward.demo import pictures
from kinward.media.borders import Box
from kinward.media.pdq import BAND, BAND_PIXELS, hash_turns, shrink
from kinward.media.picture import read_picture
from kinward.media.stills.borders import content_of
from kinward.media.stills.shades import SMALL, shades_of

LARGE = (1600, 1200)
MAX = 50_000_000


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_part_is_cut_out_of_the_luma_of_all(mode: str) -> None:
    image = pictures.draw(3, (600, 450)).convert(mode)
    assert image.width * image.height > SMALL
    luma, shades = np.asarray(image.convert("F")), shades_of(image).within(Box(10, 440, 20, 590))
    assert shades.shape == (430, 570)
    assert np.array_equal(shades[5:], luma[15:440, 20:590])
    assert np.array_equal(shades.part(Box(1, 7, 2, 9)), luma[11:17, 22:29])
    small = image.crop((0, 0, 200, 100))
    assert np.array_equal(shades_of(small)[:], np.asarray(small.convert("F")))


def test_parts_give_the_hash_and_the_borders_of_the_whole() -> None:
    image = ImageOps.expand(pictures.draw(4, LARGE), 90, "white")
    assert image.height > BAND
    assert image.width * BAND > BAND_PIXELS
    shades, luma = shades_of(image), np.asarray(image.convert("F"))
    assert np.array_equal(hash_turns(shrink(shades))[0], hash_turns(shrink(luma))[0])
    assert content_of(shades).boxes == [Box(90, 1290, 90, 1690)]


def test_no_second_copy_of_a_large_picture_is_made() -> None:
    """Memory that the system has to find for it took most of the time of a photo."""
    data = pictures.encode(pictures.draw(5, LARGE), "JPEG")
    read_picture(data, MAX)
    tracemalloc.start()
    try:
        read_picture(data, MAX)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < LARGE[0] * LARGE[1] * 2  # bytes: half of its luma


def test_a_slope_ends_where_its_borders_meet() -> None:
    """Rows in its middle are like those at its top and like those at its bottom."""
    slope = np.linspace(0, 25, 400).astype(np.uint8).repeat(900).reshape(400, 900)
    for pixels in (slope, slope.T.copy()):
        assert not content_of(shades_of(Image.fromarray(pixels))).boxes
