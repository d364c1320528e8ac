"""The luma of an image, computed part by part.

Computed at once, that of a photo of 12 megapixels took longer than to decode the photo, because the
system had to find memory for it.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from PIL import Image

from kinward.media.borders import Box
from kinward.media.pdq import Luma

SMALL: Final = 1 << 17  # pixels: of an image this small it is computed at once


@dataclass(frozen=True)
class Shades:
    """The luma of a box of an image in L or RGB. `whole`: that of the image, if it is small."""

    image: Image.Image
    box: Box
    whole: Luma | None

    @property
    def shape(self) -> tuple[int, int]:
        """The rows and columns."""
        return self.box.size

    def __getitem__(self, rows: slice) -> Luma:
        """Return the luma of some rows, float32[N, W]."""
        first, last, _ = rows.indices(self.shape[0])
        return self.part(Box(first, last, 0, self.shape[1]))

    def part(self, inner: Box) -> Luma:
        """Return the luma of a box in this one, float32[H, W]."""
        box = self.within(inner).box
        if self.whole is not None:
            return self.whole[box.slices]
        return _luma(self.image.crop((box.left, box.top, box.right, box.bottom)))

    def within(self, inner: Box) -> "Shades":
        """Return the shades of a box in this one."""
        top, left = self.box.top, self.box.left
        box = Box(inner.top + top, inner.bottom + top, inner.left + left, inner.right + left)
        return replace(self, box=box)


def shades_of(image: Image.Image) -> Shades:
    """Return the luma of an image in L or RGB."""
    small = image.width * image.height <= SMALL
    return Shades(image, Box(0, image.height, 0, image.width), _luma(image) if small else None)


def _luma(image: Image.Image) -> Luma:
    return np.asarray(image.convert("F"))  # which NumPy computes in twice the time
