"""A picture that lost its edges: it is continued outwards, so that it hashes as before.

PDQ knows a picture of which 2 percent were cut off each side only by luck. Continued by
`CONTINUED` with what is at its edge, nearly all such pictures are within the radius again:
`python bench/robustness.py` has the figures. The reduced picture is continued, which costs nothing.
"""

from typing import Final

import numpy as np

from kinward.media.pdq import SIDE, Floats, Smalls

CONTINUED: Final = 0.025  # of the width and the height, on each side
SHARPNESS: Final = -0.5  # of the cubic interpolation


def continue_edges(smalls: Smalls) -> Smalls:
    """Return reduced pictures, as `shrink` returns them, as if they went on at their edges."""
    continued: Smalls = _OUTWARDS @ smalls @ _OUTWARDS.T
    return continued


def _outwards() -> Floats:
    """Return the float64[64, 64] matrix that samples an axis and what goes on at its ends."""
    samples = np.arange(SIDE)
    places = (((samples + 0.5) / SIDE * (1 + 2 * CONTINUED)) - CONTINUED) * SIDE - 0.5
    places = places.clip(0, SIDE - 1)
    first, matrix = np.floor(places).astype(int), np.zeros((SIDE, SIDE))
    for step in (-1, 0, 1, 2):
        at = first + step
        np.add.at(matrix, (samples, at.clip(0, SIDE - 1)), _cubic(np.abs(places - at)))
    return matrix


def _cubic(away: Floats) -> Floats:
    near = (SHARPNESS + 2) * away**3 - (SHARPNESS + 3) * away**2 + 1
    far = SHARPNESS * (away**3 - 5 * away**2 + 8 * away - 4)
    return np.where(away <= 1, near, np.where(away < 2, far, 0.0))


_OUTWARDS: Final = _outwards()
