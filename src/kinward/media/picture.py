"""Decoding of images: their PDQ hashes and stills. Runs in a decoder process."""

import io
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from PIL import Image

from kinward.ground.errors import KinwardError
from kinward.media.errors import TypeUnsupported, Undecodable
from kinward.media.formats import picture_type
from kinward.media.medium import FRAME, Bounds, Hashed, More, Strand
from kinward.media.pdq import MAX_PIXELS, Hash
from kinward.media.stills.pages import pictures_of
from kinward.media.stills.reading import Reading
from kinward.media.stills.views import Views

PREVIEW_SIDE: Final = 1280
PAGES: Final = ("white", "black")  # under what is transparent


def read_picture(
    data: bytes, max_pixels: int, *, seconds: float = 6.0, more: More = lambda views: True
) -> Hashed:
    """Decode and hash an image: every picture of it, in every way in which viewers show it.

    `more` receives new views a few at a time, and the rest is not read once it returns false.
    What was read within `seconds` counts. Raises only the three errors of `errors`.
    """
    media_type = type_of(data)
    reading, views = Reading(Bounds(max_pixels, seconds, seconds)), Views(more)
    size: tuple[int, int] | None = None
    try:
        for picture in pictures_of(data, media_type, reading):
            size = size or picture.size
            views.take(picture)
            if views.enough or views.full:
                reading.entire = False
                break
    except MemoryError:
        if not views.any:
            raise
        reading.entire = False
    if size is None or not (views.any or reading.entire):
        raise Undecodable("Too little of it can be decoded.")
    frames = max(1, reading.frames)
    return views.hashed(media_type, size, frames, reading.entire, unread=reading.unread)


def hash_bytes(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[Hash, int]:
    """Return the PDQ hash and quality of an image file as shown; of the first of several pictures.

    Decode strangers' files in a separate
    process (`Decoders`). Raises the errors of `read_picture`.
    """
    picture = read_picture(data, max_pixels)
    return np.frombuffer(picture.signature[:FRAME], dtype=np.uint8), picture.quality or 0


def hash_many(
    files: Iterable[bytes], *, workers: int | None = None, max_pixels: int = MAX_PIXELS
) -> Iterator[tuple[Hash, int] | KinwardError]:
    """Hash many files on all cores, and yield hash and quality, or the error, in order."""

    def hash_or_error(data: bytes) -> tuple[Hash, int] | KinwardError:
        try:
            return hash_bytes(data, max_pixels=max_pixels)
        except KinwardError as error:
            return error

    # Decoding and matrix products release the GIL, so threads are enough.
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        yield from pool.map(hash_or_error, files)


def pictures(
    data: bytes, bounds: Bounds, *, only: tuple[int, int] | None = None
) -> Iterator[tuple[int, int, Image.Image]]:
    """Yield each picture of an image as shown: its strand, its moment, and RGB pixels, upright.

    A moment comes more than once if viewers show it differently: a transparent picture over white,
    then over black, and one with a colour profile by that, then as stored. `only`: the strand and
    the moment that are wanted. Raises the errors of `read_picture`.
    """
    reading = Reading(bounds, only)
    for picture in pictures_of(data, type_of(data), reading):
        if only is not None and (picture.strand, picture.moment) != only:
            continue
        for image in picture.looks():
            for page in PAGES if image.mode == "RGBA" else PAGES[:1]:
                yield picture.strand, picture.moment, over_page(image, page)


def over_page(image: Image.Image, page: str) -> Image.Image:
    """Return an image in RGB or RGBA as it looks on a page of this colour, in RGB."""
    if image.mode == "RGB":
        return image.copy()
    under = Image.new("RGBA", image.size, page)
    under.alpha_composite(image)
    return under.convert("RGB")


def strands_of(data: bytes, bounds: Bounds) -> list[Strand]:
    """Return what there is to see in an image, as far as it can be read in time."""
    moments: dict[int, int] = {}
    reading = Reading(bounds)
    for picture in pictures_of(data, type_of(data), reading):
        moments[picture.strand] = max(moments.get(picture.strand, 0), picture.moment + 1)
    return [
        Strand(
            number,
            "animation" if count > 1 else "picture",
            count,
            moves=count > 1,
            entire=not reading.unread,
        )
        for number, count in sorted(moments.items())
    ]


def render_preview(data: bytes, max_pixels: int, *, veiled: bool) -> bytes:
    """Return a JPEG of the first picture of an image as shown, over white."""
    for _, _, image in pictures(data, Bounds(max_pixels, 0.0)):
        return render(image, veiled=veiled)
    raise Undecodable("It has no picture.")


def render_moment(data: bytes, bounds: Bounds, *, veiled: bool, strand: int, moment: int) -> bytes:
    """Return a JPEG of one moment; if viewers show it differently, of these side by side."""
    shown = [image for _, _, image in pictures(data, bounds, only=(strand, moment))]
    if not shown:
        raise Undecodable(f"It has no moment {moment} of strand {strand}.")
    for image in shown:
        image.thumbnail((PREVIEW_SIDE // len(shown), PREVIEW_SIDE))
    height = max(image.height for image in shown)
    sheet = Image.new("RGB", (sum(image.width for image in shown), height))
    left = 0
    for image in shown:
        sheet.paste(image, (left, 0))
        left += image.width
    return render(sheet, veiled=veiled)


def render(frame: Image.Image, *, veiled: bool) -> bytes:
    """Return a JPEG of at most 1,280 pixels a side; veiled: tiny, grey and blurred."""
    if veiled:
        frame.thumbnail((12, 12))
        frame = frame.convert("L").resize((240, 240 * frame.height // frame.width or 1))
    else:
        frame.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    out = io.BytesIO()
    frame.save(out, "JPEG", quality=85)
    return out.getvalue()


def type_of(data: bytes) -> str:
    """Return the media type of an image. Raises `TypeUnsupported`."""
    media_type = picture_type(data)
    if not media_type:
        raise TypeUnsupported
    return media_type
