"""A frame of a film whose size changes, as it is shown in the place that its first frame took.

A page that gives a video the size of its beginning keeps that size. A browser then shows a later
frame as large as fits, with two samples to a pixel and side, and the page beside it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from kinward.media.chroma import Plane
from kinward.media.planes import Planes

LEAST: Final = 0.01  # of a side: a narrower bar changes no hash
MOST: Final = 4_000_000  # pixels: a larger place is drawn in this size
NEUTRAL: Final = 128  # chroma without a colour

Size = tuple[int, int]  # rows and columns


def size_shown(planes: Planes) -> Size:
    """Return the rows and columns that a frame takes, with pixels that are square."""
    height, width = planes.luma.shape
    return round(height / min(planes.shape, 1.0)), round(width * max(planes.shape, 1.0))


def fitted(planes: Planes, place: Size | None) -> Iterator[Planes]:
    """Yield a frame as it is shown in a place of another size: by itself, on black and on white.

    `place`: the rows and columns of the first frame of the track.
    """
    own = size_shown(planes)
    if place is None or place == own or 0 in (*own, *place):
        return
    smaller = min(1.0, (MOST / (place[0] * place[1])) ** 0.5)
    place = max(1, round(place[0] * smaller)), max(1, round(place[1] * smaller))
    scale = min(place[0] / own[0], place[1] / own[1])
    height, width = (max(1, round(side * scale)) for side in own)
    small = _sampled(planes, (height, width))
    if scale < 1:
        yield small
    above, aside = (place[0] - height) // 2, (place[1] - width) // 2
    if above > LEAST * place[0] or aside > LEAST * place[1]:
        for grey in (0, 255):
            yield _on_page(small, (above, aside), grey)


def _sampled(planes: Planes, size: Size) -> Planes:
    """Return a frame of this size: each sample between the nearest two of each side."""

    def sampled(plane: Plane, _down: int, _across: int) -> Plane:
        (top, bottom, down), (left, right, across) = (
            _between(length, wanted) for length, wanted in zip(plane.shape, size, strict=True)
        )
        rows = plane[top] * (1 - down)[:, None] + plane[bottom] * down[:, None]
        mixed = rows[:, left] * (1 - across) + rows[:, right] * across
        return (mixed + np.float32(0.5)).astype(np.uint8)

    return replace(planes.mapped(sampled), shape=1.0)


def _between(
    length: int, wanted: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return the places before and after each sample, and how near it is to the latter."""
    places = ((np.arange(wanted) + 0.5) * length / wanted - 0.5).clip(0, length - 1)
    before = places.astype(np.int64)
    share = (places - before).astype(np.float32)
    return before, np.minimum(before + 1, length - 1), share


def _on_page(planes: Planes, bars: Size, grey: int) -> Planes:
    """Return a frame with a page of this grey, 0 to 255, above, below and aside."""
    level = grey if planes.full else round(16 + grey * 219 / 255)
    above, aside = bars

    def framed(plane: Plane, value: int) -> Plane:
        return np.pad(plane, ((above, above), (aside, aside)), constant_values=value)

    return replace(
        planes,
        luma=framed(planes.luma, level),
        blue=None if planes.blue is None else framed(planes.blue, NEUTRAL),
        red=None if planes.red is None else framed(planes.red, NEUTRAL),
        alpha=None if planes.alpha is None else framed(planes.alpha, 255),
    )
