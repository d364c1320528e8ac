"""From the bytes of a file to what matching needs: digests always, PDQ when it can be decoded."""

import hashlib
import io
from typing import Final

import msgspec
import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from kinward.errors import KinwardError
from kinward.matching.pdq import hash_array

Image.init()
pillow_heif.register_heif_opener()
# Sizes are checked here before anything is decoded, so Pillow's own guess must not interfere.
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
# An MPO is opened by the JPEG reader, which then says that it is one.
READERS: Final = tuple(name for name in FORMATS if name != "MPO")
PREVIEW_SIDE: Final = 1280


class TypeUnsupported(KinwardError):
    """This cannot be checked. Send JPEG, PNG, WebP, GIF, HEIC, AVIF, MP4, WebM, AVI or MPEG."""

    code = "media.type_unsupported"
    status = 415


class Undecodable(KinwardError):
    """This file cannot be decoded. Do not publish it; ask for it again."""

    code = "media.undecodable"
    status = 422


class TooManyPixels(KinwardError):
    """This has too many pixels. Send it smaller."""

    code = "media.too_many_pixels"
    status = 413


class Digests(msgspec.Struct, frozen=True):
    """Digests of a file, byte for byte, as lower-case hex."""

    md5: str
    sha1: str
    sha256: str


class Picture(msgspec.Struct, frozen=True):
    """A decoded picture: its PDQ hash (64 hex digits), quality, type, and whether it moves."""

    pdq: str
    quality: int
    media_type: str
    width: int
    height: int
    frames: int = 1


def digest_bytes(data: bytes) -> Digests:
    """MD5, SHA-1 and SHA-256 of a file. They identify; no security rests on the first two."""
    return Digests(
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def read_picture(data: bytes, max_pixels: int) -> Picture:
    """Decode the first frame and hash it. Raises one of the three errors above, nothing else."""
    image, media_type = _open(data, max_pixels)
    frames = int(getattr(image, "n_frames", 1))
    pixels = np.asarray(_first_frame(image))
    pdq, quality = hash_array(pixels)
    return Picture(
        pdq=pdq.tobytes().hex(),
        quality=quality,
        media_type=media_type,
        width=pixels.shape[1],
        height=pixels.shape[0],
        frames=frames,
    )


def render_preview(data: bytes, max_pixels: int, *, veiled: bool) -> bytes:
    """A JPEG of the first frame, as `render` makes it."""
    image, _ = _open(data, max_pixels)
    return render(ImageOps.exif_transpose(_first_frame(image)), veiled=veiled)


def render(frame: Image.Image, *, veiled: bool) -> bytes:
    """A JPEG of at most 1,280 pixels a side; veiled: tiny, grey and blurred."""
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
