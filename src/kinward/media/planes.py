"""A frame of a film as planes of samples, and how its colours are to be read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

from kinward.media.boxes import UNSAID as UNSPECIFIED
from kinward.media.boxes import Colours
from kinward.media.chroma import (
    BT601,
    BT709,
    GBR,
    Plane,
    influence,
    matrix_of,
    ratio_of,
    shown_luma,
)

GLIMPSE: Final = 256  # rows, and columns, of a glance at a frame whose chroma matters
PLANAR: Final = frozenset(
    f"yuv{kind}p" for kind in ("420", "j420", "422", "j422", "444", "j444", "440", "j440", "411")
) | frozenset(("yuv410p", "yuva420p", "yuva422p", "yuva444p"))
RGB: Final = "gbrp"  # the pixel format of a film in RGB
WIDEST: Final = 8.0  # what a file may claim of the shape of its pixels
HD: Final = 720  # rows as shown: from here on, players take BT.709 for films that do not say
UNSAID: Final = (GBR, UNSPECIFIED)
LIMITED_RANGE, FULL_RANGE = 1, 2

_DICE: Final = np.random.default_rng()


@dataclass(frozen=True)
class Planes:
    """A frame of 8 bits a sample. `full`: whether luma uses all of them, and not 16 to 235.

    `space`: the number of its colour space. `shape`: a pixel's width over its height.
    """

    luma: Plane
    blue: Plane | None = None
    red: Plane | None = None
    alpha: Plane | None = None
    full: bool = False
    space: int = BT601
    shape: float = 1.0

    @cached_property
    def influence(self) -> tuple[bool, bool]:
        """Whether only a conversion to RGB gives the look, and whether chroma changes it at all."""
        if self.blue is None or self.red is None:
            return False, False
        return influence(self.luma, self.blue, self.red, self.space, full=self.full)

    @property
    def as_shown(self) -> "Planes":
        """The frame with luma that says what a viewer shows, if that takes a conversion."""
        return self._converted or self

    @cached_property
    def _converted(self) -> "Planes | None":
        # None and not the frame itself, which would keep its memory until the next collection.
        if self.blue is None or self.red is None or not self.influence[0]:
            return None
        luma = shown_luma(self.luma, self.blue, self.red, self.space, full=self.full)
        return Planes(luma, alpha=self.alpha, full=True, shape=self.shape)

    def glimpse(self) -> "Planes":
        """Return some rows and columns of the frame, as `as_shown` returns all of them."""
        if self.blue is None or self.red is None:
            return self
        rows, columns = (_some(length) for length in self.luma.shape)
        luma = self.luma[rows][:, columns]
        down, across = ratio_of(self.luma, self.blue)
        blue, red = (plane[rows // down][:, columns // across] for plane in (self.blue, self.red))
        return Planes(shown_luma(luma, blue, red, self.space, full=self.full), full=True)

    def part(self, top: int, bottom: int, left: int, right: int) -> "Planes":
        """Return a rectangle of the frame, in pixels of luma."""

        def cut(plane: Plane, down: int, across: int) -> Plane:
            rows = slice(top // down, -(-bottom // down))
            return plane[rows, left // across : -(-right // across)]

        return self.mapped(cut)

    def fields(self) -> list["Planes"]:
        """Return the two fields of an interlaced frame."""
        return [
            self.mapped(lambda plane, down, across: plane[::2]),
            self.mapped(lambda plane, down, across: plane[1::2]),
        ]

    def over(self, grey: int) -> "Planes":
        """Return the frame over a page of this grey, 0 to 255, without its chroma."""
        if self.alpha is None:
            return self
        page = grey if self.full else 16 + grey * 219 / 255
        share = self.alpha.astype(np.float32) / 255
        luma = self.luma * share + page * (1 - share)
        return Planes((luma + 0.5).astype(np.uint8), full=self.full, shape=self.shape)

    def mapped(self, cut: Callable[[Plane, int, int], Plane]) -> "Planes":
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
    space, name = space_of(frame, pixel_shape), frame.format.name
    opaque = not has_alpha(name)
    grey = has_no_chroma(name)  # after this, its luma says what is shown
    if name not in PLANAR:
        frame = _planar(frame, opaque=opaque)
    planes = [_samples(plane) for plane in frame.planes]
    blue, red = (None, None) if grey else planes[1:3]
    return Planes(
        planes[0],
        blue,
        red,
        alpha=None if opaque else planes[3],
        full=frame.color_range == FULL_RANGE or "j" in frame.format.name,
        space=space,
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


def as_told(frame: VideoFrame, planes: Planes, claimed: Sequence[Colours]) -> Iterator[Planes]:
    """Yield the planes with the matrices and ranges that somebody may believe, if they differ.

    Those are what the film names, if Chromium does not believe it, and what its container does.
    """
    if planes.blue is None or not (claimed or frame.colorspace not in (*UNSAID, planes.space)):
        return
    seen = {(matrix_of(planes.space), planes.full)}
    own = planes.space if frame.colorspace in UNSAID else frame.colorspace
    for colours in (Colours(own, planes.full), *claimed):
        spaces = (own, planes.space) if colours.space == UNSPECIFIED else (colours.space,)
        ranges = (planes.full,) if colours.full is None else (colours.full, planes.full)
        for space, full in product(spaces, ranges):
            look = matrix_of(space), full
            if look not in seen:
                seen.add(look)
                yield replace(planes, space=space, full=full)


def taken_for_luma(frame: VideoFrame, pixel_shape: float) -> Iterator[Planes]:
    """Yield a frame in RGB with green for luma and the others for chroma, as Chromium shows it.

    It does so unless the film says all about its colours. The range is read in both ways.
    """
    if is_misread(frame, pixel_shape):
        green, blue, red = (_plane(frame, number) for number in range(3))
        for full in (False, True):
            yield Planes(
                green, blue, red, full=full, space=space_of(frame, pixel_shape), shape=pixel_shape
            )


def is_misread(frame: VideoFrame, pixel_shape: float) -> bool:
    """Return whether Chromium takes the planes of a frame in RGB for luma and chroma."""
    return frame.format.name == RGB and space_of(frame, pixel_shape) != GBR


def misread(frame: VideoFrame) -> VideoFrame:
    """Return such a frame as Chromium reads it: without its times and side data."""
    planes = np.stack([_plane(frame, number) for number in range(3)])
    read = VideoFrame.from_ndarray(planes, format="yuv444p")
    read.color_range = LIMITED_RANGE
    return read


def _some(length: int) -> npt.NDArray[np.int64]:
    """Return places on a side, a few hundred, of which chance decides the first."""
    step = max(1, length // GLIMPSE)
    return np.arange(int(_DICE.integers(step)), length, step)


def _planar(frame: VideoFrame, *, opaque: bool) -> VideoFrame:
    if has_no_chroma(frame.format.name):
        name = "yuvj444p" if opaque else "yuva444p"
        return frame.reformat(
            format=name, dst_colorspace="ITU601", dst_color_range="JPEG", threads=1
        )
    return frame.reformat(format="yuv420p" if opaque else "yuva420p", threads=1)


@lru_cache(maxsize=64)
def has_alpha(name: str) -> bool:
    """Return whether frames of a pixel format may be transparent somewhere."""
    return any(component.is_alpha for component in VideoFormat(name).components)


@lru_cache(maxsize=64)
def has_no_chroma(name: str) -> bool:
    """Return whether frames of a pixel format have no chroma: they are grey, or in RGB."""
    kind = VideoFormat(name)
    return kind.is_rgb or kind.has_palette or len(kind.components) < 3


def _plane(frame: VideoFrame, number: int) -> Plane:
    return _samples(frame.planes[number])


def _samples(plane: VideoPlane) -> Plane:
    step = abs(plane.line_size)
    rows: Plane = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, step)
    rows = rows[: plane.height, : plane.width]
    return rows if plane.line_size > 0 else rows[::-1]  # the last row may be stored first
