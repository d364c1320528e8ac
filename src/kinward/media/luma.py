"""PDQ hashes of video frames, from their planes as they were decoded.

What turns a frame into 64 x 64 samples of luma is linear, so it is done to each plane before the
colours are put together. Blocks of pixels are added up first, eight bytes at a time. Neither an RGB
picture nor a turned copy of a frame is needed, so every frame of a film can be looked at.
"""

from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kinward.media.chroma import Plane, deviation, weights_of
from kinward.media.orientation import UPRIGHT, Turn
from kinward.media.pdq import (
    LONG,
    SIDE,
    TERMS,
    TOGETHER,
    Floats,
    Hash,
    bits_of,
    quality_of,
    reduction,
)
from kinward.media.planes import Planes

GRID: Final = 32  # blocks a side of a glance
FLAT: Final = 0.7  # grey levels: a glance with less contrast shows nothing
LANES: Final = np.uint64(0x00FF00FF00FF00FF)
BYTE: Final = np.uint64(8)
MANY_ROWS: Final = 256  # bytes that can be added up in 16 bits
BAND: Final = 32  # rows of sums
LARGE: Final = 400_000  # pixels

_DICE: Final = np.random.default_rng()


def hash_planes(planes: Planes, turn: Turn = UPRIGHT) -> tuple[Hash, int]:
    """Return the PDQ hash, uint8[32], and quality, 0 to 100, of a frame as a viewer turns it."""
    planes = planes.as_shown
    small = _samples(planes.luma, turn, planes.shape) - (0 if planes.full else 16)
    small *= 1 if planes.full else 255 / 219
    for plane, weight in zip((planes.blue, planes.red), weights_of(planes.space), strict=True):
        if plane is not None and weight:
            scale = weight * (1 if planes.full else 255 / 224)
            small += (_samples(plane, turn, planes.shape) - 128) * scale
    small = np.clip(small, 0, 255)
    return _bits(small), quality_of(small)


def glance_at(planes: Planes) -> tuple[Hash, float]:
    """Return a hash that changes where the PDQ hash does, uint8[32], and the frame's contrast.

    A quarter of the pixels is looked at: every second one of every second row. Chance decides
    which, so that a stranger cannot hide a picture from it. Of a frame with alpha it is two hashes,
    one for each page.
    """
    if planes.alpha is not None:
        pages = [glance_at(planes.as_shown.over(grey)) for grey in (0, 255)]
        return np.concatenate([bits for bits, _ in pages]), max(page[1] for page in pages)
    cut, coloured = planes.influence
    if cut:
        blocks = _samples(planes.glimpse().luma, UPRIGHT).astype(np.float32)
    else:
        blocks = _blocks(planes.luma)
        if coloured:
            blocks = blocks + _of_chroma(planes, len(blocks))
    # A small picture on a large canvas changes few blocks.
    return _bits(blocks), max(deviation(blocks.ravel()), float(blocks.max() - blocks.min()) / 4)


def _of_chroma(planes: Planes, side: int) -> npt.NDArray[np.float32]:
    """Return what weighted chroma adds to a glance of so many blocks a side."""
    added = np.zeros((side, side), dtype=np.float32)
    for plane, weight in zip((planes.blue, planes.red), weights_of(planes.space), strict=True):
        if plane is not None:
            blocks = _blocks(plane)
            within = len(blocks) // side
            added += np.float32(weight) * blocks.reshape(side, within, side, within).mean((1, 3))
    return added


def _bits(samples: npt.NDArray[Any]) -> Hash:
    """Return PDQ's bits of an image that was reduced to a square: the lowest terms of its DCT."""
    waves = _waves(len(samples))
    return bits_of(waves @ samples @ waves.T)


def _samples(plane: Plane, turn: Turn, shape: float = 1.0) -> Floats:
    """Return a plane filtered and reduced to 64 x 64, as a viewer stretches and turns it."""
    down, across = (_block(length) for length in plane.shape)
    if across == 1:
        down, sums = 1, plane.astype(np.float32)
    else:
        sums = _sums(plane, down, across)
    rows = _weights(plane.shape[0], down, turn.rows_back, 1 / min(shape, 1.0))
    columns = np.empty((len(sums), SIDE), dtype=np.float32)
    for samples, stretch, part in _parts(
        plane.shape[1], across, turn.columns_back, max(shape, 1.0)
    ):
        columns[:, samples] = sums[:, stretch] @ part
    small = (rows @ columns).astype(np.float64)
    return small.T if turn.transposed else small


def _block(length: int) -> int:
    """Return how many pixels are added up first: much less than PDQ's filter takes together."""
    return 1 if length < 6 * SIDE else 2 if length < 16 * SIDE else 4


@lru_cache(maxsize=32)
def _weights(
    length: int, block: int, flipped: bool, stretch: float = 1.0
) -> npt.NDArray[np.float32]:
    """Return the float32[64, blocks] matrix of `pdq.reduction`, for sums of blocks of pixels.

    `stretch`: by how much a viewer enlarges the side, as most of them do for pixels that are not
    square.
    """
    shown = round(length * stretch)
    matrix = reduction(length)
    if shown != length and shown <= LONG:
        matrix = reduction(shown) @ _stretching(length, shown)
    if flipped:
        matrix = matrix[:, ::-1]
    starts = np.arange(0, length, block)
    sizes = np.diff(np.append(starts, length))
    return np.ascontiguousarray(np.add.reduceat(matrix, starts, axis=1) / sizes, dtype=np.float32)


@lru_cache(maxsize=32)
def _parts(
    length: int, block: int, flipped: bool, stretch: float
) -> list[tuple[slice, slice, npt.NDArray[np.float32]]]:
    """Return the same matrix in parts, transposed: a quarter of the work.

    A few samples need only a stretch of a row. A part is the samples, the stretch and the matrix.
    """
    matrix, parts = _weights(length, block, flipped, stretch), []
    for first in range(0, SIDE, TOGETHER):
        samples = slice(first, first + TOGETHER)
        used = np.nonzero(matrix[samples].any(axis=0))[0]
        part = slice(int(used[0]), int(used[-1]) + 1)
        parts.append((samples, part, np.ascontiguousarray(matrix[samples, part].T)))
    return parts


def _stretching(length: int, shown: int) -> npt.NDArray[np.float32]:
    """Return the float32[shown, length] matrix that enlarges a side, interpolating."""
    places = ((np.arange(shown) + 0.5) * length / shown - 0.5).clip(0, length - 1)
    before = np.minimum(places.astype(np.int64), max(0, length - 2))
    matrix = np.zeros((shown, length), dtype=np.float32)
    matrix[np.arange(shown), before] = 1 - (places - before)
    matrix[np.arange(shown), np.minimum(before + 1, length - 1)] += places - before
    return matrix


def _sums(plane: Plane, down: int, across: int) -> npt.NDArray[np.float32]:
    """Return the sums of blocks of pixels, two or four wide. The last may be of fewer pixels."""
    pairs = _pairs(plane, down).astype(np.float32)
    sums = pairs[:, ::2] + pairs[:, 1::2] if across == 4 else pairs
    return sums[:, : -(-plane.shape[1] // across)]


def _pairs(plane: Plane, down: int) -> npt.NDArray[np.uint16]:
    """Return the sums of `down` rows of pairs of pixels, uint16[rows, pairs]."""
    words = _words(plane)
    height, width = words.shape
    sums = np.empty((-(-height // down), width), dtype=np.uint64)
    for first in range(0, height, BAND * down):  # so little at a time that it stays in the cache
        band = words[first : first + BAND * down]
        both = (band & LANES) + ((band >> BYTE) & LANES)
        whole, place = len(both) // down * down, first // down
        if whole:
            rows = both[:whole].reshape(-1, down, width)
            rows.sum(axis=1, out=sums[place : place + len(rows)])
        if whole < len(both):
            both[whole:].sum(axis=0, out=sums[-1])
    pairs: npt.NDArray[np.uint16] = sums.view(np.uint16)
    return pairs


def _words(plane: Plane) -> npt.NDArray[np.uint64]:
    """Return the rows of a plane as words of eight pixels, copied if they are not aligned."""
    height, width = plane.shape
    if width % 8 or plane.strides[1] != 1 or plane.strides[0] % 8 or plane.strides[0] < 0:
        wide = np.zeros((height, -(-width // 8) * 8), dtype=np.uint8)
        wide[:, :width] = plane
        plane = wide
    return plane.view(np.uint64)


def _blocks(plane: Plane) -> npt.NDArray[np.float32]:
    """Return the means of blocks of a plane, float32[32, 32], or of a small plane 64 x 64."""
    height, width = plane.shape
    rows, columns = height // (2 * GRID), width // (2 * GRID)
    if not rows or not columns or width < 8 * GRID or rows > MANY_ROWS:
        return _samples(plane, UPRIGHT).astype(np.float32)
    chance = int(_DICE.integers(4))
    words = _words(plane[chance & 1 :][: rows * GRID * 2 : 2]).reshape(GRID, rows, -1)
    sums = np.empty((GRID, words.shape[2]), dtype=np.uint64)
    step = GRID if plane.size < LARGE else GRID // 8
    for first in range(0, GRID, step):
        some = words[first : first + step]
        if chance & 2:
            some = some >> BYTE
        (some & LANES).sum(axis=1, out=sums[first : first + step])
    halves = sums.view(np.uint16)[:, : columns * GRID]
    # Half the time of a sum over an axis of so few columns.
    means: npt.NDArray[np.float32] = np.add.reduceat(
        halves, _starts(columns), axis=1, dtype=np.float32
    )
    return means / np.float32(rows * columns)


@lru_cache(maxsize=32)
def _starts(columns: int) -> npt.NDArray[np.int64]:
    return np.arange(GRID) * columns


@lru_cache(maxsize=2)
def _waves(side: int) -> npt.NDArray[Any]:
    frequency, sample = np.arange(1, TERMS + 1)[:, None], np.arange(side)[None]
    waves: npt.NDArray[np.float64] = np.cos(np.pi / (2 * side) * frequency * (2 * sample + 1))
    return waves.astype(np.float32 if side == GRID else np.float64)
