"""AVIF and HEIC: what the brand says first, then the other pictures of the file."""

import hashlib
import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, cast

import av
import numpy as np
from PIL import Image

from kinward.media.errors import TooManyPixels, Undecodable
from kinward.media.stills import boxes
from kinward.media.stills.animation import Animation, Disposal, Frame, play
from kinward.media.stills.colour import to_eight, widen_alpha
from kinward.media.stills.page import open_image, own_first, page_of, pages_of
from kinward.media.stills.reading import MAX_STRANDS, Picture, Pixels, Reading, load

FORMATS: Final = ("AVIF", "HEIF")
MOST_THUMBNAILS: Final = 8
MOST_CROPS: Final = 8  # clean apertures of a file
ISO_BRANDS: Final = ((b"avif", "AVIF"), (b"heic", "HEIF"))
SEQUENCES: Final = {b"avis": b"avif", b"avif": b"avis"}  # the same file, read the other way


def read_heif(data: bytes, reading: Reading) -> Iterator[Picture]:
    """Yield the pictures of AVIF and HEIC: what its brand says first, then its others."""
    strand = -1
    for file in [data, *_other_files(data)]:
        if strand >= MAX_STRANDS or reading.overdue():
            reading.entire = False
            return
        last = strand
        try:
            for page in _iso_pages(file, reading, strand + 1):
                last = max(last, page.strand)
                yield page
        except MemoryError:
            raise
        except Exception:
            # Another reading that fails is no loss: what a browser shows was read.
            if file is data:
                yield from _broken_iso(data, reading)
                last = 0
        strand = last
    yield from _thumbnails(data, reading, strand + 1)


def _thumbnails(data: bytes, reading: Reading, strand: int) -> Iterator[Picture]:
    """Yield the thumbnails that a file names, which galleries show. A broken one is no loss."""
    files, frames = boxes.thumbnails(data), reading.frames
    reading.unread |= len(files) > MOST_THUMBNAILS
    for file in files[:MOST_THUMBNAILS]:
        if reading.overdue():
            reading.entire = False
            return
        page = _first(_iso_pages(file, reading, strand))
        reading.frames = frames
        if page is not None:
            yield page._replace(aside=True)
            strand += 1


def _first(pages: Iterator[Picture]) -> Picture | None:
    try:
        return next(pages, None)
    except MemoryError:
        raise
    except Exception:  # a decoder may raise anything on hostile bytes
        return None


def _other_files(data: bytes) -> Iterator[bytes]:
    if boxes.find(data, b"moov") and boxes.find(data, b"meta"):
        yield boxes.with_brand(data, SEQUENCES.get(data[8:12], b"avis"))
    yield from boxes.other_primaries(data)[:MAX_STRANDS]
    if (straight := boxes.as_straight(data)) is not None:
        yield straight  # on black, Chromium shows the colours as they are stored


def _open(data: bytes, reading: Reading) -> Image.Image:
    """Open a picture without decoding it, also one of which Pillow refuses the EXIF."""
    try:
        return open_image(data, FORMATS, reading)
    except (MemoryError, TooManyPixels):
        raise
    except Exception:
        return open_image(boxes.without_exif(data), FORMATS, reading)


def _iso_pages(data: bytes, reading: Reading, strand: int) -> Iterator[Picture]:
    image = _open(data, reading)
    count = int(getattr(image, "n_frames", 1))
    if image.format == "HEIF":
        own = boxes.profiles_of(data)
        yield from pages_of(data, ("HEIF",), reading, strand, own, opened=image)
        return
    if count > 1:
        salt = hashlib.blake2b(data, digest_size=16).digest()
        profiles = own_first(image, boxes.profiles_of(data))
        sequence = _sequence(image, count)._replace(profiles=profiles, salt=salt)
        yield from play(sequence, strand, reading)
        return
    reading.frames += 1
    page = _iso_page(image, strand, data, reading)
    yield page
    crops = boxes.crops_of(data)
    reading.entire &= len(crops) <= MOST_CROPS
    for crop in crops[:MOST_CROPS]:
        yield from _cropped(page, crop)


def _cropped(page: Picture, crop: tuple[float, ...]) -> Iterator[Picture]:
    """Yield a page within a clean aperture, if it lies in it."""
    image = cast("Image.Image", page.image)
    left = (image.width - crop[0]) / 2 + crop[2]
    top = (image.height - crop[1]) / 2 + crop[3]
    ends = min(image.width, left + crop[0]), min(image.height, top + crop[1])
    first, second, third, fourth = (round(place) for place in (max(0, left), max(0, top), *ends))
    if first < third and second < fourth:
        box = first, second, third, fourth
        others = tuple(partial(_crop, other, box) for other in page.others)
        yield page._replace(image=image.crop(box), others=others)


def _crop(make: Callable[[], Image.Image], box: tuple[int, int, int, int]) -> Image.Image:
    return make().crop(box)


def _iso_page(image: Image.Image, strand: int, data: bytes, reading: Reading) -> Picture:
    page = page_of(image, strand, data, reading, profiles=own_first(image, boxes.profiles_of(data)))
    shown = page.image
    if image.format != "AVIF" or shown is None or shown.mode != "RGBA":
        return page
    return page._replace(image=widen_alpha(shown), others=(lambda: shown, *page.others))


def _sequence(image: Image.Image, count: int) -> Animation:
    def read(number: int) -> tuple[Pixels, bool]:
        image.seek(number)
        whole = load(image)
        return np.asarray(to_eight(image).convert("RGBA")), whole

    frames = [
        Frame(0, 0, *image.size, 0.1, Disposal.KEEP, blends=False, read=partial(read, number))
        for number in range(count)
    ]
    return Animation(*image.size, frames)


def _broken_iso(data: bytes, reading: Reading) -> Iterator[Picture]:
    """Yield the first picture of a file that says it is of another kind, or is broken."""
    for brand, format in ISO_BRANDS:
        file = boxes.with_brand(data, brand)
        page = reading.try_to(partial(_first_iso_page, file, format, reading))
        if page is not None:
            yield page
            return
    reading.entire = False
    with av.open(io.BytesIO(data), "r", format="mov") as container:
        for frame in container.decode(container.streams.video[0]):
            reading.admit(frame.width, frame.height)
            yield Picture(0, 0, Image.fromarray(frame.to_ndarray(format="rgb24")))
            return
    raise Undecodable("It has no picture.")


def _first_iso_page(data: bytes, format: str, reading: Reading) -> Picture:
    return _iso_page(open_image(data, (format,), reading), 0, data, reading)
