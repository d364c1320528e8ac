"""A picture in a border is known alone, wherever the border stands and whenever it comes."""

import struct
from typing import Final

import numpy as np
import pytest
from PIL import Image

from kinward.media import Hashed, read_video
from kinward.media.borders import MOST, NESTED, SMALLEST, Box, borders_of, peel
from kinward.media.picture import read_picture
from tests.support import videos
from tests.support.corpus import bordered
from tests.support.corpus.bordered import RINGS, like_in_border, placed, ringed
from tests.support.corpus.entry import Desk, Entry, distance, encode

DESK: Final = Desk(11)
FILES: Final = {entry.name: entry for entry in bordered.entries(DESK)}
NEAR: Final = 8  # bits
MAX: Final = 10_000_000  # pixels
SEGMENT, TRACKS, ENTRY, VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0


def hashed_of(entry: Entry) -> Hashed:
    return read_video(entry.data) if entry.element == "video" else read_picture(entry.data, MAX)


def is_seen(hashed: Hashed, picture: Image.Image) -> bool:
    wanted = Entry("", "", "", b"", (picture,)).truth_hashes()[0]
    return min(distance(wanted, view.hash) for view in hashed.views) <= NEAR


@pytest.mark.parametrize("name", FILES)
def test_what_is_inside_a_border_is_a_view(name: str) -> None:
    hashed = hashed_of(FILES[name])
    for wanted in FILES[name].truth_hashes():
        assert min(distance(wanted, view.hash) for view in hashed.views) <= NEAR
    assert hashed.unread == (name == "6-rings.png"), "more borders than are taken off one by one"


def test_a_picture_that_is_left_in_its_border_is_named() -> None:
    """Of many borders the first few are taken off one by one, and the last one is found."""
    picture, rings = DESK.picture("own border"), [RINGS[number % 2] for number in range(NESTED + 3)]
    hashed = read_picture(encode(ringed(picture, rings, 8), "PNG"), MAX)
    assert is_seen(hashed, picture)
    assert hashed.unread, "what is between them may be a picture with a border of its own"
    film = read_video(videos.tracks([[ringed(picture, rings, 8)]], options={"crf": "8"}))
    assert is_seen(film, picture)
    assert film.unread
    endless = [RINGS[number % 2] for number in range(MOST + 2)]
    assert read_picture(encode(ringed(picture, endless, 4), "PNG"), MAX).unread


def test_the_slope_of_a_background_is_no_border() -> None:
    slope = np.linspace(0, 255, 240).repeat(320).reshape(240, 320).astype(np.uint8)
    slope[180:230, 40:300] = np.asarray(DESK.grey("slope").resize((260, 50)))
    picture = Image.fromarray(slope).convert("RGB")
    assert not read_picture(encode(picture, "PNG"), MAX).unread
    assert not read_video(videos.tracks([[picture]], options={"crf": "8"})).unread


def test_borders_end_with_what_is_too_small_or_uniform() -> None:
    assert borders_of(np.zeros((90, 90), dtype=np.uint8)) == ([], False)
    for side in (SMALLEST - 1, SMALLEST):
        plane = np.zeros((200, 300), dtype=np.uint8)
        plane[60 : 60 + side, 80 : 80 + side] = 200 + np.arange(side) % 2 * 55
        found = [Box(60, 60 + side, 80, 80 + side)] if side == SMALLEST else []
        assert borders_of(plane).boxes == found
    inside = peel(1000, 1000, lambda box: (5, 5, 0, 0))
    assert len(inside.boxes) == NESTED + 1
    assert inside.boxes[-1].size == (1000 - 10 * MOST, 1000)
    assert inside.skipped


def test_a_crop_that_some_players_apply_is_looked_at_again_when_it_changes() -> None:
    known, decoy = cropped()
    shots = [placed(picture, (320, 240), (104, 80)) for picture in (decoy, known, known, known)]
    for shot in shots:  # no border: what is around the crop is a picture
        around = np.asarray(DESK.picture("around")).copy()
        around[80:160, 104:216] = np.asarray(shot)[80:160, 104:216]
        shot.paste(Image.fromarray(around))
    plain = videos.tracks([shots], format="matroska", frames=1, options={"crf": "4"})
    sides = {0x54BB: 80, 0x54AA: 80, 0x54CC: 104, 0x54DD: 104}
    crop = b"".join(videos.element(side, struct.pack(">H", by)) for side, by in sides.items())
    film = read_video(videos.with_element(plain, (SEGMENT, TRACKS, ENTRY, VIDEO), crop))
    assert is_seen(film, known)
    assert is_seen(film, decoy)


def cropped() -> tuple[Image.Image, Image.Image]:
    """A picture, and one that is like it inside a large one."""
    known = Image.eval(DESK.picture("crop", (112, 80)), lambda level: 60 + level * 136 // 255)
    return known, like_in_border(DESK, known)
