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

from kinward.media.orientation import Turn

Hash = npt.NDArray[np.uint8]  # uint8[32], most significant bit of the hex text first
Floats = npt.NDArray[np.float64]

SIDE: Final = 64
TERMS: Final = 16
MEDIAN: Final = TERMS * TERMS // 2 - 1  # the algorithm takes the lower of the two middle values
TOGETHER: Final = 16  # samples of a row computed at a time
LONG: Final = 8192  # pixels: of a longer side the matrices are not kept, for they take much memory
BAND: Final = 256  # rows of luma in memory at a time
QUALITY_DIVISOR: Final = 90
MAX_PIXELS: Final = 50_000_000
LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)

# Below this an image has too little structure for its hash to be meaningful. The authors of the
# algorithm advise discarding such hashes: a flat image would match every other flat image.
MIN_QUALITY: Final = 50


def _reduction(length: int) -> npt.NDArray[np.float32]:
    """Return the float32[64, length] matrix that box-filters an axis twice and samples it."""
    return _long_reduction(length) if length > LONG else _kept_reduction(length)


@lru_cache(maxsize=256)
def _kept_reduction(length: int) -> npt.NDArray[np.float32]:
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


def _long_reduction(length: int) -> npt.NDArray[np.float32]:
    """Return the same for a long side, in time that grows with its length only."""
    window = (length + 2 * SIDE - 1) // (2 * SIDE)
    after = (window + 2) // 2 - 1
    before = window - 1 - after
    matrix = np.zeros((SIDE, length), dtype=np.float32)
    for row, centre in enumerate(((np.arange(SIDE) + 0.5) * length / SIDE).astype(np.int64)):
        first, last = max(0, centre - before), min(length, centre + after + 1)
        middles = np.arange(first, last)
        lows, highs = np.maximum(0, middles - before), np.minimum(length, middles + after + 1)
        steps = np.zeros(int(highs[-1] - lows[0]) + 1)
        share = 1.0 / (len(middles) * (highs - lows))
        np.add.at(steps, lows - lows[0], share)
        np.subtract.at(steps, highs - lows[0], share)
        matrix[row, lows[0] : highs[-1]] = np.cumsum(steps)[:-1]
    return matrix


Stretches = list[tuple[slice, slice, npt.NDArray[np.float32]]]


def _stretches(length: int) -> Stretches:
    return _cut_stretches(length) if length > LONG else _kept_stretches(length)


@lru_cache(maxsize=256)
def _kept_stretches(length: int) -> Stretches:
    return _cut_stretches(length)


def _cut_stretches(length: int) -> Stretches:
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
_ODD: Final = np.where(np.arange(1, TERMS + 1) % 2 == 1, -1.0, 1.0)  # by frequency


def hash_array(pixels: npt.NDArray[np.uint8]) -> tuple[Hash, int]:
    """Return the hash, uint8[32], and quality, 0 to 100, of an image, uint8[H, W, 3] in RGB.

    >>> hash_array(np.zeros((80, 80, 3), dtype=np.uint8))[1]
    0
    """
    small = shrink(pixels)
    return _bits(small), _quality(small)


def hash_dihedral(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], int]:
    """Return the hashes, uint8[8, 32], of an image rotated and mirrored, and its quality.

    The order is that of the reference package: unchanged, rotated left by 90, 180 and 270 degrees,
    flipped vertically, flipped horizontally, and mirrored along each diagonal.
    """
    return hash_small(shrink(pixels))


def hash_small(small: Floats) -> tuple[npt.NDArray[np.uint8], int]:
    """Return what `hash_dihedral` returns, of an image already reduced by `shrink`."""
    terms = _terms(small)
    # A mirrored picture has the same terms, of which those of odd frequency change their sign.
    plain, upside = terms, _ODD[:, None] * terms
    sideways, both = terms * _ODD, upside * _ODD
    every = (plain, sideways.T, both, upside.T, upside, sideways, plain.T, both.T)
    flat = np.stack(every).reshape(8, -1)
    medians = np.partition(flat, MEDIAN, axis=1)[:, MEDIAN, None]
    return np.packbits((flat > medians)[:, ::-1], axis=1), _quality(small)


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


def shrink(pixels: npt.NDArray[np.uint8], *, turn: Turn | None = None) -> Floats:
    """Return the luma of an image, uint8[H, W, 3] in RGB, filtered and reduced to 64 x 64.

    The result is that of the image as `turn` turns it, of which no copy is made.
    """
    lens = _Lens(pixels.shape, turn)
    small: Floats = np.zeros((SIDE, SIDE))
    for band in lens.bands:
        small += lens.look(pixels[band].astype(np.float32) @ LUMA, band)
    return lens.turned(small)


def shrink_layers(
    pixels: npt.NDArray[np.uint8], *, turn: Turn | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return three layers of an image, uint8[H, W, 4] in RGBA, each reduced as in `shrink`.

    They are the luma without alpha, the luma over black, and the opacity, 0 to 1. Over grey of
    level G the luma is the second layer plus G times what the third lacks of 1.
    """
    lens = _Lens(pixels.shape, turn)
    bare, black, opacity = (np.zeros((SIDE, SIDE)) for _ in range(3))
    for band in lens.bands:
        seen = lens.look(luma := pixels[band, :, :3].astype(np.float32) @ LUMA, band)
        bare += seen
        if (pixels[band, :, 3] == 255).all():
            black += seen
            opacity += lens.weight(band)
            continue
        alpha = pixels[band, :, 3].astype(np.float32) / 255
        black += lens.look(luma * alpha, band)
        opacity += lens.look(alpha, band)
    return lens.turned(bare), lens.turned(black), lens.turned(opacity)


class _Lens:
    """Reduces bands of rows of an image to their part of the 64 x 64."""

    def __init__(self, shape: tuple[int, ...], turn: Turn | None) -> None:
        height, width = shape[:2]
        self.bands = [slice(top, top + BAND) for top in range(0, height, BAND)]
        self._down, self._parts = _reduction(height), _stretches(width)
        self._transposed = turn is not None and turn.transposed
        if turn is not None and turn.rows_back:
            self._down = self._down[:, ::-1]
        if turn is not None and turn.columns_back:
            self._parts = [
                (samples, slice(width - used.stop, width - used.start), part[::-1].copy())
                for samples, used, part in self._parts
            ]

    def look(self, values: npt.NDArray[np.float32], band: slice) -> Floats:
        rows = np.empty((len(values), SIDE), dtype=np.float32)
        for samples, stretch, part in self._parts:
            rows[:, samples] = values[:, stretch] @ part
        seen: Floats = self._down[:, band] @ rows
        return seen

    def weight(self, band: slice) -> Floats:
        """Return what `look` gives for ones."""
        weight: Floats = self._down[:, band].sum(axis=1, dtype=np.float64)[:, None]
        return weight

    def turned(self, small: Floats) -> Floats:
        return small.T.copy() if self._transposed else small


def shrink_patch(
    values: npt.NDArray[np.float32], at: tuple[int, int], size: tuple[int, int]
) -> Floats:
    """Return what a patch, float32[h, w], adds to a reduced image.

    `at`: the left and top of the patch. `size`: the width and height of the image.
    """
    (left, top), (width, height) = at, size
    down = _reduction(height)[:, top : top + values.shape[0]]
    across = _reduction(width)[:, left : left + values.shape[1]]
    patch: Floats = (down @ values @ across.T).astype(np.float64)
    return patch


def _terms(small: Floats) -> Floats:
    terms: Floats = _DCT @ small @ _DCT.T
    return terms


def _bits(small: Floats) -> Hash:
    """Return one bit for each of the lowest terms: whether it is above their median."""
    terms = _terms(small).ravel()
    return np.packbits((terms > np.partition(terms, MEDIAN)[MEDIAN])[::-1])


def _quality(small: Floats) -> int:
    gradients = sum(
        int(np.abs(np.trunc(np.diff(small, axis=axis) * 100 / 255)).sum()) for axis in (0, 1)
    )
    return min(100, gradients // QUALITY_DIVISOR)
