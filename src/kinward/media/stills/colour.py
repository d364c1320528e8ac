"""Colours as shown: eight bits, RGB or RGBA, and the colour profile where it makes a difference."""

import hashlib
import io
import itertools
import struct
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Final, cast

import numpy as np
from PIL import Image, ImageCms

from kinward.media.pdq import MIN_QUALITY, hash_array
from kinward.media.stills.hdr import TONES, tone_map

Change = Callable[[Image.Image], Image.Image | None]
CODED: Final = b"H.273 "
ALPHA_MODES: Final = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})
SIXTEEN: Final = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
SPACES: Final = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}  # modes, and ICC's words for them
SAMPLES: Final = 96  # a side, of a picture whose profile may make a difference
NEAR: Final = 2  # bits: a profile that changes fewer is not applied
LEVELS: Final = 3  # of a channel: nor is one that changes no colour by more
# Primaries of ITU-T H.273: x and y of red, green and blue. White is D65 in all of them.
PRIMARIES: Final = {
    1: (0.640, 0.330, 0.300, 0.600, 0.150, 0.060),
    5: (0.640, 0.330, 0.290, 0.600, 0.150, 0.060),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
D65: Final = (0.3127, 0.3290)
STEPS: Final = 1024  # of a tone curve
# Levels of alpha of 16 to 235, spread over 0 to 255.
WIDENED: Final = [min(255, max(0, round((level - 16) * 255 / 219))) for level in range(256)]
BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
D50: Final = np.array([0.9642, 1.0, 0.8249])


def to_eight(image: Image.Image) -> Image.Image:
    """Return a decoded image of any mode in L, RGB or RGBA, of eight bits a channel."""
    if image.mode in SIXTEEN or image.mode in ("I", "F"):
        return _from_deep(image)
    transparent = image.mode in ALPHA_MODES or "transparency" in image.info
    if image.mode in ("L", "RGB") and not transparent:
        return image
    if not transparent:
        return image.convert("RGB")
    image = image if image.mode == "RGBA" else image.convert("RGBA")
    return image if _least(image.getchannel("A")) < 255 else image.convert("RGB")


def widen_alpha(image: Image.Image) -> Image.Image:
    """Return an image in RGBA whose alpha is read as 16 to 235, as Chromium reads that of AVIF."""
    widened = image.copy()
    widened.putalpha(image.getchannel("A").point(WIDENED))
    return widened


def _least(channel: Image.Image) -> float:
    least, _ = channel.getextrema()
    return cast("float", least)


def _from_deep(image: Image.Image) -> Image.Image:
    """Return the 8 highest of 16 or 32 bits; of fractions, what lies between their extremes."""
    values = np.asarray(image)
    key = image.info.get("transparency")
    if image.mode in SIXTEEN:
        grey = (values >> 8).astype(np.uint8)
    else:
        low, high = (float(level) for level in (np.nanmin(values), np.nanmax(values)))
        if image.mode == "I" and low >= 0 and high <= 65535:
            low, high = 0.0, 255.0 if high <= 255 else 65535.0
        scaled = (values.astype(np.float32) - low) * (255 / ((high - low) or 1))
        grey = np.nan_to_num(scaled).clip(0, 255).astype(np.uint8)
    if not isinstance(key, int):
        return Image.fromarray(grey)
    alpha = np.where(values == key, 0, 255).astype(np.uint8)
    return Image.merge("LA", (Image.fromarray(grey), Image.fromarray(alpha))).convert("RGBA")


def as_shown(
    image: Image.Image, profile: bytes, data: bytes
) -> tuple[Image.Image, Image.Image | None]:
    """Return a decoded image as shown, in L, RGB or RGBA, and as stored if a profile changed it.

    Only a profile that changes the hash of a sample is applied to the whole image. `data`: the
    file, on which it depends which pixels are sampled, so that nobody can choose them.
    """
    change = _transform(profile, image.mode) if profile else None
    eight = to_eight(image)
    if change is None:
        return eight, None
    source = image if image.mode in ("L", "CMYK") else eight.convert("RGB")
    if not _matters(source, change, data):
        return eight, None
    shown = change(source)
    if shown is None:
        return eight, None
    if eight.mode == "RGBA":
        shown.putalpha(eight.getchannel("A"))
    return shown, eight


def _matters(image: Image.Image, change: Change, data: bytes) -> bool:
    dice = np.random.default_rng(list(hashlib.blake2b(data, digest_size=16).digest()))
    rows, columns = (
        np.sort(dice.integers(0, side, SAMPLES)) for side in (image.height, image.width)
    )
    sample = Image.fromarray(np.asarray(image)[rows[:, None], columns], image.mode)
    shown = change(sample)
    if shown is None:
        return False
    (before, poor), (after, good) = (
        hash_array(np.asarray(variant.convert("RGB"))) for variant in (sample, shown)
    )
    if (poor >= MIN_QUALITY) != (good >= MIN_QUALITY):
        return True
    return int(np.bitwise_count(before ^ after).sum()) > NEAR


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Change | None:
    """Return the change from a profile's colours to sRGB; None for a broken or usual profile."""
    if profile.startswith(CODED):
        table = tone_map(*profile[len(CODED) :])
        return lambda image: image.convert("RGB").filter(table)
    mode = mode if mode in SPACES else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != SPACES[mode]:
            return None
        transform = ImageCms.buildTransform(source, _srgb(), mode, "RGB")
        change: Change = partial(_apply, transform)
        if mode == "RGB" and _is_usual(change):
            return None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None  # viewers ignore a profile that they cannot read
    return change


def _apply(transform: Any, image: Image.Image) -> Image.Image | None:
    return ImageCms.applyTransform(image, transform)


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _is_usual(change: Change) -> bool:
    colours = np.array(list(itertools.product(range(0, 256, 51), repeat=3)), dtype=np.uint8)
    shown = change(Image.fromarray(colours[None]))
    differ = np.asarray(shown).astype(int) - colours[None]
    return int(np.abs(differ).max()) <= LEVELS


def coded_profile(primaries: int, transfer: int) -> bytes:
    """Return a profile of colours that H.273's numbers name; empty if they are sRGB's.

    It is an ICC profile, but for PQ and HLG a word of our own, which `as_shown` understands.
    """
    if transfer in TONES:
        return CODED + bytes([min(primaries, 255), transfer])
    if transfer in (0, 1, 2, 6, 13, 14, 15) and primaries in (0, 1, 2, 5, 6, 7):
        return b""
    return make_profile(PRIMARIES.get(primaries, PRIMARIES[1]), _curve(transfer))


def gamma_profile(gamma: float, primaries: tuple[float, ...] | None, white: Any = D65) -> bytes:
    """Return an ICC profile of PNG's gAMA, the power that encoded, and cHRM."""
    if not 0 < gamma < 100:
        return b""
    levels = np.linspace(0, 1, STEPS) ** (1 / gamma)
    return make_profile(primaries or PRIMARIES[1], levels, white)


def _curve(transfer: int) -> "np.ndarray[Any, Any]":
    """Return the light, 0 to 1, of 1,024 levels of a transfer function of H.273."""
    level = np.linspace(0, 1, STEPS)
    if transfer in (4, 5, 8):
        return level ** {4: 2.2, 5: 2.8, 8: 1.0}[transfer]
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def make_profile(
    primaries: tuple[float, ...], curve: "np.ndarray[Any, Any]", white: Any = D65
) -> bytes:
    """Return an ICC profile of three primaries and one tone curve, as version 2 has it."""
    red, green, blue = (_xyz(primaries[at], primaries[at + 1]) for at in (0, 2, 4))
    columns = np.stack([red, green, blue], axis=1)
    try:
        columns = columns * np.linalg.solve(columns, _xyz(*white))
        cone = BRADFORD @ _xyz(*white)
        adapted = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / cone) @ BRADFORD @ columns
    except (np.linalg.LinAlgError, FloatingPointError, ZeroDivisionError):
        return b""
    if not np.isfinite(adapted).all() or np.abs(adapted).max() > 30_000:
        return b""
    tone = (curve.clip(0, 1) * 65535).round().astype(">u2").tobytes()
    bodies = [(b"rTRC", b"curv\0\0\0\0" + struct.pack(">I", STEPS) + tone)]
    bodies += [
        (name, _xyz_tag(adapted[:, at])) for at, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))
    ]
    bodies.append((b"wtpt", _xyz_tag(D50)))
    return _assemble(bodies)


def _assemble(bodies: list[tuple[bytes, bytes]]) -> bytes:
    start = 128 + 4 + 12 * (len(bodies) + 2)
    table, content = [], b""
    for name, body in bodies:
        tags = (b"rTRC", b"gTRC", b"bTRC") if name == b"rTRC" else (name,)
        table += [tag + struct.pack(">II", start + len(content), len(body)) for tag in tags]
        content += body
    header = struct.pack(">I4xI", start + len(content), 0x02400000) + b"mntrRGB XYZ "
    header = header.ljust(36, b"\0") + b"acsp"
    header = header.ljust(68, b"\0") + _numbers(D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(table)) + b"".join(table) + content


def _xyz_tag(numbers: "np.ndarray[Any, Any]") -> bytes:
    return b"XYZ \0\0\0\0" + _numbers(numbers)


def _numbers(numbers: "np.ndarray[Any, Any]") -> bytes:
    return b"".join(struct.pack(">i", round(float(number) * 65536)) for number in numbers)


def _xyz(x: float, y: float) -> "np.ndarray[Any, Any]":
    return np.array([x / y, 1.0, (1 - x - y) / y]) if y else np.full(3, np.nan)
