"""A film whose size changes: its later frames as a page shows them in the place of the first."""

import numpy as np
import pytest
from PIL import Image

from kinward.media import hash_array, read_video
from kinward.media.fitted import fitted, size_shown
from kinward.media.planes import Planes
from tests.support.corpus.entry import Desk, distance
from tests.support.corpus.resized import CODECS, resized

NEAR = 8
FIRST, SECOND = (320, 240), (240, 320)


@pytest.mark.parametrize("codec", CODECS.values())
@pytest.mark.parametrize("page", ["black", "white"])
def test_a_later_frame_is_known_as_it_is_shown_in_the_place_of_the_first(
    codec: str, page: str
) -> None:
    pictures = [Desk(1).picture(str(size), size) for size in (FIRST, SECOND)]
    screen = Image.new("RGB", FIRST, page)
    screen.paste(pictures[1].resize((180, 240), Image.Resampling.BILINEAR), (70, 0))
    views = read_video(resized(pictures, codec)).views
    for shown in (*pictures, screen):
        pdq = hash_array(np.asarray(shown))[0].tobytes()
        assert min(distance(pdq, view.hash) for view in views) <= NEAR


def test_a_film_of_one_size_has_no_further_views() -> None:
    planes = Planes(np.zeros((240, 320), dtype=np.uint8))
    assert not list(fitted(planes, size_shown(planes)))
    assert not list(fitted(planes, None))


def test_pixels_that_are_not_square_are_shown_before_they_are_fitted() -> None:
    planes = Planes(np.zeros((240, 320), dtype=np.uint8), shape=2.0)
    assert size_shown(planes) == (240, 640)
    shown = list(fitted(planes, (240, 320)))
    assert [look.luma.shape for look in shown] == [(120, 320), (240, 320), (240, 320)]


def test_in_a_large_place_a_frame_is_drawn_smaller_and_looks_the_same() -> None:
    planes = Planes(np.asarray(Desk(1).grey("large", (480, 640))), full=True)
    large, small = ([*fitted(planes, place)][-2:] for place in ((2400, 3200), (1200, 1600)))
    for one, other in zip(large, small, strict=True):
        assert other.luma.size < one.luma.size <= 4_000_000
        hashes = (hash_array(np.asarray(look.luma))[0].tobytes() for look in (one, other))
        assert distance(*hashes) <= NEAR


@pytest.mark.parametrize("side", [1, 2, 3])
def test_frames_of_a_few_pixels_are_fitted(side: int) -> None:
    planes = Planes(np.zeros((side, side), dtype=np.uint8))
    for place in ((1, 1), (1, 9000), (9000, 1), (64, 48)):
        for look in fitted(planes, place):
            assert look.luma.size <= place[0] * place[1]
