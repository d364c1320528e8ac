"""Views of a picture that lost its edges: it is continued outwards, so that it hashes as before.

PDQ knows a picture of which 2 percent were cut off each side only by luck. Continued by
`CONTINUED` with the pixels of its edge, nearly all such pictures are within the radius again:
`python bench/robustness.py` has the figures.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from kinward.media.pdq import Hash, hash_array

CONTINUED: Final = 0.025  # of the width and the height, on each side
SIDE: Final = 256  # pixels; the hash of a continued picture needs no more


def hash_continued(pixels: npt.NDArray[np.uint8]) -> tuple[Hash, int]:
    """Return the hash, uint8[32], and quality of an image, uint8[H, W, 3], continued outwards."""
    step = max(1, min(pixels.shape[:2]) // SIDE)
    small = _reduced(pixels, step)
    height, width = small.shape[:2]
    down, across = max(1, round(height * CONTINUED)), max(1, round(width * CONTINUED))
    return hash_array(np.pad(small, ((down, down), (across, across), (0, 0)), mode="edge"))


def _reduced(pixels: npt.NDArray[np.uint8], step: int) -> npt.NDArray[np.uint8]:
    """Return an image of which each pixel is the mean of `step` by `step`."""
    if step == 1:
        return pixels
    height, width = (side // step * step for side in pixels.shape[:2])
    rows = pixels[:height, :width].reshape(height // step, step, width, 3)
    total = rows.sum(axis=1, dtype=np.uint16).reshape(height // step, width // step, step, 3)
    means = total.sum(axis=2, dtype=np.uint32) // (step * step)
    reduced: npt.NDArray[np.uint8] = means.astype(np.uint8)
    return reduced
