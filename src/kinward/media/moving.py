"""The pictures of an animated image in the order of time, as a reviewer's player shows them."""

import io
from collections.abc import Iterator
from typing import Final

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from kinward.media.errors import TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.picture import READERS
from kinward.media.shown import PAGES, flat

UNSAID: Final = 0.1  # seconds: what browsers take for a frame of no or next to no duration
LEAST: Final = 0.011
SIDE: Final = 480  # pixels


def moving_pictures(data: bytes, max_pixels: int) -> Iterator[tuple[Image.Image, float]]:
    """Yield each picture in RGB, upright, and the seconds for which it is shown.

    An animation that is transparent somewhere is played over white, and once more over black.
    Raises the errors of `picture.read_picture`.
    """
    for page in PAGES[:2]:
        opaque = True
        for image, seconds in _frames(data, max_pixels):
            opaque = opaque and not _is_clear(image)
            shown = flat(image, page)
            shown.thumbnail((SIDE, SIDE))
            yield shown, seconds
        if opaque:
            return


def _frames(data: bytes, max_pixels: int) -> Iterator[tuple[Image.Image, float]]:
    try:
        with Image.open(io.BytesIO(data), formats=READERS) as source:
            if source.width * source.height > max_pixels:
                raise TooManyPixels(f"The limit is {max_pixels:,} pixels.")
            if int(getattr(source, "n_frames", 1)) < 2:
                raise TypeUnsupported("It does not move.")
            for frame in ImageSequence.Iterator(source):
                frame.load()
                milliseconds = frame.info.get("duration") or 0
                seconds = float(milliseconds) / 1000
                yield ImageOps.exif_transpose(frame), seconds if seconds > LEAST else UNSAID
    except UnidentifiedImageError as error:
        raise TypeUnsupported from error
    except (MemoryError, TooManyPixels, TypeUnsupported):
        raise
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise Undecodable(f"{type(error).__name__} while decoding.") from error


def _is_clear(image: Image.Image) -> bool:
    """Return whether a picture is transparent somewhere."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return False
    least, _ = image.convert("RGBA").getchannel("A").getextrema()
    return isinstance(least, int) and least < 255


def is_animated(data: bytes, max_pixels: int) -> bool:
    """Return whether an image has several pictures. Raises `Undecodable` or `TooManyPixels`."""
    try:
        next(_frames(data, max_pixels))
    except TypeUnsupported:
        return False
    return True
