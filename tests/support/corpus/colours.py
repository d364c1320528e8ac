"""How films write colours."""

from typing import Any, Final

import numpy as np
from PIL import Image

from tests.support.corpus.entry import Pixels, to_pixels

# How much red and blue weigh in what is bright.
WEIGHTS: Final = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}


def matrix(name: str) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return the matrix from red, green and blue to brightness and two differences."""
    red, blue = WEIGHTS[name]
    bright = np.array([red, 1 - red - blue, blue])
    return np.stack(
        [
            bright,
            (np.array([0, 0, 1]) - bright) / (2 * (1 - blue)),
            (np.array([1, 0, 0]) - bright) / (2 * (1 - red)),
        ]
    )


def to_planes(image: Image.Image, name: str, *, full: bool) -> tuple[Pixels, Pixels, Pixels]:
    """Return the planes of a frame in 4:2:0, as written in this way."""
    values = to_pixels(image.convert("RGB")) / 255 @ matrix(name).T
    low, scale, wide = (0, 255, 255) if full else (16, 219, 224)
    bright = values[..., 0] * scale + low
    half = values.reshape(image.height // 2, 2, image.width // 2, 2, 3).mean((1, 3)) * wide + 128
    planes = (bright, half[..., 1], half[..., 2])
    first, second, third = (np.clip(np.round(plane), 0, 255).astype(np.uint8) for plane in planes)
    return first, second, third


def read_as(image: Image.Image, *, written: str, read: str) -> Image.Image:
    """Return what is shown of a picture that is written in one way and read in another."""
    values = to_pixels(image) / 255 @ matrix(written).T @ np.linalg.inv(matrix(read)).T
    return Image.fromarray(np.clip(np.round(values * 255), 0, 255).astype(np.uint8))
