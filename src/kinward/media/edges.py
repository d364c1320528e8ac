"""A picture that lost its edges: it is continued outwards, so that it hashes as before.

PDQ knows a picture of which 2 percent were cut off each side only by luck. Continued by
`CONTINUED` with the pixels of its edge, nearly all such pictures are within the radius again:
`python bench/robustness.py` has the figures.
"""

from typing import Final

import numpy as np

from kinward.media.pdq import Luma

CONTINUED: Final = 0.025  # of the width and the height, on each side
SIDE: Final = 256  # pixels; the hash of a continued picture needs no more


def continue_edges(luma: Luma) -> Luma:
    """Return a picture, float32[H, W], reduced to about 256 pixels and continued outwards."""
    small = _reduce(luma, max(1, min(luma.shape) // SIDE))
    down, across = (max(1, round(side * CONTINUED)) for side in small.shape)
    return np.pad(small, ((down, down), (across, across)), mode="edge")


def _reduce(luma: Luma, step: int) -> Luma:
    """Return an image of which each pixel is the mean of `step` by `step`."""
    height, width = (side // step * step for side in luma.shape)
    parts = luma[:height, :width].reshape(height // step, step, width // step, step)
    means: Luma = parts.mean(axis=(1, 3), dtype=np.float32)
    return means
