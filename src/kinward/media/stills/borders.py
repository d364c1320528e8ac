"""Uniform borders of a still picture: what is inside them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kinward.media.borders import Box, Inside, peel
from kinward.media.pdq import LUMA_ALPHA, Luma
from kinward.media.stills.reading import Pixels

TOLERANCE: Final = 14  # levels of luma, for the noise of JPEG
SHARE: Final = 0.97  # of the pixels of a row that are of the border's colour
STRIP: Final = 32  # rows looked at together


def content_of(pixels: Luma | Pixels) -> Inside:
    """Return what is inside the uniform borders of a picture.

    `pixels`: float32[H, W] of luma, or uint8[H, W, 4] in RGBA, which is taken over white.
    """

    def margins(box: Box) -> tuple[int, int, int, int]:
        inner = pixels[box.slices]
        top, bottom = _margins(inner)
        return top, bottom, *_margins(inner[top : inner.shape[0] - bottom].swapaxes(0, 1))

    return peel(pixels.shape[0], pixels.shape[1], margins)


def _margins(pixels: npt.NDArray[Any]) -> tuple[int, int]:
    """Return how many rows at the top and at the bottom are of one colour."""
    top = _depth(pixels)
    return (top, _depth(pixels[::-1])) if top < len(pixels) else (0, 0)


def _depth(pixels: npt.NDArray[Any]) -> int:
    if not pixels.size:
        return 0
    sample = _over_white(pixels[0, :: max(1, pixels.shape[1] // 64)])
    level = np.partition(sample, len(sample) // 2)[len(sample) // 2]  # np.median takes longer
    depth, rows = 0, 1
    while depth < len(pixels):
        strip = _over_white(pixels[depth : depth + rows])
        like = (np.abs(strip - level) <= TOLERANCE).mean(axis=1) >= SHARE
        if not like.all():
            return depth + int(like.argmin())
        depth, rows = depth + rows, STRIP
    return len(pixels)


def _over_white(pixels: npt.NDArray[Any]) -> Luma:
    if pixels.dtype == np.float32:
        return pixels
    values = pixels.astype(np.float32)
    alpha = values @ LUMA_ALPHA[1]
    luma: Luma = values @ LUMA_ALPHA[0] * alpha + 255 * (1 - alpha)
    return luma
