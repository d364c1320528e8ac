"""Every picture that a viewer shows of a file, of each format in its own way."""

import io
import struct
from collections.abc import Iterator
from functools import partial
from typing import Any, Final, cast

import av
import numpy as np
import pillow_heif
from PIL import Image, UnidentifiedImageError

from kinward.media.errors import TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.orientation import TAG, TURNS, Turn
from kinward.media.stills import boxes, gif, png, webp
from kinward.media.stills.animation import Animation, Disposal, Frame, play
from kinward.media.stills.colour import as_shown, coded_profile, to_eight
from kinward.media.stills.reading import MAX_STRANDS, Picture, Pixels, Reading, load

Image.init()
pillow_heif.register_heif_opener()
# `Reading.admit` checks sizes before anything is decoded: Pillow's own limit must not interfere.
Image.MAX_IMAGE_PIXELS = None
STRIP: Final = 8  # parts of a height
END: Final = b"\xff\xd9"  # of a JPEG
ISO_BRANDS: Final = ((b"avif", "AVIF"), (b"heic", "HEIF"))
SEQUENCES: Final = {b"avis": b"avif", b"avif": b"avis"}  # the same file, read the other way


def pictures_of(data: bytes, media_type: str, reading: Reading) -> Iterator[Picture]:
    """Yield the pictures of a file of this type. The first is what a browser shows.

    Raises `TypeUnsupported`, `Undecodable` and `TooManyPixels`, whatever the decoders raise.
    """
    read = READERS[media_type]
    try:
        yield from read(data, reading)
    except (MemoryError, Undecodable, TooManyPixels):
        raise
    except UnidentifiedImageError as error:
        raise TypeUnsupported from error
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise Undecodable(f"{type(error).__name__} while decoding.") from error


def _open(data: bytes, formats: tuple[str, ...], reading: Reading) -> Image.Image:
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


def _page(
    image: Image.Image,
    strand: int,
    data: bytes,
    reading: Reading,
    *,
    profile: bytes = b"",
    turns: bool = True,
) -> Picture:
    """Decode one page. Notes it if not all of it could be decoded."""
    turn = _turn(image) if turns else None
    whole = load(image)
    reading.entire &= whole
    profile = profile or image.info.get("icc_profile") or b""
    shown, stored = as_shown(image, profile, data)
    return Picture(strand, 0, shown, turn, stored)


def _pages(
    data: bytes, formats: tuple[str, ...], reading: Reading, first: int = 0
) -> Iterator[Picture]:
    """Yield each page of a file as a strand of its own."""
    image = _open(data, formats, reading)
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
            page = reading.try_to(partial(_seek_page, image, number, strand, data, reading))
        else:
            page = _page(image, strand, data, reading)
        if page is not None:
            reading.frames += 1
            yield page


def _seek_page(
    image: Image.Image, number: int, strand: int, data: bytes, reading: Reading
) -> Picture:
    image.seek(number)
    reading.admit(*image.size)
    return _page(image, strand, data, reading)


def _jpeg(data: bytes, reading: Reading) -> Iterator[Picture]:
    for page in _pages(data, ("JPEG",), reading):
        yield page
        if (
            not reading.entire
            and page.strand == 0
            and _has_content(cast("Image.Image", page.image))
        ):
            # Some viewers finish a broken picture: the missing blocks then are grey, not black.
            finish = partial(_first_page, data + END, ("JPEG",), reading)
            if (finished := reading.try_to(finish)) is not None:
                yield finished


def _has_content(image: Image.Image) -> bool:
    """Return whether a broken picture is more than a strip, or may be after it is finished."""
    box = image.getbbox()  # of what is not black; nothing is painted of a progressive one
    return box is None or (box[3] - box[1]) * STRIP > image.height


def _first_page(data: bytes, formats: tuple[str, ...], reading: Reading) -> Picture:
    return _page(_open(data, formats, reading), 0, data, reading)


def _png(data: bytes, reading: Reading, strand: int = 0) -> Iterator[Picture]:
    chunks = list(png.chunks_of(data))
    sound = all(chunk.sound for chunk in chunks if chunk.kind in png.KEPT)
    reading.entire &= sound
    if sound and not all(chunk.sound for chunk in chunks):
        data = png.repair(chunks)  # only a text or the like is broken, over which Pillow stumbles
    animation = png.animation_of(chunks) if png.is_animated(chunks) else None
    if animation is not None:
        yield from play(animation, strand, reading)
        if not animation.default_outside and animation.frames[0].covers(*animation[:2]):
            return
        strand, data = strand + 1, png.repair(chunks)
    reading.frames += 1
    profile = png.colours_of(chunks, b"")
    files = [data] if sound else [png.cut(chunks), png.repair(chunks)]
    pages = []
    for file in files:
        page = reading.try_to(partial(_png_page, file, strand, profile, reading))
        if page is not None:
            pages.append(page)
    if not pages and animation is None:
        raise reading.fault or Undecodable("Nothing of it can be decoded.")
    yield from pages


def _png_page(data: bytes, strand: int, profile: bytes, reading: Reading) -> Picture:
    return _page(_open(data, ("PNG",), reading), strand, data, reading, profile=profile)


def _gif(data: bytes, reading: Reading) -> Iterator[Picture]:
    animation = gif.animation_of(data)
    if not animation.frames:
        raise Undecodable("It has no picture.")
    if len(animation.frames) == 1 and animation.frames[0].covers(*animation[:2]):
        image = _open(data, ("GIF",), reading)  # what Pillow can read whole needs no canvas
        if load(image):
            reading.frames, reading.entire = 1, animation.whole
            yield _page(image, 0, data, reading)
            return
    yield from play(animation, 0, reading)


def _webp(data: bytes, reading: Reading) -> Iterator[Picture]:
    animation, strand = webp.animation_of(data), 0
    if animation is not None:
        yield from play(animation, 0, reading)
        if not webp.has_still(data):
            return
        strand, data = 1, webp.repair(data)
    reading.frames += 1
    if webp.is_whole(data):
        page = reading.try_to(partial(_webp_page, data, strand, reading))
        if page is not None:
            yield page
            return
    reading.entire = False
    data = webp.repair(data)
    page = reading.try_to(partial(_webp_page, data, strand, reading))
    yield page or Picture(strand, 0, Image.fromarray(webp.read_broken(data)))


def _webp_page(data: bytes, strand: int, reading: Reading) -> Picture:
    return _page(_open(data, ("WEBP",), reading), strand, data, reading, turns=False)


def _iso(data: bytes, reading: Reading) -> Iterator[Picture]:
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


def _other_files(data: bytes) -> Iterator[bytes]:
    if boxes.find(data, b"moov") and boxes.find(data, b"meta"):
        yield boxes.with_brand(data, SEQUENCES.get(data[8:12], b"avis"))
    yield from boxes.other_primaries(data)[:MAX_STRANDS]


def _iso_pages(data: bytes, reading: Reading, strand: int) -> Iterator[Picture]:
    image = _open(data, ("AVIF", "HEIF"), reading)
    count = int(getattr(image, "n_frames", 1))
    if image.format == "HEIF":
        yield from _pages(data, ("HEIF",), reading, strand)
        return
    if count > 1:
        yield from play(_sequence(image, count), strand, reading)
        return
    reading.frames += 1
    page = _page(image, strand, data, reading, profile=coded_profile(*boxes.colours_of(data)))
    yield page
    crop, image = boxes.crop_of(data), cast("Image.Image", page.image)
    if crop is not None:
        left = (image.width - crop[0]) / 2 + crop[2]
        top = (image.height - crop[1]) / 2 + crop[3]
        ends = min(image.width, left + crop[0]), min(image.height, top + crop[1])
        box = [round(place) for place in (max(0, left), max(0, top), *ends)]
        if box[0] < box[2] and box[1] < box[3]:
            yield page._replace(image=image.crop((box[0], box[1], box[2], box[3])), stored=None)


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
        page = reading.try_to(partial(_first_page, file, (format,), reading))
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


def _icon(data: bytes, reading: Reading) -> Iterator[Picture]:
    """Yield the pictures of an icon or a cursor, the largest first."""
    count = int.from_bytes(data[4:6], "little")
    entries = []
    for number in range(min(count, MAX_STRANDS)):
        if len(entry := data[6 + 16 * number : 22 + 16 * number]) == 16:
            length, at = struct.unpack_from("<II", entry, 8)
            sides = [entry[0] or 256, entry[1] or 256]
            depth = int.from_bytes(entry[6:8], "little")
            entries.append((sides[0] * sides[1], depth, entry, data[at : at + length]))
    reading.entire &= count <= MAX_STRANDS
    if not entries:
        raise Undecodable("It has no picture.")
    shown, strand = 0, 0
    for _, _, entry, body in sorted(entries, key=lambda entry: entry[:2], reverse=True):
        if reading.overdue():
            reading.entire = False
            break
        try:
            if body.startswith(png.SIGNATURE):
                pages = list(_png(body, reading, strand))
            else:
                pages = [_bitmap(entry, body, strand, reading)]
        except Exception as fault:
            reading.entire, reading.fault = False, reading.fault or fault
            continue
        yield from pages
        shown, strand = shown + 1, max((page.strand for page in pages), default=strand) + 1
    if not shown:
        raise reading.fault or Undecodable("It has no picture.")


def _bitmap(entry: bytes, body: bytes, strand: int, reading: Reading) -> Picture:
    width, height = struct.unpack_from("<ii", body, 4)
    reading.admit(abs(width), abs(height) // 2)
    reading.frames += 1
    file = b"\0\0\1\0\1\0" + entry[:8] + struct.pack("<II", len(body), 22) + body
    return _page(_open(file, ("ICO",), reading), strand, file, reading)


READERS: Final[dict[str, Any]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/gif": _gif,
    "image/webp": _webp,
    "image/avif": _iso,
    "image/heic": _iso,
    "image/bmp": lambda data, reading: _pages(data, ("BMP",), reading),
    "image/tiff": lambda data, reading: _pages(data, ("TIFF",), reading),
    "image/jp2": lambda data, reading: _pages(data, ("JPEG2000",), reading),
    "image/x-icon": _icon,
}
