"""One page of a file after the other: opened, decoded, and with its colours as shown."""

import io
from collections.abc import Iterator, Sequence
from functools import partial

from PIL import Image

from kinward.media.orientation import TAG, TURNS, Turn
from kinward.media.stills.colour import as_shown
from kinward.media.stills.reading import MAX_STRANDS, Picture, Reading, load


def open_image(data: bytes, formats: tuple[str, ...], reading: Reading) -> Image.Image:
    """Open a file of one of these formats without decoding it. Raises `TooManyPixels`."""
    image = Image.open(io.BytesIO(data), formats=formats)
    reading.admit(*image.size)
    return image


def _turn(image: Image.Image) -> Turn | None:
    """Return how EXIF turns a picture. What XMP says is ignored, as in browsers."""
    block = image.info.get("exif")
    if not block:
        return None
    try:
        exif = Image.Exif()
        exif.load(block)
        return TURNS.get(exif.get(TAG, 1))
    except MemoryError:
        raise
    except Exception:
        return None


def page_of(
    image: Image.Image,
    strand: int,
    data: bytes,
    reading: Reading,
    *,
    profiles: Sequence[bytes] = (),
    turns: bool = True,
) -> Picture:
    """Decode one page. Notes it if not all of it could be decoded.

    `profiles`: those that may be its colours, the usual one first, beside what Pillow finds.
    """
    turn = _turn(image) if turns else None
    whole = load(image)
    reading.entire &= whole
    own = image.info.get("icc_profile")
    shown = as_shown(image, (*profiles, own) if own else profiles, data)
    reading.unread |= shown.unread
    return Picture(strand, 0, shown.image, turn, shown.others)


def own_first(image: Image.Image, profiles: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the profiles that may be an image's colours, first the one that Pillow finds."""
    own = image.info.get("icc_profile")
    return (own, *profiles) if own else tuple(profiles)


def pages_of(
    data: bytes,
    formats: tuple[str, ...],
    reading: Reading,
    first: int = 0,
    profiles: Sequence[bytes] = (),
    opened: Image.Image | None = None,
) -> Iterator[Picture]:
    """Yield each page of a file as a strand of its own. `opened`: the file, if it is open."""
    image = opened or open_image(data, formats, reading)
    primary = image.tell()
    count = int(getattr(image, "n_frames", 1))
    numbers = [primary, *(number for number in range(count) if number != primary)]
    if count > MAX_STRANDS:
        reading.entire = False
    for strand, number in enumerate(numbers[:MAX_STRANDS], first):
        if strand > first:
            if reading.overdue():
                reading.entire = False
                return
            page = reading.try_to(
                partial(_seek_page, image, number, strand, data, reading, profiles)
            )
        else:
            page = page_of(image, strand, data, reading, profiles=own_first(image, profiles))
        if page is not None:
            reading.frames += 1
            yield page


def _seek_page(
    image: Image.Image,
    number: int,
    strand: int,
    data: bytes,
    reading: Reading,
    profiles: Sequence[bytes],
) -> Picture:
    image.seek(number)
    reading.admit(*image.size)
    return page_of(image, strand, data, reading, profiles=own_first(image, profiles))
