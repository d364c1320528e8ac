"""Uniform borders of a still picture: what is inside them."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kinward.media.borders import Box, Inside, peel
from kinward.media.pdq import LUMA_ALPHA, Luma
from kinward.media.stills.reading import Pixels
from kinward.media.stills.shades import Shades

TOLERANCE: Final = 14  # levels of luma, for the noise of JPEG
SHARE: Final = 0.97  # of the pixels of a row that are of the border's colour
STRIP: Final = 32  # rows looked at together

# Returns some of the rows or columns of a picture, by the numbers of the first and after the last.
Lines = Callable[[int, int], npt.NDArray[Any]]


def content_of(pixels: Shades | Pixels) -> Inside:
    """Return what is inside the uniform borders of a picture.

    `pixels`: uint8[H, W, 4] in RGBA are taken over white.
    """

    def cut(box: Box) -> npt.NDArray[Any]:
        return pixels.part(box) if isinstance(pixels, Shades) else pixels[box.slices]

    def margins(box: Box) -> tuple[int, int, int, int]:
        def rows(first: int, last: int) -> npt.NDArray[Any]:
            return cut(box._replace(top=box.top + first, bottom=box.top + last))

        def columns(first: int, last: int) -> npt.NDArray[Any]:
            return cut(rest._replace(left=rest.left + first, right=rest.left + last)).swapaxes(0, 1)

        top, bottom = _margins(rows, box.size[0])
        rest = box._replace(top=box.top + top, bottom=box.bottom - bottom)
        if rest.size[0] <= 0:  # a slope from one level to another
            return top, bottom, 0, 0
        return top, bottom, *_margins(columns, rest.size[1])

    return peel(pixels.shape[0], pixels.shape[1], margins)


def _margins(lines: Lines, count: int) -> tuple[int, int]:
    """Return how many of so many lines at the beginning and at the end are of one colour."""
    top = _depth(lines, count)
    if top == count:
        return 0, 0
    return top, _depth(lambda first, last: lines(count - last, count - first)[::-1], count)


def _depth(lines: Lines, count: int) -> int:
    """Return how many of so many lines from the first on are of one colour."""
    strip = _over_white(lines(0, 1))
    sample = strip[0, :: max(1, strip.shape[1] // 64)]
    level = np.partition(sample, len(sample) // 2)[len(sample) // 2]  # np.median takes longer
    depth = 0
    while True:
        like = (np.abs(strip - level) <= TOLERANCE).mean(axis=1) >= SHARE
        if not like.all():
            return depth + int(like.argmin())
        depth += len(strip)
        if depth == count:
            return count
        strip = _over_white(lines(depth, min(depth + STRIP, count)))


def _over_white(pixels: npt.NDArray[Any]) -> Luma:
    if pixels.dtype == np.float32:
        return pixels
    values = pixels.astype(np.float32)
    alpha = values @ LUMA_ALPHA[1]
    luma: Luma = values @ LUMA_ALPHA[0] * alpha + 255 * (1 - alpha)
    return luma
