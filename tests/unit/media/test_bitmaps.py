"""Bitmaps whose masks Pillow does not know are read as browsers read them."""

import struct

import numpy as np
import pytest

from kinward.media import Undecodable, turn_hashes
from kinward.media.errors import TooManyPixels
from kinward.media.picture import read_picture, render_preview
from kinward.media.stills.masks import masks_of
from tests.support.corpus import masks
from tests.support.corpus.entry import SIZE, Desk, Entry, distance

DESK = Desk(4)
MAX = 10**6
BITMAPS = {name: (data, image) for name, data, image in masks.bitmaps(DESK)}
BITMAPS["masks.ico"] = masks.icon(DESK, "masks.ico", "444")


@pytest.mark.parametrize("name", BITMAPS)
def test_the_colours_of_a_bitmap_are_where_it_says(name: str) -> None:
    data, image = BITMAPS[name]
    hashed = read_picture(data, MAX)
    assert hashed.entire
    for wanted in Entry(name, "", "", data, (image,)).truth_hashes():
        assert min(distance(wanted, view.hash) for view in hashed.views) <= 8
    assert render_preview(data, MAX, veiled=False).startswith(b"\xff\xd8")


def test_rows_may_stand_from_top_to_bottom_and_end_early() -> None:
    data, _ = BITMAPS["masks-444.bmp"]
    width, height = SIZE
    turned = data[:22] + struct.pack("<i", -height) + data[26:]
    plain, upside = (read_picture(file, MAX).views[0] for file in (data, turned))
    mirrored = turn_hashes(np.frombuffer(plain.hash, dtype=np.uint8))[0]
    assert min(distance(upside.hash, way.tobytes()) for way in mirrored) <= 31
    cut = read_picture(data[: -width * 2 * (height // 4)], MAX)
    assert cut.views
    assert not cut.entire


def test_masks_that_no_browser_takes_are_refused() -> None:
    data, _ = BITMAPS["masks-10-bits.bmp"]
    torn = data[:54] + struct.pack("<I", 0b1011) + data[58:]
    assert masks_of(torn[14:]) is None
    with pytest.raises(Undecodable):
        read_picture(torn, MAX)
    assert masks_of(data[14:40]) is None
    small, _ = BITMAPS["masks-565-swapped.bmp"]
    beyond = small[:54] + struct.pack("<I", 0x3F001F) + small[58:]
    assert masks_of(beyond[14:]) == masks_of(small[14:])
    wide = data[:18] + struct.pack("<i", 40_000) + data[22:]
    with pytest.raises(TooManyPixels):
        read_picture(wide, MAX)
    for size in (0, -5):
        with pytest.raises(Undecodable):
            read_picture(data[:18] + struct.pack("<i", size) + data[22:], MAX)
