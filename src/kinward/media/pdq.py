"""PDQ, the perceptual hash of the lists in use: 256 bits and a quality from 0 to 100.

Written from the published algorithm ("The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm", Facebook 2019): luma, two box-filter passes each way, decimation to
64 x 64, the 16 x 16 lowest non-constant terms of a DCT, and one bit per term above the median.

Filtering and decimation are linear and separable, so they are one matrix product from the left and
one from the right. They run on bands of rows, so that memory stays small for an image of any size.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from kinward.media.orientation import Turn

Hash = npt.NDArray[np.uint8]  # uint8[32], most significant bit of the hex text first
Floats = npt.NDArray[np.float64]
Luma = npt.NDArray[np.float32]
Smalls = Floats  # float64[4, 64, 64], as `shrink` returns it
Layers = tuple[Smalls, Smalls, Smalls]  # as `shrink_layers` returns them

SIDE: Final = 64
TERMS: Final = 16
MEDIAN: Final = TERMS * TERMS // 2 - 1  # the algorithm takes the lower of the two middle values
TOGETHER: Final = 16  # samples of a row computed at a time
LONG: Final = 8192  # pixels: of a longer side the matrices are not kept, for they take much memory
EXACT: Final = 2048  # pixels: turns of a longer side differ by up to 8 bits from the estimate
# Rows of luma in memory at a time, and pixels: more would be taken from the system for each band
# and be given back, which takes longer than all the rest.
BAND, BAND_PIXELS = 256, 1 << 17
QUALITY_DIVISOR: Final = 90
MAX_PIXELS: Final = 50_000_000
LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)
LUMA_ALPHA: Final = np.array([[*LUMA, 0], [0, 0, 0, 1 / 255]], dtype=np.float32)
OPAQUE: Final = 0.999

# Below this an image has too little structure for its hash to be meaningful. The authors of the
# algorithm advise discarding such hashes: a flat image would match every other flat image.
MIN_QUALITY: Final = 50


@lru_cache(maxsize=256)
def reduction(length: int) -> npt.NDArray[np.float32]:
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


class Lumas(Protocol):
    """Luma that is computed when some of its rows are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The rows and columns."""

    def __getitem__(self, rows: slice, /) -> Luma:
        """Return some rows, float32[N, W]."""


class Axis(NamedTuple):
    """The reduction of one axis, and the same in parts, transposed: a quarter of the work.

    A few samples of a row need only a stretch of it. A part is the stretch and the matrix for it.
    Each 16 samples may be followed by those of the mirrored axis for the same stretch.
    """

    matrix: npt.NDArray[np.float32]
    parts: list[tuple[slice, npt.NDArray[np.float32]]]


def _axis(length: int, back: bool | None) -> Axis:
    """Return the reduction of an axis, of the mirrored axis, or of both (None)."""
    return _make_axis(length, back) if length > LONG else _kept_axis(length, back)


@lru_cache(maxsize=256)
def _kept_axis(length: int, back: bool | None) -> Axis:
    return _make_axis(length, back)


def _make_axis(length: int, back: bool | None) -> Axis:
    plain = _long_reduction(length) if length > LONG else reduction(length)
    mirrored = plain[::-1, ::-1]
    sides = {False: [plain], True: [mirrored], None: [plain, mirrored]}[back]
    blocks, parts = [], []
    for first in range(0, SIDE, TOGETHER):
        block = np.concatenate([side[first : first + TOGETHER] for side in sides])
        used = np.nonzero(block.any(axis=0))[0]
        stretch = slice(int(used[0]), int(used[-1]) + 1)
        blocks.append(block)
        parts.append((stretch, np.ascontiguousarray(block[:, stretch].T)))
    return Axis(np.concatenate(blocks), parts)


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
    small = shrink(pixels, exact=False)[0]
    return bits_of(_DCT @ small @ _DCT.T), quality_of(small)


def bits_of(terms: npt.NDArray[np.floating[Any]]) -> Hash:
    """Return one bit for each of the lowest terms, [16, 16]: whether it is above their median."""
    flat = terms.ravel()
    return np.packbits((flat > np.partition(flat, MEDIAN)[MEDIAN])[::-1])


def hash_dihedral(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], int]:
    """Return the hashes, uint8[8, 32], of an image rotated and mirrored, and its quality.

    The order is that of the reference package: unchanged, rotated left by 90, 180 and 270 degrees,
    flipped vertically, flipped horizontally, and mirrored along each diagonal. Like the reference,
    this turns the reduced image: `hash_turns` is nearer to the hashes of the turned image.
    """
    return hash_turns(shrink(pixels, exact=False))


def hash_turns(smalls: Smalls) -> tuple[npt.NDArray[np.uint8], int]:
    """Return the hashes, uint8[8, 32], of a reduced image and its turns, and its quality.

    The order is that of `hash_dihedral`.
    """
    plain, upside, sideways, both = _DCT @ smalls @ _DCT.T
    every = (plain, sideways.T, both, upside.T, upside, sideways, plain.T, both.T)
    flat = np.stack(every).reshape(8, -1)
    medians = np.partition(flat, MEDIAN, axis=1)[:, MEDIAN, None]
    return np.packbits((flat > medians)[:, ::-1], axis=1), quality_of(smalls[0])


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


def shrink(
    pixels: npt.NDArray[np.uint8] | Luma | Lumas,
    *,
    turn: Turn | None = None,
    exact: bool | None = None,
) -> Smalls:
    """Return the luma of an image, filtered and reduced to 64 x 64.

    The image is uint8[H, W, 3] in RGB, or float32[H, W] if it is the luma already, of which only
    some rows are asked for at a time.

    The result is float64[4, 64, 64], of the image as `turn` turns it, of which no copy is made:
    unchanged, and with its rows, its columns and both in reverse. `exact`: whether the three are
    reduced from the image, or, a few bits off, from the first; by default so only of large images.
    """
    height, width = pixels.shape[:2]
    lens = _Lens((width, height), turn, exact)
    small = np.zeros(lens.shape)
    for band in lens.bands:
        values = pixels[band].astype(np.float32, copy=False)
        small += lens.look(values if values.ndim == 2 else values @ LUMA, band)
    return lens.smalls(small)


def shrink_layers(pixels: npt.NDArray[np.uint8], *, turn: Turn | None = None) -> Layers:
    """Return three layers of an image, uint8[H, W, 4] in RGBA, each reduced as in `shrink`.

    They are the luma without alpha, the luma over black, and the opacity, 0 to 1. Over grey of
    level G the luma is the second layer plus G times what the third lacks of 1.
    """
    lens = _Lens(pixels.shape[1::-1], turn)
    bare, black, opacity = (np.zeros(lens.shape) for _ in range(3))
    for band in lens.bands:
        values = pixels[band].astype(np.float32)
        luma, alpha = values @ LUMA_ALPHA[0], values @ LUMA_ALPHA[1]
        seen = lens.look(luma, band)
        bare += seen
        if alpha.min() > OPAQUE:
            black += seen
            opacity += lens.weight(band)
            continue
        black += lens.look(luma * alpha, band)
        opacity += lens.look(alpha, band)
    return lens.smalls(bare), lens.smalls(black), lens.smalls(opacity)


def shrink_patch(
    pixels: npt.NDArray[np.uint8], at: tuple[int, int], size: tuple[int, int]
) -> Layers:
    """Return what a patch, uint8[h, w, 4] in RGBA, adds to the layers of an image.

    `at`: the left and top of the patch. `size`: the width and height of the image.
    """
    lens = _Lens(size, None)
    values = pixels.astype(np.float32)
    luma, alpha = values @ LUMA_ALPHA[0], values @ LUMA_ALPHA[1]
    seen = [lens.smalls(lens.look_at(layer, at)) for layer in (luma, luma * alpha, alpha)]
    return seen[0], seen[1], seen[2]


class _Lens:
    """Reduces parts of an image to what they add to the 64 x 64."""

    def __init__(self, size: tuple[int, int], turn: Turn | None, exact: bool | None = None) -> None:
        width, height = size
        self._turn = turn or Turn()
        self._exact = max(size) <= EXACT if exact is None else exact
        self._down = _axis(height, None if self._exact else self._turn.rows_back)
        self._across = _axis(width, None if self._exact else self._turn.columns_back)
        self.shape = len(self._down.matrix), len(self._across.matrix)
        rows = min(BAND, max(TOGETHER, BAND_PIXELS // width))
        self.bands = [slice(top, top + rows) for top in range(0, height, rows)]

    def look(self, values: Luma, band: slice) -> Luma:
        """Return what a band of rows adds."""
        rows, at = np.empty((len(values), self.shape[1]), dtype=np.float32), 0
        for stretch, part in self._across.parts:
            rows[:, at : at + part.shape[1]] = values[:, stretch] @ part
            at += part.shape[1]
        seen: Luma = self._down.matrix[:, band] @ rows
        return seen

    def look_at(self, values: npt.NDArray[np.float32], at: tuple[int, int]) -> Floats:
        """Return what a patch adds of which this is the left and top."""
        (left, top), (height, width) = at, values.shape
        down = self._down.matrix[:, top : top + height]
        across = self._across.matrix[:, left : left + width]
        return (down @ values @ across.T).astype(np.float64)

    def weight(self, band: slice) -> Floats:
        """Return what a band of ones adds."""
        weight: Floats = self._down.matrix[:, band].sum(axis=1, dtype=np.float64)[:, None]
        return weight

    def smalls(self, small: Floats) -> Smalls:
        """Return the four of `shrink`."""
        rows_back, columns_back, transposed = self._turn
        sides = 2 if self._exact else 1
        blocks = small.reshape(-1, sides, TOGETHER, SIDE // TOGETHER, sides, TOGETHER)
        shown = np.empty((4, SIDE, SIDE))
        for number in range(4):
            back, aside = number % 2, number // 2
            if transposed:
                back, aside = aside, back
            back, aside = back ^ rows_back, aside ^ columns_back
            part = blocks[:, back * (sides - 1), :, :, aside * (sides - 1)].reshape(SIDE, SIDE)
            part = part[:: -1 if back else 1, :: -1 if aside else 1]
            shown[number] = part.T if transposed else part
        return shown


def quality_of(small: Floats) -> int:
    """Return the quality, 0 to 100, of an image that was reduced to 64 x 64."""
    gradients = sum(
        int(np.abs(np.trunc(np.diff(small, axis=axis) * 100 / 255)).sum()) for axis in (0, 1)
    )
    return min(100, gradients // QUALITY_DIVISOR)
