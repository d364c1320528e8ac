"""Animations: frames that are painted one over the other, and what is on the canvas at each time.

All frames are painted in their order for half of the time. If that does not suffice, frames of the
rest are composed one by one, those first that are shown longest, and every second one by chance, so
that a file cannot choose what is skipped.
"""

import enum
import random
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from kinward.media.pdq import SIDE, Layers, shrink_layers, shrink_patch
from kinward.media.stills.colour import as_shown
from kinward.media.stills.reading import Picture, Pixels, Reading

SHORTEST: Final = 0.011  # seconds: a browser shows a frame of less for the usual time
USUAL: Final = 0.1
IN_ORDER: Final = 0.5  # of the time
PART: Final = 1 / 3  # of the canvas: what changes less is reduced by itself
BAND: Final = 256  # rows blended together


class Disposal(enum.Enum):
    """What becomes of a frame's place before the next one is painted."""

    KEEP = enum.auto()
    CLEAR = enum.auto()
    RESTORE = enum.auto()


class Frame(NamedTuple):
    """A frame: its place on the canvas, its time, and how it is read.

    `blends`: over what is there; otherwise it replaces that. `read` returns uint8[H, W, 4] in RGBA
    and whether the frame is whole, and raises anything if it cannot be read.
    """

    left: int
    top: int
    width: int
    height: int
    seconds: float
    disposal: Disposal
    blends: bool
    read: Callable[[], tuple[Pixels, bool]]

    @property
    def shown_seconds(self) -> float:
        return self.seconds if self.seconds >= SHORTEST else USUAL

    def covers(self, width: int, height: int) -> bool:
        """Return whether a frame is as large as a canvas."""
        return (self.left, self.top, self.width, self.height) == (0, 0, width, height)


class Animation(NamedTuple):
    """An animation. `default_outside`: a picture that is not one of its frames stands before it.

    `profiles`, `salt`: the profiles and the data of `as_shown`, for each frame.
    """

    width: int
    height: int
    frames: list[Frame]
    default_outside: bool = False
    whole: bool = True  # whether the file could be parsed to its end
    profiles: tuple[bytes, ...] = ()
    salt: bytes = b""


def play(animation: Animation, strand: int, reading: Reading) -> Iterator[Picture]:
    """Yield what is on the canvas at each frame, of which `moment` is the number."""
    reading.admit(animation.width, animation.height)
    reading.entire &= animation.whole
    reading.frames += len(animation.frames)
    frames = animation.frames
    if reading.only is not None and reading.only[0] == strand:
        moment = reading.only[1]
        if moment < len(frames) and (pixels := _compose(animation, moment, reading)) is not None:
            yield _shown(animation, strand, moment, pixels, reading)
        return
    done = 0
    canvas = Canvas(animation.width, animation.height)
    for moment, frame in enumerate(frames):
        if reading.overdue(IN_ORDER):
            break
        if (patch := _patch(frame, reading)) is not None:
            canvas.paint(frame, patch)
            yield _shown(animation, strand, moment, canvas.pixels, reading, canvas.layers())
            canvas.dispose(frame)
        done = moment + 1
    del canvas
    for moment in _by_weight(frames, done):
        if reading.overdue():
            reading.entire = False
            return
        if (pixels := _compose(animation, moment, reading)) is not None:
            yield _shown(animation, strand, moment, pixels, reading)


def _shown(
    animation: Animation,
    strand: int,
    moment: int,
    pixels: Pixels,
    reading: Reading,
    layers: Layers | None = None,
) -> Picture:
    seconds = animation.frames[moment].shown_seconds
    picture = Picture(strand, moment, None, canvas=pixels, layers=layers, seconds=seconds)
    if not animation.profiles:
        return picture
    shown = as_shown(Image.fromarray(pixels), animation.profiles, animation.salt)
    reading.unread |= shown.unread
    if not shown.others:
        return picture
    return picture._replace(image=shown.image, canvas=None, layers=None, others=shown.others)


def _by_weight(frames: list[Frame], first: int) -> list[int]:
    """Return the numbers of the frames from `first`: in turn the longest shown and any other."""
    rest = list(range(first, len(frames)))
    random.shuffle(rest)
    longest = sorted(rest, key=lambda number: -frames[number].shown_seconds)
    mixed = (number for pair in zip(longest, rest, strict=True) for number in pair)
    return list(dict.fromkeys(mixed))


def _patch(frame: Frame, reading: Reading) -> Pixels | None:
    """Return the pixels of a frame, or None if it cannot be read."""
    if frame.width * frame.height > reading.max_pixels:
        reading.entire = False
        return None
    read = reading.try_to(frame.read)
    if read is None:
        return None
    reading.entire &= read[1]
    pixels: Pixels = read[0]
    return pixels


class Canvas:
    """A canvas, uint8[H, W, 4] in RGBA, and its three layers, of which only changes are reduced."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels: Pixels = np.zeros((height, width, 4), dtype=np.uint8)
        self._layers: npt.NDArray[np.float64] = np.zeros((3, 4, SIDE, SIDE))
        self._stale = False
        self._before: Pixels | None = None

    def paint(self, frame: Frame, patch: Pixels) -> None:
        """Paint a frame in its place; what lies outside the canvas is cut off."""
        place = self._place(frame)
        if place is None:
            return
        if frame.disposal is Disposal.RESTORE:
            self._before = self.pixels[place].copy()
        rows, columns = place
        patch = patch[: rows.stop - rows.start, : columns.stop - columns.start]
        place = (
            slice(rows.start, rows.start + patch.shape[0]),
            slice(columns.start, columns.start + patch.shape[1]),
        )
        self._change(place, lambda target: blend(target, patch, over=frame.blends))

    def dispose(self, frame: Frame) -> None:
        """Leave the canvas as the next frame finds it."""
        place, before = self._place(frame), self._before
        self._before = None
        if place is None or frame.disposal is Disposal.KEEP:
            return
        if frame.disposal is Disposal.CLEAR or before is None:
            self._change(place, lambda target: target.fill(0))
        else:
            self._change(place, lambda target: np.copyto(target, before))

    def layers(self) -> Layers:
        """Return the layers, as `shrink_layers` would."""
        if self._stale:
            self._layers = np.stack(shrink_layers(self.pixels))
            self._stale = False
        bare, black, opacity = self._layers.copy()
        return bare, black, opacity

    def _place(self, frame: Frame) -> tuple[slice, slice] | None:
        height, width = self.pixels.shape[:2]
        bottom, right = min(frame.top + frame.height, height), min(frame.left + frame.width, width)
        if frame.top >= bottom or frame.left >= right:
            return None
        return slice(frame.top, bottom), slice(frame.left, right)

    def _change(self, place: tuple[slice, slice], change: Callable[[Pixels], None]) -> None:
        target = self.pixels[place]
        if self._stale or target.size > PART * self.pixels.size:
            change(target)
            self._stale = True
            return
        self._layers -= self._reduced(place)
        change(target)
        self._layers += self._reduced(place)

    def _reduced(self, place: tuple[slice, slice]) -> npt.NDArray[np.float64]:
        at, size = (place[1].start, place[0].start), self.pixels.shape[1::-1]
        return np.stack(shrink_patch(self.pixels[place], at, size))


def blend(target: Pixels, patch: Pixels, *, over: bool) -> None:
    """Paint a patch on its place, both uint8[h, w, 4] in RGBA, with straight alpha."""
    alpha = patch[..., 3]
    if not over or (opaque := alpha == 255).all():
        target[...] = patch
        return
    if (opaque | (alpha == 0)).all():
        np.copyto(target, patch, where=opaque[..., None])
        return
    for top in range(0, len(patch), BAND):
        band = slice(top, top + BAND)
        target[band] = _mix(target[band], patch[band])


def _mix(below: Pixels, above: Pixels) -> Pixels:
    high, low = above.astype(np.float32), below.astype(np.float32)
    share = high[..., 3:] / 255
    rest = low[..., 3:] / 255 * (1 - share)
    alpha = share + rest
    mixed = (high[..., :3] * share + low[..., :3] * rest) / np.maximum(alpha, 1e-6)
    return np.concatenate([mixed, alpha * 255], axis=-1).round().astype(np.uint8)


def _compose(animation: Animation, moment: int, reading: Reading) -> Pixels | None:
    """Return the canvas at one moment, painted from the last frame back until it is covered."""
    shape = animation.height, animation.width
    light: Pixels = np.zeros((*shape, 4), dtype=np.uint8)
    open_: Pixels = np.full(shape, 255, dtype=np.uint8)  # how much of what is below still shows
    for number in range(moment, -1, -1):
        frame, earlier = animation.frames[number], number < moment
        if earlier and frame.disposal is Disposal.RESTORE:
            continue
        if earlier and reading.overdue():
            reading.entire = False
            break
        rows = slice(frame.top, min(frame.top + frame.height, shape[0]))
        columns = slice(frame.left, min(frame.left + frame.width, shape[1]))
        below = open_[rows, columns]
        if not below.any():
            continue
        if earlier and frame.disposal is Disposal.CLEAR:
            below.fill(0)
        elif (patch := _patch(frame, reading)) is not None:
            _paint_below(light[rows, columns], below, patch, over=frame.blends)
        elif not earlier:
            return None
        if below.size * 4 > open_.size and not open_.any():
            break
    for top in range(0, shape[0], BAND):
        band = light[top : top + BAND]
        alpha = np.maximum(band[..., 3:], 1).astype(np.float32)
        band[..., :3] = (band[..., :3] * (255 / alpha)).round().clip(0, 255)
    return light


def _paint_below(light: Pixels, below: Pixels, patch: Pixels, *, over: bool) -> None:
    """Add a patch under what is painted. `light` is premultiplied; `below` is what still shows."""
    height, width = min(len(below), len(patch)), min(below.shape[1], patch.shape[1])
    for top in range(0, height, BAND):
        band = slice(top, min(top + BAND, height)), slice(0, width)
        alpha = patch[band][..., 3].astype(np.float32) / 255
        share = below[band] * alpha
        colours = patch[band][..., :3] * (share / 255)[..., None]
        light[band][..., :3] += colours.round().astype(np.uint8)
        light[band][..., 3] += share.round().astype(np.uint8)
        below[band] = (below[band] - share).round().astype(np.uint8) if over else 0
