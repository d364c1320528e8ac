"""A profile that stands in a JPEG in parts, in whatever way a viewer puts them together."""

import pytest

from kinward.media.composition import strands_of
from kinward.media.jpeg import MOST_PARTS, profile_parts, with_profile
from kinward.media.medium import Bounds
from kinward.media.picture import read_picture
from kinward.media.registry import SHOWN
from kinward.media.stills import boxes, jpeg
from kinward.media.stills.profiles import UNREAD
from tests.support.corpus.entry import Desk, encode
from tests.support.corpus.profiled import INVERT, _coded_avif, _part, entries
from tests.support.corpus.profiles import make_profile
from tests.support.looks import MAX, NEAR, bits, plain, seen

DESK = Desk(5)
FILES = {entry.name: entry for entry in entries(DESK) if entry.name.startswith("parts-")}
JPEG = encode(plain(3), "JPEG")


@pytest.mark.parametrize("name", FILES)
def test_each_set_of_parts_is_a_look(name: str) -> None:
    views = seen(FILES[name].data)
    for picture in FILES[name].truth:
        assert bits(picture, views) <= NEAR


def test_one_set_is_read_in_the_usual_way_alone() -> None:
    assert jpeg.profiles_of(JPEG) == []
    assert jpeg.profiles_of(with_profile(JPEG, INVERT)) == []
    assert jpeg.profiles_of(with_profile(JPEG, INVERT + bytes(200_000))) == []
    assert jpeg.profiles_of(b"\xff\xd8" + bytes(99)) == []


def test_a_profile_takes_the_place_of_another() -> None:
    usual = make_profile()
    data = with_profile(with_profile(JPEG, usual), INVERT)
    assert [part for _, _, part in profile_parts(data)] == [b"\1\1" + INVERT]
    assert with_profile(with_profile(data, INVERT), usual) == with_profile(JPEG, usual)
    assert with_profile(JPEG, b"") == JPEG
    assert with_profile(b"no picture", INVERT) == b"no picture"


def test_too_many_parts_are_named_and_no_way_of_showing_them_is_entire() -> None:
    data = JPEG[:2] + _part(1, 2, INVERT) * (MOST_PARTS + 1) + JPEG[2:]
    assert UNREAD in jpeg.profiles_of(data)
    assert read_picture(data, MAX).unread
    for file, entire in ((data, False), (JPEG, True), (with_profile(JPEG, INVERT), True)):
        assert strands_of(file, Bounds(MAX, 9.0), SHOWN).entire is entire


@pytest.mark.parametrize("curve", [16, 18])
def test_an_avif_whose_coded_picture_alone_names_its_colours(curve: int) -> None:
    silent = _coded_avif(plain(4), 9, curve, 9)
    told = silent.replace(b"freenclx", b"colrnclx")
    assert boxes.profiles_of(silent) == boxes.profiles_of(told) != []
    assert set(seen(silent)) == set(seen(told))
    assert boxes.profiles_of(encode(plain(4), "AVIF").replace(b"colrnclx", b"freenclx")) == []
