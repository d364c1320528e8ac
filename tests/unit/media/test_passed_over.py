"""What viewers pass over hides no picture: broken segments, and boxes that nobody knows."""

import pytest

from kinward.media import Undecodable
from kinward.media.composition import hash_parts
from kinward.media.medium import split_frames
from kinward.media.registry import SHOWN
from tests.support.corpus import Entry, make_corpus
from tests.support.corpus.containers import box
from tests.support.corpus.entry import Desk, distance, hash_screen
from tests.support.corpus.filming import Track, film, shift_places
from tests.support.joined import BOUNDS

NEAR = 8


@pytest.mark.parametrize(
    "entry", make_corpus(5, ("metadata", "leading", "bitmap")), ids=lambda entry: str(entry.name)
)
def test_a_picture_behind_what_viewers_pass_over_is_known(entry: Entry) -> None:
    hashed = hash_parts(entry.data, BOUNDS, lambda views: True, SHOWN)
    seen = [pdq for view in hashed.views for pdq in split_frames(view.hash + view.turned)]
    for truth in entry.truth_hashes():
        assert min(distance(truth, pdq) for pdq in seen) <= NEAR
    assert hashed.entire or entry.name == "runs-over-the-row.bmp"


@pytest.mark.parametrize("count", [1, 100, 5_000])
def test_no_number_of_unknown_boxes_hides_a_film(count: int) -> None:
    image = Desk(5).picture("many")
    data = box(b"abcd", b"") * count + shift_places(film(Track([(image, 0.5)])), 8 * count)
    hashed = hash_parts(data, BOUNDS, lambda views: True, SHOWN)
    truth = hash_screen(image)
    assert truth
    assert min(distance(truth, view.hash) for view in hashed.views) <= NEAR
    assert hashed.entire


def test_more_boxes_than_are_walked_are_not_called_a_file_without_pictures() -> None:
    with pytest.raises(Undecodable):
        hash_parts(box(b"abcd", b"") * 500_000, BOUNDS, lambda views: True, SHOWN)
