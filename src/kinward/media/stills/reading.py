"""One reading of a file: its limits, how far it came, and the pictures that it gives."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from kinward.media.errors import TooManyPixels
from kinward.media.medium import Bounds
from kinward.media.orientation import Turn, turn_pixels
from kinward.media.pdq import Layers

Pixels = npt.NDArray[np.uint8]
MAX_STRANDS: Final = 64  # of a file
LONGEST: Final = 200_000  # pixels of a side


class Picture(NamedTuple):
    """A picture that a viewer shows.

    `image`: in L, RGB or RGBA, of 8 bits, colours as shown, and not yet turned. If it is None,
    `canvas` is the picture, uint8[H, W, 4] in RGBA, until the next picture is taken. `others`:
    make the image as other viewers show it, before the next picture is taken: by another colour
    profile or by none, with its alpha as stored.
    `layers`: as `shrink_layers` returns them, if they are known already. `seconds`: for which a
    frame is shown. `aside`: whether it stands for another picture of the file, as a thumbnail does.
    Then it is looked up, and in no signature.
    """

    strand: int
    moment: int
    image: Image.Image | None
    turn: Turn | None = None
    others: tuple[Callable[[], Image.Image], ...] = ()
    canvas: Pixels | None = None
    layers: Layers | None = None
    seconds: float = 0.0
    aside: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """The width and height as shown, in pixels."""
        width, height = self.image.size if self.image else cast("Pixels", self.canvas).shape[1::-1]
        return (height, width) if self.turn and self.turn.transposed else (width, height)

    def as_shown(self) -> Image.Image:
        """Return the picture turned as shown, in RGB, or in RGBA if it is transparent somewhere."""
        return self._upright(self.image)

    def looks(self) -> Iterator[Image.Image]:
        """Yield the picture as shown, then as other viewers show it, all as `as_shown` does."""
        yield self.as_shown()
        for other in self.others:
            yield self._upright(other())

    def _upright(self, image: Image.Image | None) -> Image.Image:
        if image is None:
            pixels = cast("Pixels", self.canvas)
        else:
            mode = "RGBA" if image.mode == "RGBA" else "RGB"
            pixels = np.asarray(image.convert(mode))
        if pixels.shape[2] == 4 and (pixels[..., 3] == 255).all():
            pixels = pixels[..., :3]
        return Image.fromarray(np.ascontiguousarray(turn_pixels(pixels, self.turn)))


class Reading:
    """The limits of one reading, and whether all was read.

    `only`: the strand and moment that are wanted. Then frames of other moments may be left out.
    """

    def __init__(self, bounds: Bounds, only: tuple[int, int] | None = None) -> None:
        self.only = only
        self.max_pixels = bounds.max_pixels
        self._began = time.monotonic()
        self._seconds = bounds.picture_seconds
        self.entire = True
        self.unread = False  # whether a viewer may show a picture in a way that is not known
        self.frames = 0
        self.fault: Exception | None = None  # the first

    def overdue(self, share: float = 1.0) -> bool:
        """Return whether this share of the time has passed."""
        return time.monotonic() - self._began > self._seconds * share

    def admit(self, width: int, height: int) -> None:
        """Raise `TooManyPixels` if a picture of this size is over the limit."""
        if width * height > self.max_pixels:
            limit = f"the limit is {self.max_pixels:,} pixels."
            raise TooManyPixels(f"It has {width} x {height}; {limit}")
        if max(width, height) > LONGEST:
            raise TooManyPixels(f"It has {width} x {height}; the limit of a side is {LONGEST:,}.")

    def try_to(self, read: Callable[[], Any]) -> Any:
        """Return what `read` returns. If it fails, note that not all was read; return None."""
        try:
            return read()
        except Exception as fault:  # a decoder may raise anything on hostile bytes
            self.entire, self.fault = False, self.fault or fault
            return None


def load(image: Image.Image) -> bool:
    """Decode an image in place. Returns whether all of it could be decoded.

    What could not be decoded is black or transparent. Raises what Pillow raises if nothing could.
    """
    try:
        image.load()
    except MemoryError:
        raise
    except Exception:
        if getattr(image, "_im", None) is None:
            raise
        image.tile = []  # type: ignore[attr-defined]
        return False
    return True
