"""PDQ, the perceptual hash of the lists in use: 256 bits and a quality from 0 to 100.

Written from the published algorithm ("The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm", Facebook 2019): luma, two box-filter passes each way, decimation to
64 x 64, the 16 x 16 lowest non-constant terms of a DCT, and one bit per term above the median.

Filtering and decimation are linear and separable, so they are one matrix product from the left and
one from the right. They run on bands of rows, so that memory stays small for an image of any size.
"""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Hash = npt.NDArray[np.uint8]  # uint8[32], most significant bit of the hex text first
Floats = npt.NDArray[np.float64]

SIDE: Final = 64
TERMS: Final = 16
TOGETHER: Final = 16  # samples of a row computed at a time
BAND: Final = 256  # rows of luma in memory at a time
QUALITY_DIVISOR: Final = 90
MAX_PIXELS: Final = 50_000_000
LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)

# Below this an image has too little structure for its hash to be meaningful. The authors of the
# algorithm advise discarding such hashes: a flat image would match every other flat image.
MIN_QUALITY: Final = 50


@lru_cache(maxsize=256)
def _reduction(length: int) -> npt.NDArray[np.float32]:
    """Return the float32[64, length] matrix that box-filters an axis twice and samples it."""
    window = (length + 2 * SIDE - 1) // (2 * SIDE)
    after = (window + 2) // 2 - 1
    before = window - 1 - after
    centres = ((np.arange(SIDE) + 0.5) * length / SIDE).astype(np.int64)
    matrix = np.zeros((SIDE, length))
    for row, centre in enumerate(centres):
        outer = range(max(0, centre - before), min(length, centre + after + 1))
        for middle in outer:
            low, high = max(0, middle - before), min(length, middle + after + 1)
            matrix[row, low:high] += 1.0 / (len(outer) * (high - low))
    return matrix.astype(np.float32)


@lru_cache(maxsize=256)
def _stretches(length: int) -> list[tuple[slice, slice, npt.NDArray[np.float32]]]:
    """Return the matrix of `_reduction` in parts, transposed: a quarter of the work.

    A few samples of a row need only a stretch of it. A part is the samples, the stretch and the
    matrix for both.
    """
    matrix, parts = _reduction(length), []
    for first in range(0, SIDE, TOGETHER):
        part = matrix[first : first + TOGETHER]
        used = np.nonzero(part.any(axis=0))[0]
        stretch = slice(int(used[0]), int(used[-1]) + 1)
        parts.append(
            (slice(first, first + TOGETHER), stretch, np.ascontiguousarray(part[:, stretch].T))
        )
    return parts


def _dct() -> Floats:
    frequency = np.arange(1, TERMS + 1)[:, None]
    sample = np.arange(SIDE)[None, :]
    waves: Floats = np.cos(np.pi / (2 * SIDE) * frequency * (2 * sample + 1))
    scaled: Floats = waves * (2.0 / SIDE) ** 0.5
    return scaled


_DCT: Final = _dct()


def hash_array(pixels: npt.NDArray[np.uint8]) -> tuple[Hash, int]:
    """Return the hash, uint8[32], and quality, 0 to 100, of an image, uint8[H, W, 3] in RGB.

    >>> hash_array(np.zeros((80, 80, 3), dtype=np.uint8))[1]
    0
    """
    small = _shrunk(pixels)
    return _bits(small), _quality(small)


def hash_dihedral(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], int]:
    """Return the hashes, uint8[8, 32], of an image rotated and mirrored, and its quality.

    The order is that of the reference package: unchanged, rotated left by 90, 180 and 270 degrees,
    flipped vertically, flipped horizontally, and mirrored along each diagonal.
    """
    small = _shrunk(pixels)
    turned = [np.rot90(small, times) for times in range(4)]
    mirrored = [small[::-1], small[:, ::-1], small.T, turned[2].T]
    return np.stack([_bits(variant) for variant in (*turned, *mirrored)]), _quality(small)


def turn_hashes(hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return hashes, uint8[N, 32], turned and mirrored in all eight ways: uint8[N, 8, 32].

    The first of the eight is the hash itself. A mirrored picture has the same terms, of which those
    of odd frequency change their sign, and a transposed picture has the transposed terms. The
    median is taken for zero here, so these hashes are estimates: a median of 4 bits, and up to 30,
    from those of `hash_dihedral`.
    """
    plain = np.ascontiguousarray(hashes, dtype=np.uint8).reshape(-1, 32)
    bits = np.unpackbits(plain, axis=1).reshape(-1, TERMS, TERMS)  # the last term first
    across = np.packbits(bits.transpose(0, 2, 1).reshape(-1, TERMS * TERMS), axis=1)
    both = np.stack([plain, across], axis=1)
    return (both[:, :, None] ^ _MIRRORS[None, None]).reshape(-1, 8, 32)


def _mirrors() -> npt.NDArray[np.uint8]:
    """Return the bits that change in no mirror, in one of each axis, and in both: uint8[4, 32]."""
    odd = np.arange(TERMS, 0, -1) % 2 == 1  # the last term first
    none = np.zeros_like(odd)
    masks = [
        np.packbits((rows[:, None] ^ columns[None]).ravel())
        for rows in (none, odd)
        for columns in (none, odd)
    ]
    return np.stack(masks)


_MIRRORS: Final = _mirrors()


def _shrunk(pixels: npt.NDArray[np.uint8]) -> Floats:
    """Return the luma of an image, filtered and reduced to 64 x 64."""
    height, width = pixels.shape[:2]
    down = _reduction(height)
    small: Floats = np.zeros((SIDE, SIDE))
    for top in range(0, height, BAND):
        luma = pixels[top : top + BAND].astype(np.float32) @ LUMA
        rows = np.empty((len(luma), SIDE), dtype=np.float32)
        for samples, stretch, part in _stretches(width):
            rows[:, samples] = luma[:, stretch] @ part
        small += down[:, top : top + BAND] @ rows
    return small


def _bits(small: Floats) -> Hash:
    """Return one bit for each of the lowest terms: whether it is above their median."""
    terms = _DCT @ small @ _DCT.T
    # The algorithm's median is the lower of the two middle values.
    median = np.partition(terms.ravel(), TERMS * TERMS // 2 - 1)[TERMS * TERMS // 2 - 1]
    return np.packbits((terms > median).ravel()[::-1])


def _quality(small: Floats) -> int:
    gradients = sum(
        int(np.abs(np.trunc(np.diff(small, axis=axis) * 100 / 255)).sum()) for axis in (0, 1)
    )
    return min(100, gradients // QUALITY_DIVISOR)
