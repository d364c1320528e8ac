"""Uniform borders: what is inside them, one within the other."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

NESTED: Final = 4  # borders within each other of which each has a view
MOST: Final = 32  # that are taken off to find what is innermost
SMALLEST: Final = 16  # pixels a side of what remains
LEAST: Final = 0.01  # of a side: a narrower border changes little
TOLERANCE: Final = 12  # grey levels within a border
UNIFORM: Final = 0.98  # of a line of the border, and not some pixels of noise or a logo
SPARSE: Final = 8  # every so many pixels of a line are looked at


class Box(NamedTuple):
    """A rectangle of a picture, in pixels."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """The rows and columns."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """The box as an index of its rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


class Inside(NamedTuple):
    """What is inside borders: boxes, the outermost first, and the innermost whatever its depth.

    `skipped`: whether one is left out that may be a picture in a frame.
    """

    boxes: list[Box]
    skipped: bool = False


# Returns how many rows and columns of a box are its border: at the top, bottom, left and right.
Margins = Callable[[Box], tuple[int, int, int, int]]


def peel(height: int, width: int, margins: Margins) -> Inside:
    """Return what is inside the borders of a picture of so many rows and columns."""
    box, boxes, skipped, waiting = Box(0, height, 0, width), list[Box](), False, False
    for depth in range(MOST + 1):
        top, bottom, left, right = margins(box)
        inner = Box(box.top + top, box.bottom - bottom, box.left + left, box.right - right)
        if inner == box or min(inner.size) < SMALLEST:
            break
        if depth == MOST:
            return Inside(boxes, True)
        if depth >= NESTED:
            # A border that has two sides which face each other is no slope of a background.
            skipped |= waiting
            waiting = min(top, bottom) > LEAST * height or min(left, right) > LEAST * width
            boxes = [*boxes[:NESTED], inner]
        else:
            boxes.append(inner)
        box = inner
    return Inside(boxes, skipped)


def borders_of(luma: npt.NDArray[np.uint8]) -> Inside:
    """Return what is inside the borders of a plane of luma, without what narrow ones leave.

    >>> picture = np.zeros((90, 90), dtype=np.uint8)
    >>> picture[20:70, 10:80] = np.arange(50 * 70).reshape(50, 70) % 251
    >>> borders_of(picture).boxes
    [Box(top=20, bottom=70, left=10, right=80)]
    """

    def margins(box: Box) -> tuple[int, int, int, int]:
        inner = luma[box.slices]
        rows = inner[:, ::SPARSE]
        top = _leading(rows)
        if top == len(rows):
            return 0, 0, 0, 0
        bottom = _leading(rows[::-1])
        # Beside a letterbox, columns are not uniform to their ends.
        columns = inner[top : len(inner) - bottom : SPARSE].T
        return top, bottom, _leading(columns), _leading(columns[::-1])

    height, width = luma.shape
    found = peel(height, width, margins)
    least_rows, least_columns = LEAST * height, LEAST * width
    wide = [
        box
        for box in found.boxes
        if height - box.size[0] >= least_rows or width - box.size[1] >= least_columns
    ]
    return Inside(wide, found.skipped)


def _leading(lines: npt.NDArray[np.uint8]) -> int:
    """Return how many lines from the first on are of one grey."""
    grey = int(np.median(lines[0]))
    low, high = max(0, grey - TOLERANCE), min(255, grey + TOLERANCE)
    if ((lines[0] >= low) & (lines[0] <= high)).mean() < UNIFORM:
        return 0
    inside = ((lines >= low) & (lines <= high)).mean(axis=1) >= UNIFORM
    return len(inside) if inside.all() else int(inside.argmin())
