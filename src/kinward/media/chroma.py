"""Chroma that a viewer's conversion to RGB makes visible in luma.

PDQ's luma is BT.601's. The chroma of other colour spaces adds to it, in proportion. What is below
black or above white is cut off in RGB, so a plane of black luma with a picture in its chroma is
shown as that picture. Each frame is asked at some hundred random places whether that matters, which
takes far less time than to convert the frame.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]  # uint8[height, width]
Places = npt.NDArray[np.int64]
Level = npt.NDArray[
    np.float32
]  # float32[height, width], of grey or of a colour, 0 to 255 and beyond

GBR: Final = 0
BT709: Final = 1
BT601: Final = 6
YCGCO: Final = 8
# Of each colour space, what red and blue weigh in its luma. Others are taken for BT.601.
SHARES: Final = {
    BT709: (0.2126, 0.0722),
    BT601: (0.299, 0.114),
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
    10: (0.2627, 0.0593),
}
WEIGHTS: Final = (0.299, 0.587, 0.114)  # of red, green and blue in PDQ's luma
CELLS: Final = (16, 16)  # rows and columns of places at which a frame is asked
CHOICES: Final = 32
BAND: Final = 64  # rows of chroma converted at a time
# Grey levels of a difference that is not seen: by the contrast of luma, at least and at most.
LEAST: Final = 0.4
# What is cut off changes fewer than 8 bits of a hash. More of it has structure enough to be hashed.
CUT_OFF, MOST_CUT_OFF = 0.06, 2.5
# What chroma adds to a glance changes fewer bits than a match may differ in.
COLOURED, MOST_COLOURED = 0.25, 8.0
MUCH: Final = 0.5
BEYOND: Final = 3.0  # levels below black or above white

_DICE: Final = np.random.default_rng()
_BRIGHT: Final = np.array(WEIGHTS, dtype=np.float32)


@lru_cache(maxsize=16)
def matrix_of(space: int) -> tuple[tuple[float, float, float], ...]:
    """Return what red, green and blue take of luma and of blue and red chroma."""
    if space == GBR:
        return (0, 0, 1), (1, 0, 0), (0, 1, 0)
    if space == YCGCO:
        return (1, -1, 1), (1, 1, 0), (1, -1, -1)
    red, blue = SHARES.get(space, SHARES[BT601])
    by_blue, by_red = 2 * (1 - blue), 2 * (1 - red)
    green = 1 - red - blue
    return (1, 0, by_red), (1, -blue * by_blue / green, -red * by_red / green), (1, by_blue, 0)


@lru_cache(maxsize=16)
def weights_of(space: int) -> tuple[float, float]:
    """Return what PDQ's luma takes of the blue and the red chroma of a colour space."""
    columns = list(zip(*matrix_of(space), strict=True))
    blue, red = (
        sum(share * weight for share, weight in zip(column, WEIGHTS, strict=True))
        for column in columns[1:]
    )
    return (0.0, 0.0) if max(abs(blue), abs(red)) < 0.001 else (blue, red)


def shown_luma(luma: Plane, blue: Plane, red: Plane, space: int, *, full: bool) -> Plane:
    """Return PDQ's luma of what a viewer shows of three planes, from 0 to 255.

    `full`: whether the planes use all levels. Those of chroma may be smaller.
    """
    shown = np.empty(luma.shape, dtype=np.uint8)
    down, across = ratio_of(luma, blue)
    for top in range(0, len(blue), BAND):
        part, rows = slice(top, top + BAND), slice(top * down, (top + BAND) * down)
        _, colours = _levels(luma[rows], blue[part], red[part], space, full, (down, across))
        shown[rows] = _bright(colours, cut=True) + np.float32(0.5)
    return shown


def influence(luma: Plane, blue: Plane, red: Plane, space: int, *, full: bool) -> tuple[bool, bool]:
    """Return whether only a conversion gives the look of a frame, and whether chroma changes it.

    A conversion it takes if chroma is cut off, or if it is as much of the look as luma.
    """
    if space == GBR:
        return True, True
    down, across = ratio_of(luma, blue)
    choices = _choices(luma.shape[0] // down, luma.shape[1] // across, down, across)
    places, of_luma = choices[int(_DICE.integers(CHOICES))]
    asked = np.ones((4, len(places[0])), dtype=np.float32)
    asked[0], asked[1], asked[2] = luma[of_luma], blue[places], red[places]
    levels = _lines(space, full) @ asked
    grey, colours, whole = levels[0], levels[1:4], levels[4]
    beyond = colours.min() < -BEYOND or colours.max() > 255 + BEYOND
    if not beyond and weights_of(space) == (0.0, 0.0):
        return False, False  # as for most frames: the chroma of BT.601 has no part in PDQ's luma
    contrast, added = deviation(grey), whole - grey
    cut = deviation(added) > max(LEAST, MUCH * contrast)
    if not cut and beyond:
        seen = _BRIGHT @ colours.clip(0, 255)
        cut = _is_seen(seen - whole.clip(0, 255), contrast, CUT_OFF, MOST_CUT_OFF)
    return cut, cut or _is_seen(added, contrast, COLOURED, MOST_COLOURED)


def _is_seen(difference: Level, contrast: float, share: float, most: float) -> bool:
    return deviation(difference) > min(max(LEAST, share * contrast), most)


def deviation(values: Level) -> float:
    """Return the standard deviation, in a fifth of the time that NumPy takes."""
    count = len(values)
    return float(max(0.0, values @ values / count - (values.sum() / count) ** 2) ** 0.5)


@lru_cache(maxsize=32)
def _lines(space: int, full: bool) -> Level:
    """Return float32[5, 4]: grey, red, green, blue and weighted luma of three samples and 1."""
    zero, most = (0, 255) if full else (16, 219)
    grey = np.array([255 / most, 0, 0, -zero * 255 / most])
    chroma = 255 / (255 if full else 224)
    planes = np.array([grey, [0, chroma, 0, -128 * chroma], [0, 0, chroma, -128 * chroma]])
    colours = np.array(matrix_of(space)) @ planes
    whole = np.array([1, *weights_of(space)]) @ planes
    return np.stack([grey, *colours, whole]).astype(np.float32)


@lru_cache(maxsize=8)
def _choices(
    rows: int, columns: int, down: int, across: int
) -> list[tuple[tuple[Places, Places], tuple[Places, Places]]]:
    """Return places in planes of chroma, and the same of luma, which has `down` times the rows.

    There are many, so that nobody can know them and avoid them.

    Each time there is one in each cell of a grid. Those side by side are in one row, which takes a
    fraction of the time to read.
    """
    dice = np.random.default_rng()
    chosen = []
    for _ in range(CHOICES):
        lines = (np.arange(CELLS[0]) + dice.random(CELLS[0])) * rows / CELLS[0]
        stands = (np.indices(CELLS)[1] + dice.random(CELLS)) * columns / CELLS[1]
        places = lines.astype(np.int64).repeat(CELLS[1]), stands.astype(np.int64).ravel()
        chosen.append((places, (places[0] * down, places[1] * across)))
    return chosen


def ratio_of(luma: Plane, chroma: Plane) -> tuple[int, int]:
    """Return how many rows and columns of luma there are for each of chroma."""
    down, across = (-(-long // short) for long, short in zip(luma.shape, chroma.shape, strict=True))
    return down, across


def _levels(
    luma: Plane, blue: Plane, red: Plane, space: int, full: bool, ratio: tuple[int, int] = (1, 1)
) -> tuple[Level, list[Level]]:
    """Return the levels of luma and those of red, green and blue, which may be out of range.

    `ratio`: rows and columns of luma for each of chroma.
    """
    zero, most = (0, 255) if full else (16, 219)
    grey = _scaled(luma, zero, most)
    if space != GBR:
        zero, most = 128, 255 if full else 224
    chroma = _scaled(blue, zero, most), _scaled(red, zero, most)
    colours = []
    for of_luma, *shares in matrix_of(space):
        level = of_luma * grey
        added = [share * plane for share, plane in zip(shares, chroma, strict=True) if share]
        if added:
            level += _enlarged(sum(added[1:], added[0]), ratio)[: len(grey), : grey.shape[1]]
        colours.append(level)
    return grey, colours


def _scaled(plane: Plane, zero: int, most: int) -> Level:
    """Return a plane in levels of 255: those of zero, and of so many more."""
    return (plane.astype(np.float32) - zero) * np.float32(255 / most)


def _enlarged(level: Level, ratio: tuple[int, int]) -> Level:
    down, across = ratio
    if across > 1:
        level = level.repeat(across, axis=1)
    return level.repeat(down, axis=0) if down > 1 else level


def _bright(colours: Sequence[Level], *, cut: bool) -> Level:
    """Return the luma of red, green and blue. `cut`: after they are cut off at black and white."""
    bright = np.zeros_like(colours[0])
    for colour, weight in zip(colours, WEIGHTS, strict=True):
        bright += np.float32(weight) * (colour.clip(0, 255) if cut else colour)
    return bright
