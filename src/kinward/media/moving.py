"""The pictures of an image in the order of time, as a reviewer's player shows them."""

from collections.abc import Iterator
from typing import Final

from PIL import Image

from kinward.media.errors import TypeUnsupported, Undecodable
from kinward.media.medium import Bounds
from kinward.media.picture import over_page, type_of
from kinward.media.shown import PAGES
from kinward.media.stills.pages import pictures_of
from kinward.media.stills.reading import Picture, Reading

SIDE: Final = 480  # pixels
STAYS: Final = 2.0  # seconds, of a picture that is no frame of an animation


def moving_pictures(
    data: bytes, max_pixels: int, seconds: float, *, strand: int | None = None
) -> Iterator[tuple[Image.Image, float]]:
    """Yield each picture in RGB, as shown, and the seconds for which it is shown.

    `strand`: the only one that is shown. Pictures that are transparent somewhere are played over
    white, and once more over black. Raises the errors of `picture.read_picture`, and `Undecodable`
    if there is no time for the rest.
    """
    for page in PAGES[:2]:
        opaque, count = True, 0
        first: tuple[Image.Image, float] | None = None
        for picture in _in_order(data, max_pixels, seconds):
            if strand not in (None, picture.strand):
                continue
            shown, count = picture.as_shown(), count + 1
            opaque = opaque and shown.mode == "RGB"
            image = over_page(shown, page)
            image.thumbnail((SIDE, SIDE))
            frame = image, picture.seconds or STAYS
            if count == 1:
                first = frame
                continue
            if first is not None:
                yield first
                first = None
            yield frame
        if count < 2:
            raise TypeUnsupported("It does not move.")
        if opaque:
            return


def _in_order(data: bytes, max_pixels: int, seconds: float) -> Iterator[Picture]:
    last = (0, 0)
    # Frames are read in their order for half of the time of a reading.
    reading = Reading(Bounds(max_pixels, seconds, 2 * seconds))
    for picture in pictures_of(data, type_of(data), reading):
        if (picture.strand, picture.moment) < last:
            raise Undecodable("There is no time for all of it.")
        last = picture.strand, picture.moment
        yield picture
