"""A film whose picture is in its chroma is known by what a viewer shows of it."""

import dataclasses
import struct
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from av.video.frame import VideoFrame

from kinward.media import hash_array, read_video
from kinward.media.boxes import Colours, read_claims
from kinward.media.chroma import influence, matrix_of, shown_luma, weights_of
from kinward.media.luma import glance_at, hash_planes
from kinward.media.planes import Planes, as_told
from tests.support.corpus.coded import BLACK, GREY, chroma_of, entries, flat, seen
from tests.support.corpus.entry import Desk, Pixels, distance
from tests.support.videos import with_box

DESK = Desk(7)
FILMS = {entry.name: entry for entry in entries(DESK)}
NEAR = 8  # bits
STSD = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")


def planes_of_chroma(luma: int = BLACK, low: int = 128) -> tuple[Pixels, Pixels, Pixels]:
    return flat(luma), *chroma_of(DESK.grey("chroma"), low)


@pytest.mark.parametrize("name", FILMS)
def test_a_picture_in_chroma_is_a_view(name: str) -> None:
    entry = FILMS[name]
    views = [view.hash for view in read_video(entry.data).views]
    for wanted in entry.truth_hashes():
        assert min(distance(wanted, view) for view in views) <= NEAR


@pytest.mark.parametrize(("space", "number"), [("601", 6), ("709", 1), ("2020", 9)])
@pytest.mark.parametrize("full", [False, True])
def test_luma_is_that_of_the_rgb_that_is_shown(space: str, number: int, full: bool) -> None:
    planes = planes_of_chroma(60, low=16)
    shown = np.asarray(seen(planes, space, full=full)).astype(np.float64)
    luma = shown @ np.array([0.299, 0.587, 0.114])
    ours = shown_luma(*planes, number, full=full)
    assert np.abs(ours - luma).max() <= 2
    exact = hash_array(np.asarray(seen(planes, space, full=full)))[0]
    found = hash_planes(Planes(*planes, full=full, space=number))[0]
    assert distance(exact.tobytes(), found.tobytes()) <= NEAR


def test_chroma_counts_only_where_it_is_seen() -> None:
    picture = np.asarray(DESK.grey("luma"))
    mild = tuple(128 + (plane.astype(np.int16) - 184) // 8 for plane in planes_of_chroma()[1:])
    blue, red = (plane.astype(np.uint8) for plane in mild)
    assert influence(picture, blue, red, 6, full=True) == (False, False)
    assert influence(flat(BLACK), blue, red, 6, full=False) == (True, True)
    assert influence(flat(GREY), blue, red, 6, full=False) == (False, False)
    assert influence(flat(GREY), blue, red, 1, full=False) == (True, True)
    faint = (picture // 11 + GREY).astype(np.uint8)  # with // 16, chance decides
    assert influence(faint, blue, red, 1, full=False) == (False, True)
    assert Planes(picture, full=True).influence == (False, False)


def test_no_place_of_a_frame_can_be_avoided() -> None:
    """Chance decides at which places a frame is asked, so a picture has no place to hide."""
    blue, red = planes_of_chroma()[1:]
    for columns in (3, 5):
        sparse = [np.full_like(plane, 128) for plane in (blue, red)]
        for plane, whole in zip(sparse, (blue, red), strict=True):
            plane[:, 1::columns] = whole[:, 1::columns]
        assert influence(flat(BLACK), sparse[0], sparse[1], 6, full=False)[0]


def test_a_glance_tells_chroma_apart_that_changes() -> None:
    one = Planes(*planes_of_chroma())
    other = Planes(flat(BLACK), *chroma_of(DESK.grey("another")))
    for space in (6, 1, 9):
        frames = [dataclasses.replace(planes, space=space) for planes in (one, other)]
        (first, contrast), (second, _) = map(glance_at, frames)
        assert contrast > 1
        assert distance(first.tobytes(), second.tobytes()) > 31
        again = glance_at(dataclasses.replace(frames[0]))[0]
        assert distance(first.tobytes(), again.tobytes()) <= 4


def test_matrices_keep_grey_and_weigh_as_published() -> None:
    for space in (1, 6, 7, 8, 9, 10, 99):
        assert all(row[0] == 1 for row in matrix_of(space))
    assert weights_of(6) == (0.0, 0.0)
    assert weights_of(1) == pytest.approx((0.1016, 0.1961), abs=0.001)
    assert weights_of(8) == pytest.approx((0.174, 0.185), abs=0.001)


def test_both_are_looks_if_the_container_says_another_matrix_or_range() -> None:
    planes, told = Planes(*planes_of_chroma(GREY)), (Colours(1, True), Colours(2, True), Colours(6))
    frame = cast("VideoFrame", SimpleNamespace(colorspace=2))
    looks = [(look.space, look.full) for look in as_told(frame, planes, told)]
    assert looks == [(1, True), (1, False), (6, True)]
    assert not list(as_told(frame, planes, [Colours(5), Colours(99, False)])), "all of them BT.601"
    assert not list(as_told(frame, Planes(flat(GREY)), told)), "without chroma"


def test_what_a_container_says_of_colours_is_bounded() -> None:
    entry = b"".join(
        struct.pack(">I4s4sHHHB", 19, b"colr", b"nclx", 1, 1, number, 0x80 * (number % 2))
        for number in range(12)
    )
    data = with_box(FILMS["told-709.mp4"].data, STSD, entry)
    claims = read_claims(data, "mp4")
    assert len(claims.colours) == 4
    assert claims.unread, "more is said than is looked at"
    assert Colours(1, True) not in read_claims(FILMS["told-709.mp4"].data, "mp4").colours
    assert Colours(1, False) in read_claims(FILMS["told-709.mp4"].data, "mp4").colours
