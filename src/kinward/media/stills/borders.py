"""Uniform borders: the part of a picture inside them."""

from typing import Final

import numpy as np

from kinward.media.stills.reading import Pixels

TOLERANCE: Final = 20  # levels of a channel, for the noise of JPEG
SHARE: Final = 0.97  # of the pixels of a row that are of the border's colour
STRIP: Final = 32  # rows looked at together
SMALLEST: Final = 48  # pixels of a side that must remain
REMAINS: Final = 1 / 16  # of the area
NESTED: Final = 2

Box = tuple[slice, slice]


def content_boxes(pixels: Pixels) -> list[Box]:
    """Return the rows and columns inside a uniform border, and inside a second one within it.

    `pixels`: uint8[H, W, 3], or uint8[H, W, 4] with alpha, which is taken over white. The list is
    empty if there is no border or too little remains.
    """
    boxes: list[Box] = []
    rows, columns = slice(0, pixels.shape[0]), slice(0, pixels.shape[1])
    for _ in range(NESTED):
        inner = pixels[rows, columns]
        top, bottom = _margins(inner)
        left, right = _margins(inner[top : inner.shape[0] - bottom].transpose(1, 0, 2))
        height, width = inner.shape[0] - top - bottom, inner.shape[1] - left - right
        if not (top or bottom or left or right) or min(height, width) < SMALLEST:
            break
        if height * width < REMAINS * pixels.shape[0] * pixels.shape[1]:
            break
        rows = slice(rows.start + top, rows.start + top + height)
        columns = slice(columns.start + left, columns.start + left + width)
        boxes.append((rows, columns))
    return boxes


def _margins(pixels: Pixels) -> tuple[int, int]:
    """Return how many rows at the top and at the bottom are of one colour."""
    top = _depth(pixels)
    return (top, _depth(pixels[::-1])) if top < len(pixels) else (0, 0)


def _depth(pixels: Pixels) -> int:
    if not pixels.size:
        return 0
    colour = np.median(_over_white(pixels[0, :: max(1, pixels.shape[1] // 64)]), axis=0)
    depth, rows = 0, 1
    while depth < len(pixels):
        strip = _over_white(pixels[depth : depth + rows])
        like = (np.abs(strip - colour) <= TOLERANCE).all(axis=2).mean(axis=1) >= SHARE
        if not like.all():
            return depth + int(like.argmin())
        depth, rows = depth + rows, STRIP
    return len(pixels)


def _over_white(pixels: Pixels) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    if pixels.shape[-1] == 3:
        return pixels.astype(np.float32)
    alpha = pixels[..., 3:].astype(np.float32) / 255
    return pixels[..., :3] * alpha + 255 * (1 - alpha)
