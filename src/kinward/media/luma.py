"""PDQ hashes of video frames, from their planes as they were decoded.

What turns a frame into 64 x 64 samples of luma is linear, so it is done to each plane before the
colours are put together. Blocks of pixels are added up first, eight bytes at a time. Neither an RGB
picture nor a turned copy of a frame is needed, so every frame of a film can be looked at.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from kinward.media.orientation import UPRIGHT, Turn
from kinward.media.pdq import LONG, SIDE, TERMS, Floats, Hash, bits_of, quality_of, reduction

Plane = npt.NDArray[np.uint8]  # uint8[height, width]

GRID: Final = 32  # blocks a side of a glance
FLAT: Final = 0.7  # grey levels: a glance with less contrast shows nothing
LANES: Final = np.uint64(0x00FF00FF00FF00FF)
BYTE: Final = np.uint64(8)
MANY_ROWS: Final = 256  # bytes that can be added up in 16 bits
BAND: Final = 32  # rows of sums
LARGE: Final = 400_000  # pixels
PLANAR: Final = frozenset(
    f"yuv{kind}p" for kind in ("420", "j420", "422", "j422", "444", "j444", "440", "j440", "411")
) | frozenset(("yuv410p", "yuva420p", "yuva422p", "yuva444p"))
WIDEST: Final = 8.0  # what a file may claim of the shape of its pixels
HD: Final = 720  # rows as shown: from here on, players take BT.709 for films that do not say
# What PDQ's luma, which is BT.601's, takes of the chroma of other colour spaces: (blue, red).
CHROMA: Final = {
    1: (0.1016, 0.1961),  # BT.709
    7: (0.0759, 0.1914),  # SMPTE 240M
    8: (0.1740, 0.1850),  # YCgCo
    9: (0.1179, 0.1055),  # BT.2020
    10: (0.1179, 0.1055),
}
BT709: Final = 1
BT601: Final = 6
UNSAID: Final = (0, 2)
FULL_RANGE: Final = 2

_DICE: Final = random.SystemRandom()


@dataclass(frozen=True)
class Planes:
    """A frame of 8 bits a sample. `full`: whether luma uses all of them, and not 16 to 235.

    `weights`: what luma takes of blue and red chroma. `shape`: a pixel's width over its height.
    """

    luma: Plane
    blue: Plane | None = None
    red: Plane | None = None
    alpha: Plane | None = None
    full: bool = False
    weights: tuple[float, float] = (0.0, 0.0)
    shape: float = 1.0

    def part(self, top: int, bottom: int, left: int, right: int) -> "Planes":
        """Return a rectangle of the frame, in pixels of luma."""

        def cut(plane: Plane, down: int, across: int) -> Plane:
            rows = slice(top // down, -(-bottom // down))
            return plane[rows, left // across : -(-right // across)]

        return self._mapped(cut)

    def fields(self) -> list["Planes"]:
        """Return the two fields of an interlaced frame."""
        return [
            self._mapped(lambda plane, down, across: plane[::2]),
            self._mapped(lambda plane, down, across: plane[1::2]),
        ]

    def over(self, grey: int) -> "Planes":
        """Return the frame over a page of this grey, 0 to 255, without its chroma."""
        if self.alpha is None:
            return self
        page = grey if self.full else 16 + grey * 219 / 255
        share = self.alpha.astype(np.float32) / 255
        luma = self.luma * share + page * (1 - share)
        return Planes((luma + 0.5).astype(np.uint8), full=self.full, shape=self.shape)

    def _mapped(self, cut: Callable[[Plane, int, int], Plane]) -> "Planes":
        height, width = self.luma.shape

        def mapped(plane: Plane | None) -> Plane | None:
            if plane is None:
                return None
            return cut(plane, -(-height // plane.shape[0]), -(-width // plane.shape[1]))

        return replace(
            self,
            luma=cut(self.luma, 1, 1),
            blue=mapped(self.blue),
            red=mapped(self.red),
            alpha=mapped(self.alpha),
        )


def planes_of(frame: VideoFrame, pixel_shape: float = 1.0) -> Planes:
    """Return the planes of a frame, converted first if it has no plane of luma of 8 bits.

    `pixel_shape`: the width of a stored pixel over its height.
    """
    opaque = not any(component.is_alpha for component in frame.format.components)
    space = space_of(frame, pixel_shape)
    if frame.format.name not in PLANAR:
        frame, space = _planar(frame, opaque=opaque), BT601 if _is_rgb(frame) else space
    planes = [_plane(frame, number) for number in range(len(frame.planes))]
    return Planes(
        planes[0],
        planes[1],
        planes[2],
        alpha=None if opaque else planes[3],
        full=frame.color_range == FULL_RANGE or "j" in frame.format.name,
        weights=CHROMA.get(space, (0.0, 0.0)),
        shape=min(max(pixel_shape, 1 / WIDEST), WIDEST),
    )


def space_of(frame: VideoFrame, pixel_shape: float) -> int:
    """Return the colour space in which Chromium shows a frame.

    It believes a film that names its matrix, its primaries and its transfer, and guesses otherwise.
    """
    told = (frame.colorspace, frame.color_primaries, frame.color_trc)
    if not any(number in UNSAID for number in told):
        return frame.colorspace
    return BT709 if frame.height / min(pixel_shape or 1.0, 1.0) >= HD else BT601


def as_told(frame: VideoFrame, planes: Planes) -> Planes | None:
    """Return the planes with the matrix that the film names, if Chromium does not believe it."""
    weights = CHROMA.get(frame.colorspace, (0.0, 0.0))
    if frame.colorspace in UNSAID or _is_rgb(frame) or weights == planes.weights:
        return None
    return replace(planes, weights=weights)


def hash_planes(planes: Planes, turn: Turn = UPRIGHT) -> tuple[Hash, int]:
    """Return the PDQ hash, uint8[32], and quality, 0 to 100, of a frame as a viewer turns it."""
    small = _samples(planes.luma, turn, planes.shape) - (0 if planes.full else 16)
    small *= 1 if planes.full else 255 / 219
    for plane, weight in zip((planes.blue, planes.red), planes.weights, strict=True):
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
        pages = [glance_at(planes.over(grey)) for grey in (0, 255)]
        return np.concatenate([bits for bits, _ in pages]), max(page[1] for page in pages)
    blocks = _blocks(planes.luma)
    return _bits(blocks), float(blocks.std())


def _bits(samples: npt.NDArray[Any]) -> Hash:
    """Return PDQ's bits of an image that was reduced to a square: the lowest terms of its DCT."""
    waves = _waves(len(samples))
    return bits_of(waves @ samples @ waves.T)


def _planar(frame: VideoFrame, *, opaque: bool) -> VideoFrame:
    if _is_rgb(frame):
        name = "yuvj444p" if opaque else "yuva444p"
        return frame.reformat(
            format=name, dst_colorspace="ITU601", dst_color_range="JPEG", threads=1
        )
    return frame.reformat(format="yuv420p" if opaque else "yuva420p", threads=1)


def _is_rgb(frame: VideoFrame) -> bool:
    """Return whether a frame has no chroma."""
    kind = frame.format
    return kind.is_rgb or kind.has_palette or len(kind.components) < 3


def _plane(frame: VideoFrame, number: int) -> Plane:
    plane = frame.planes[number]
    step = abs(plane.line_size)
    rows: Plane = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, step)
    rows = rows[: plane.height, : plane.width]
    return rows if plane.line_size > 0 else rows[::-1]  # the last row may be stored first


def _samples(plane: Plane, turn: Turn, shape: float = 1.0) -> Floats:
    """Return a plane filtered and reduced to 64 x 64, as a viewer stretches and turns it."""
    down, across = (_block(length) for length in plane.shape)
    if across == 1:
        down, sums = 1, plane.astype(np.float32)
    else:
        sums = _sums(plane, down, across)
    rows = _weights(plane.shape[0], down, turn.rows_back, 1 / min(shape, 1.0))
    columns = _weights(plane.shape[1], across, turn.columns_back, max(shape, 1.0))
    small = (rows @ sums @ columns.T).astype(np.float64)
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
    chance = _DICE.getrandbits(2)
    words = _words(plane[chance & 1 :][: rows * GRID * 2 : 2]).reshape(GRID, rows, -1)
    sums = np.empty((GRID, words.shape[2]), dtype=np.uint64)
    step = GRID if plane.size < LARGE else GRID // 8
    for first in range(0, GRID, step):
        some = words[first : first + step]
        if chance & 2:
            some = some >> BYTE
        (some & LANES).sum(axis=1, out=sums[first : first + step])
    halves = sums.view(np.uint16)[:, : columns * GRID].reshape(GRID, GRID, columns)
    means: npt.NDArray[np.float32] = halves.sum(axis=2, dtype=np.float32)
    return means / np.float32(rows * columns)


@lru_cache(maxsize=2)
def _waves(side: int) -> npt.NDArray[Any]:
    frequency, sample = np.arange(1, TERMS + 1)[:, None], np.arange(side)[None]
    waves: npt.NDArray[np.float64] = np.cos(np.pi / (2 * side) * frequency * (2 * sample + 1))
    return waves.astype(np.float32 if side == GRID else np.float64)
