"""The uniform border or letterbox of a picture."""

from typing import Final

import numpy as np
import numpy.typing as npt

TOLERANCE: Final = 12  # grey levels within a border
UNIFORM: Final = 0.98  # of a line of the border, and not some pixels of noise or a logo
LEAST: Final = 0.01  # of a side: a narrower border changes little
SMALLEST: Final = 32  # pixels a side of what remains
SPARSE: Final = 8  # every so many pixels of a line are looked at


def borderless(luma: npt.NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """Return top, bottom, left and right of what is inside a uniform border; None without one.

    >>> picture = np.zeros((90, 90), dtype=np.uint8)
    >>> picture[20:70, 10:80] = np.arange(100, 170)
    >>> borderless(picture)
    (20, 70, 10, 80)
    """
    height, width = luma.shape
    if min(height, width) < SMALLEST:
        return None
    rows = luma[:, ::SPARSE]
    top, bottom = _leading(rows), height - _leading(rows[::-1])
    if bottom - top < SMALLEST:
        return None
    # Beside a letterbox, columns are not uniform to their ends.
    columns = luma[top:bottom:SPARSE].T
    left, right = _leading(columns), width - _leading(columns[::-1])
    narrow = top + height - bottom < LEAST * height and left + width - right < LEAST * width
    if narrow or right - left < SMALLEST:
        return None
    return top, bottom, left, right


def _leading(lines: npt.NDArray[np.uint8]) -> int:
    """Return how many lines from the first on are of one grey."""
    grey = int(np.median(lines[0]))
    low, high = max(0, grey - TOLERANCE), min(255, grey + TOLERANCE)
    inside = ((lines >= low) & (lines <= high)).mean(axis=1) >= UNIFORM
    return len(inside) if inside.all() else int(inside.argmin())
