"""Decoding of images: their PDQ hashes and stills. Runs in a decoder process."""

import io
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from kinward.ground.errors import KinwardError
from kinward.media.errors import TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.medium import Hashed
from kinward.media.pdq import MAX_PIXELS, Hash, hash_array

Image.init()
pillow_heif.register_heif_opener()
# `_open` checks sizes before anything is decoded, so Pillow's own limit must not interfere.
Image.MAX_IMAGE_PIXELS = None

FORMATS: Final = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}
# Pillow opens an MPO with its JPEG reader.
READERS: Final = tuple(name for name in FORMATS if name != "MPO")
PREVIEW_SIDE: Final = 1280


def read_picture(data: bytes, max_pixels: int) -> Hashed:
    """Decode and hash the first frame of an image. Raises only the three errors of `errors`."""
    image, media_type = _open(data, max_pixels)
    frames = int(getattr(image, "n_frames", 1))
    pixels = np.asarray(_first_frame(image))
    pdq, quality = hash_array(pixels)
    return Hashed(
        kind="pdq",
        signature=pdq.tobytes(),
        media_type=media_type,
        width=pixels.shape[1],
        height=pixels.shape[0],
        frames=frames,
        quality=quality,
    )


def hash_bytes(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[Hash, int]:
    """Return the PDQ hash and quality of a JPEG, PNG, WebP, GIF, HEIC or AVIF file.

    For animated images only the first frame is hashed. Decode strangers' files in a separate
    process (`Decoders`). Raises the errors of `read_picture`.
    """
    picture = read_picture(data, max_pixels)
    return np.frombuffer(picture.signature, dtype=np.uint8), picture.quality or 0


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


def render_preview(data: bytes, max_pixels: int, *, veiled: bool) -> bytes:
    """Return a JPEG of the first frame, upright."""
    image, _ = _open(data, max_pixels)
    return render(ImageOps.exif_transpose(_first_frame(image)), veiled=veiled)


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


def _open(data: bytes, max_pixels: int) -> tuple[Image.Image, str]:
    try:
        image = Image.open(io.BytesIO(data), formats=READERS)
    except UnidentifiedImageError as error:
        raise TypeUnsupported from error
    except Exception as error:
        raise Undecodable(f"{type(error).__name__} in its header.") from error
    width, height = image.size
    if width * height > max_pixels:
        raise TooManyPixels(f"It has {width} x {height}; the limit is {max_pixels:,} pixels.")
    return image, FORMATS[image.format or "JPEG"]


def _first_frame(image: Image.Image) -> Image.Image:
    try:
        image.load()
        return image if image.mode == "RGB" else image.convert("RGB")
    except MemoryError:
        raise
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise Undecodable(f"{type(error).__name__} while decoding.") from error
