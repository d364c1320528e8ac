"""Pixels without a colour, and alpha without a place, are read as browsers read them."""

import pytest

from kinward.media.medium import Bounds
from kinward.media.picture import pictures, read_picture
from kinward.media.stills.bmp import bitmap_with_usual_header
from tests.support.corpus import palettes
from tests.support.corpus.entry import Desk, Entry, distance, encode

DESK = Desk(4)
MAX = 10**6
FILES = {name: (data, shown) for name, _, data, shown in palettes.entries(DESK)}


@pytest.mark.parametrize("name", FILES)
def test_what_browsers_show_is_a_view(name: str) -> None:
    data, shown = FILES[name]
    views = [view.hash for view in read_picture(data, MAX).views]
    for wanted in Entry(name, "", "", data, tuple(shown)).truth_hashes():
        assert min(distance(wanted, view) for view in views) <= 8
    first = next(image for _, _, image in pictures(data, Bounds(MAX, 60.0)))
    assert first.size == shown[0].size


def test_a_short_palette_that_suffices_has_one_look() -> None:
    few = DESK.picture("suffices").quantize(60)
    looks = list(pictures(encode(few, "PNG"), Bounds(MAX, 60.0)))
    assert len(looks) == 1
    assert looks[0][2].tobytes() == few.convert("RGB").tobytes()


def test_a_bitmap_of_as_many_colours_as_it_can_name_stays_as_it_is() -> None:
    few = DESK.picture("usual").quantize(256)
    bitmap = encode(few, "BMP")[14:]
    assert bitmap_with_usual_header(bitmap) == bitmap
