"""A medium whose hash is no PDQ hash: its files are hashed whole, alone and beside others."""

import pytest

from kinward.matching.kinds import KINDS
from kinward.media.decoder import answer
from kinward.media.medium import FRAMED, Hashed
from tests.support.chimes import begin_chimes, chime
from tests.support.joined import BOUNDS, archive, hashed, knows, picture

JPEG = picture(1)


@pytest.fixture(autouse=True)
def _chimes(monkeypatch: pytest.MonkeyPatch) -> None:
    begin_chimes(monkeypatch)


def toll(file: Hashed) -> tuple[str, int]:
    return file.kind, int.from_bytes(file.signature)


def test_the_kinds_that_are_split_into_moments_are_those_that_are_near() -> None:
    assert {kind.name for kind in KINDS if kind.near} == set(FRAMED)


def test_a_file_of_another_kind_has_its_value_and_no_views() -> None:
    file = hashed(chime(7))
    assert (toll(file), file.views, file.entire) == (("toll", 7), (), True)


@pytest.mark.parametrize("members", [{"a": chime(7)}, {"a": chime(7), "b": chime(7)}])
def test_packed_it_is_the_same(members: dict[str, bytes]) -> None:
    file = hashed(archive(members))
    assert (toll(file), file.views, file.entire) == (("toll", 7), (), True)


@pytest.mark.parametrize(
    "data",
    [
        archive({"a.jpg": JPEG, "b": chime(7)}),
        archive({"b": chime(7), "a.jpg": JPEG}),
        archive({"a.jpg": JPEG, "b": chime(7), "c.jpg": picture(2)}),
    ],
)
def test_beside_a_picture_the_picture_is_known_and_the_rest_is_said_to_be_missing(
    data: bytes,
) -> None:
    file = hashed(data)
    assert knows(file, 1)
    assert file.kind in FRAMED
    assert not len(file.signature) % 32
    assert not file.entire, "its chime is in no signature, so it is not looked up"


def test_a_picture_inside_it_is_a_view_of_it() -> None:
    file = hashed(chime(7) + JPEG)
    assert knows(Hashed("pdq", b"", views=file.views), 1)
    assert (toll(file), file.entire) == (("toll", 7), True)


def test_two_different_values_of_a_file_are_one_value_and_a_gap() -> None:
    file = hashed(archive({"a": chime(7), "b": chime(8)}))
    assert (toll(file), file.entire) == (("toll", 7), False)


def test_beside_a_picture_without_structure_the_value_counts() -> None:
    from kinward.demo import pictures

    plain = pictures.encode(pictures.draw(1, (320, 240)).point(lambda _: 9), "PNG")
    file = hashed(archive({"a.png": plain, "b": chime(7)}))
    assert (toll(file), file.entire) == (("toll", 7), True)
    assert answer("hash", plain, BOUNDS, lambda views: True).hashed
