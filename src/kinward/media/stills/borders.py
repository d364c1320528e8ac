"""Uniform borders: the part of a picture inside them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kinward.media.pdq import LUMA_ALPHA, Luma
from kinward.media.stills.reading import Pixels

TOLERANCE: Final = 14  # levels of luma, for the noise of JPEG
SHARE: Final = 0.97  # of the pixels of a row that are of the border's colour
STRIP: Final = 32  # rows looked at together
SMALLEST: Final = 48  # pixels of a side that must remain
REMAINS: Final = 1 / 16  # of the area
NESTED: Final = 2

Box = tuple[slice, slice]


def content_boxes(pixels: Luma | Pixels) -> list[Box]:
    """Return the rows and columns inside a uniform border, and inside a second one within it.

    `pixels`: float32[H, W] of luma, or uint8[H, W, 4] in RGBA, which is taken over white. The list
    is empty if there is no border or too little remains.
    """
    boxes: list[Box] = []
    rows, columns = slice(0, pixels.shape[0]), slice(0, pixels.shape[1])
    for _ in range(NESTED):
        inner = pixels[rows, columns]
        top, bottom = _margins(inner)
        left, right = _margins(inner[top : inner.shape[0] - bottom].swapaxes(0, 1))
        height, width = inner.shape[0] - top - bottom, inner.shape[1] - left - right
        if not (top or bottom or left or right) or min(height, width) < SMALLEST:
            break
        if height * width < REMAINS * pixels.shape[0] * pixels.shape[1]:
            break
        rows = slice(rows.start + top, rows.start + top + height)
        columns = slice(columns.start + left, columns.start + left + width)
        boxes.append((rows, columns))
    return boxes


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
