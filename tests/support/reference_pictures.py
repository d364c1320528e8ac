"""What the reference package `pdqhash` says of generated pictures, as recorded.

`pdqhash` wants a C++ compiler, so the tests read its answers from `reference_pictures.csv`. The
bench computes them again: `python -m bench.pdq_reference` fails where an answer has changed.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from kinward.demo import pictures

Pixels = npt.NDArray[np.uint8]

PATH: Final = Path(__file__).with_suffix(".csv")
SIZES: Final = [(1024, 768), (640, 480), (333, 517), (64, 64), (1600, 300), (129, 128), (50, 40)]
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
SEEDS: Final = range(50)  # pictures of each format
TURNED_SEEDS: Final = range(12)  # pictures turned and mirrored in every way
VARIANTS: Final = 8
NOISE_SIZES: Final = [(768, 1024), (70, 1000), (2000, 1500)]


def draw_file(format: str, seed: int) -> bytes:
    """A generated picture as a file of this format."""
    return pictures.encode(pictures.draw(seed, SIZES[seed % len(SIZES)]), format)


def decode(data: bytes) -> Pixels:
    """The pixels that the reference was asked about: Pillow's, in RGB."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def draw_pixels(seed: int) -> Pixels:
    """A generated picture that was never in a file."""
    return np.asarray(pictures.draw(seed, SIZES[seed % len(SIZES)]).convert("RGB"))


def draw_noise() -> Iterator[Pixels]:
    """Noise alone, in each of the sizes."""
    dice = np.random.default_rng(7)
    for height, width in NOISE_SIZES:
        yield dice.integers(0, 256, (height, width, 3), dtype=np.uint8)


def read_reference() -> dict[tuple[str, int], tuple[bytes, int]]:
    """The recorded hash and quality of each picture, by its kind and number."""
    with PATH.open(newline="") as file:
        return {
            (row["kind"], int(row["number"])): (bytes.fromhex(row["pdq"]), int(row["quality"]))
            for row in csv.DictReader(file)
        }
