"""Every picture that a viewer shows of a file, of each format in its own way."""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final, cast

import pillow_heif
from PIL import Image, UnidentifiedImageError

from kinward.media.errors import TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.stills import bmp, ffmpeg, gif, jpeg, masks, png, png_colours, runs, webp
from kinward.media.stills.animation import play
from kinward.media.stills.colour import to_eight
from kinward.media.stills.heif import read_heif
from kinward.media.stills.jxl import read_jxl
from kinward.media.stills.page import open_image, page_of, pages_of
from kinward.media.stills.reading import MAX_STRANDS, Picture, Pixels, Reading, load

Image.init()
pillow_heif.register_heif_opener()
# `Reading.admit` checks sizes before anything is decoded: Pillow's own limit must not interfere.
Image.MAX_IMAGE_PIXELS = None
MOST_BITS: Final = 1 << 32  # of the pixels of a bitmap that is cut
STRIP: Final = 8  # parts of a height
END: Final = b"\xff\xd9"  # of a JPEG


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


def _jpeg(data: bytes, reading: Reading) -> Iterator[Picture]:
    opened = _open_jpeg(data, reading)
    profiles = jpeg.profiles_of(data)
    for page in pages_of(data, ("JPEG",), reading, profiles=profiles, opened=opened):
        yield page
        if not reading.entire and page.strand == 0:
            yield from _finished(page, data, reading)


def _open_jpeg(data: bytes, reading: Reading) -> Image.Image:
    """Open a JPEG without decoding it, also one of which Pillow refuses a segment."""
    try:
        return open_image(data, ("JPEG",), reading)
    except (MemoryError, TooManyPixels):
        raise
    except Exception:
        image = open_image(jpeg.without_others(data), ("JPEG",), reading)
    if block := jpeg.exif_of(data):
        image.info["exif"] = block
    return image


def _finished(page: Picture, data: bytes, reading: Reading) -> Iterator[Picture]:
    """Yield what viewers show that finish a broken picture: missing blocks are grey, not black."""
    if not _has_content(cast("Image.Image", page.image)):
        return
    page = reading.try_to(lambda: _first_page(data + END, reading)) or page
    if cast("Image.Image", page.image).getbbox() is not None:
        yield page
        return
    # A scan of a progressive one is damaged, and others are not.
    read = partial(ffmpeg.decode, "mjpeg", data, reading.admit)
    if (pixels := reading.try_to(read)) is not None:
        yield page._replace(image=Image.fromarray(pixels).convert("RGB"), others=())


def _first_page(data: bytes, reading: Reading) -> Picture:
    return page_of(_open_jpeg(data, reading), 0, data, reading)


def _has_content(image: Image.Image) -> bool:
    """Return whether a broken picture is more than a strip, or may be after it is finished."""
    box = image.getbbox()  # of what is not black; nothing is painted of a progressive one
    return box is None or (box[3] - box[1]) * STRIP > image.height


def _png(data: bytes, reading: Reading, strand: int = 0) -> Iterator[Picture]:
    chunks, data = png.formed(data)
    sound = all(chunk.sound for chunk in chunks if chunk.kind in png.KEPT)
    reading.entire &= sound
    if sound and not all(chunk.sound for chunk in chunks):
        data = png.repair(chunks)  # only a text or the like is broken, over which Pillow stumbles
    chunks, colours = png.with_whole_palette(chunks)
    if colours < 256 and sound:
        data = png.repair(chunks)
    profiles = tuple(png_colours.profiles_of(chunks))
    if any(png_colours.is_long(profile) for profile in profiles):
        chunks = [chunk for chunk in chunks if chunk.kind != b"iCCP"]
        data = png.repair(chunks)
    first = png.as_first_read(chunks)
    readings = [chunks] if len(first) == len(chunks) else [first, chunks]
    animated, shown = False, False
    for used in readings if png.is_animated(chunks) else []:
        if (animation := png.animation_of(used)) is not None:
            salt = hashlib.blake2b(data, digest_size=16).digest()
            yield from play(animation._replace(profiles=profiles, salt=salt), strand, reading)
            strand, data, animated = strand + 1, png.repair(chunks), True
            shown = not animation.default_outside and animation.frames[0].covers(*animation[:2])
    if shown:
        return
    reading.frames += 1
    files = [png.build((c.kind, c.body) for c in first if c.kind in png.KEPT)] * (len(readings) - 1)
    files += [data] if sound else [png.cut(chunks), png.repair(chunks)]
    for file in (*files, *png.as_held_back(chunks)):
        page = reading.try_to(partial(_png_page, file, strand, profiles, reading, colours))
        if page is not None:
            shown = True
            yield page
    if not shown and not animated:
        raise reading.fault or Undecodable("No part of it can be decoded.")


def _png_page(
    data: bytes, strand: int, profiles: tuple[bytes, ...], reading: Reading, colours: int
) -> Picture:
    """Read a still PNG, of whose palette there were so many colours."""
    image, whole = png.decode(open_image(data, ("PNG",), reading), data)
    reading.entire &= whole
    page = page_of(image, strand, data, reading, profiles=profiles)
    if image.mode != "P" or cast("tuple[int, int]", image.getextrema())[1] < colours:
        return page
    return page._replace(others=(*page.others, partial(png.with_black, image, colours)))


def _gif(data: bytes, reading: Reading) -> Iterator[Picture]:
    animation = gif.animation_of(data)
    if not animation.frames:
        raise Undecodable("It has no picture.")
    if len(animation.frames) == 1 and animation.frames[0].covers(*animation[:2]):
        image = open_image(data, ("GIF",), reading)  # what Pillow can read whole needs no canvas
        if load(image):
            reading.frames, reading.entire = 1, animation.whole
            yield page_of(image, 0, data, reading)
            return
    yield from play(animation, 0, reading)


def _webp(data: bytes, reading: Reading) -> Iterator[Picture]:
    animation, strand = webp.animation_of(data), 0
    profiles = webp.profiles_of(data)
    if animation is not None:
        salt = hashlib.blake2b(data, digest_size=16).digest()
        said = webp.animation_of(data, as_said=True)
        sizes = [[frame[:4] for frame in one.frames] for one in (animation, said) if one]
        other = said if sizes[0] != sizes[-1] else None
        for shown in (animation, webp.as_opaque(data, animation), other):
            if shown is not None:
                yield from play(shown._replace(profiles=profiles, salt=salt), strand, reading)
                strand += 1
        if not webp.has_still(data):
            return
        data = webp.repair(data)
    reading.frames += 1
    if webp.is_whole(data):
        page = reading.try_to(partial(_webp_page, data, strand, profiles, reading))
        if page is not None:
            yield page
            if webp.ends_with_alpha(data):
                data = webp.without_alpha(data)
                page = reading.try_to(partial(_webp_page, data, strand, profiles, reading))
                yield from () if page is None else (page,)
            return
    reading.entire = False
    page = reading.try_to(partial(_webp_page, webp.repair(data), strand, profiles, reading))
    if page is not None:
        yield page
        return
    for pixels in webp.read_broken(memoryview(data)[12:], None, reading.admit):
        yield Picture(strand, 0, to_eight(Image.fromarray(pixels)))


def _webp_page(data: bytes, strand: int, profiles: tuple[bytes, ...], reading: Reading) -> Picture:
    image = open_image(data, ("WEBP",), reading)
    return page_of(image, strand, data, reading, profiles=profiles, turns=False)


def _icon(data: bytes, reading: Reading) -> Iterator[Picture]:
    """Yield the pictures of an icon or a cursor, the largest first."""
    count = int.from_bytes(data[4:6], "little")
    entries = []
    for number in range(min(count, MAX_STRANDS)):
        if len(entry := data[6 + 16 * number : 22 + 16 * number]) == 16:
            (at,) = struct.unpack_from("<I", entry, 12)
            sides = [entry[0] or 256, entry[1] or 256]
            depth = int.from_bytes(entry[6:8], "little")
            entries.append((sides[0] * sides[1], depth, entry, at))
    reading.entire &= count <= MAX_STRANDS
    if not entries:
        raise Undecodable("It has no picture.")
    shown, strand = 0, 0
    for _, _, entry, at in sorted(entries, key=lambda entry: entry[:2], reverse=True):
        if reading.overdue():
            reading.entire = False
            break
        body = data[at:]  # browsers do not ask how long a picture is said to be
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
    body = bmp.bitmap_with_usual_header(body)
    width, height = struct.unpack_from("<ii", body, 4)
    reading.admit(abs(width), abs(height) // 2)
    reading.frames += 1
    if (fields := masks.masks_of(body)) is not None:
        pixels, all_there = masks.decode(body, 0, abs(height) // 2, fields, reading.admit)
        reading.entire &= all_there
        return page_of(Image.fromarray(pixels), strand, body, reading)
    if (whole := _whole_bitmap(body)) is not body:
        reading.entire, body = False, whole
    page = _read_icon(entry, body, strand, reading)
    if (other := bmp.without_alpha(body)) is None:
        return page
    # Where alpha is zero everywhere, browsers show the colours through the mask.
    masked = _read_icon(entry[:6] + b"\x18\0", other, strand, reading).image
    return page._replace(others=(*page.others, lambda: cast("Image.Image", masked)))


def _read_icon(entry: bytes, body: bytes, strand: int, reading: Reading) -> Picture:
    file = b"\0\0\1\0\1\0" + entry[:8] + struct.pack("<II", len(body), 22) + body
    return page_of(open_image(file, ("ICO",), reading), strand, file, reading)


def _whole_bitmap(body: bytes) -> bytes:
    """Return a bitmap of an icon as long as it says: rows that are not whole are empty."""
    start, width, height, depth, packing = struct.unpack_from("<iii2xHI", body)
    colours = struct.unpack_from("<I", body, 32)[0] or (1 << depth if depth <= 8 else 0)
    if packing or not 0 < width * abs(height) * depth < MOST_BITS:
        return body
    start += 4 * min(colours, 256)
    row, mask = ((width * bits + 31) // 32 * 4 for bits in (depth, 1))
    length = start + (row + mask) * (abs(height) // 2)
    if len(body) >= length:
        return body
    return body[: start + (len(body) - start) // row * row].ljust(length, b"\0")


def _bmp(data: bytes, reading: Reading) -> Iterator[Picture]:
    profiles, bitmap = bmp.profiles_of(data), data[bmp.FILE :]
    pictures: Iterable[tuple[Pixels, bool]] = ()
    (start,) = struct.unpack_from("<I", data, 10)
    start = max(0, start - bmp.FILE)
    if (fields := masks.masks_of(bitmap)) is not None:
        (height,) = struct.unpack_from("<i", bitmap, 8)
        pictures = [masks.decode(bitmap, start, abs(height), fields, reading.admit)]
    elif runs.is_ours(bitmap):
        pictures = runs.decode(bitmap, start, reading.admit)
    else:
        for file in (data, *bmp.from_the_beginning(data)):
            yield from pages_of(bmp.with_usual_header(file), ("BMP",), reading, profiles=profiles)
        return
    reading.frames += 1
    for pixels, whole in pictures:
        reading.entire &= whole
        yield page_of(Image.fromarray(pixels), 0, data, reading, profiles=profiles)


READERS: Final[dict[str, Any]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/gif": _gif,
    "image/webp": _webp,
    "image/avif": read_heif,
    "image/heic": read_heif,
    "image/bmp": _bmp,
    "image/tiff": lambda data, reading: pages_of(data, ("TIFF",), reading),
    "image/jp2": lambda data, reading: pages_of(data, ("JPEG2000",), reading),
    "image/jxl": partial(read_jxl, read_jpeg=_jpeg),
    "image/x-icon": _icon,
}
