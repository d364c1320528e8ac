"""Colours as shown: eight bits, RGB or RGBA, and the colour profiles that make a difference."""

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, NamedTuple, cast

import numpy as np
from PIL import Image

from kinward.media.pdq import MIN_QUALITY, hash_array
from kinward.media.stills.profiles import Change, read_profile

Other = Callable[[], Image.Image]
ALPHA_MODES: Final = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})
SIXTEEN: Final = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
GREYS: Final = frozenset({"1", "L", "LA", "La", "I", "F"})
SAMPLES: Final = 96  # a side, of a picture whose profile may make a difference
NEAR: Final = 2  # bits: a profile that changes fewer is not applied
MOST_PROFILES: Final = 8  # of a picture
MOST_LOOKS: Final = 6
# Levels of alpha of 16 to 235, spread over 0 to 255.
WIDENED: Final = [min(255, max(0, round((level - 16) * 255 / 219))) for level in range(256)]


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


class Shown(NamedTuple):
    """A decoded image as shown, in L, RGB or RGBA.

    `others`: make it as other viewers show it, and as stored, if that makes a difference. `unread`:
    whether a viewer may show it in yet another way.
    """

    image: Image.Image
    others: tuple[Other, ...] = ()
    unread: bool = False


def as_shown(image: Image.Image, profiles: Iterable[bytes], data: bytes) -> Shown:
    """Return how viewers show a decoded image of which these profiles may be the colours.

    The first profile is the one that Chromium takes; an empty one is sRGB. Only one that changes
    the hash of a sample is applied to the whole image. `data`: the file, on which it depends which
    pixels are sampled, so that nobody can choose them.
    """
    eight = to_eight(image)
    own, unread, ways = _mode_of(image), False, list[_Way | None]()
    for number, profile in enumerate(dict.fromkeys(profiles)):
        if number == MOST_PROFILES:
            unread = True
            break
        read = read_profile(profile)
        unread |= not read.readable
        fits = read.mode == own or (read.mode, own) == ("RGB", "L")
        if number == 0 and not fits:
            ways.append(None)
        if read.mode != "CMYK" or own == "CMYK":
            ways += [_Way(read.mode, change) for change in read.changes]
    if all(way is None for way in ways):
        return Shown(eight, (), unread)
    looks = _Looks(image, eight, data)
    kept = looks.different([*ways, None])
    first, *others = (partial(looks.make, way) for way in kept[:MOST_LOOKS])
    return Shown(first(), tuple(others), unread or len(kept) > MOST_LOOKS)


def _mode_of(image: Image.Image) -> str:
    if image.mode == "CMYK":
        return "CMYK"
    grey = image.mode in SIXTEEN or image.mode in GREYS
    return "L" if grey else "RGB"


class _Way(NamedTuple):
    """A change of colours, and the mode of the images that it takes."""

    mode: str
    change: Change


class _Looks:
    """One image in several ways; None is as stored."""

    def __init__(self, image: Image.Image, eight: Image.Image, data: bytes) -> None:
        self._image, self._eight = image, eight
        dice = np.random.default_rng(list(hashlib.blake2b(data, digest_size=16).digest()))
        self._rows, self._columns = (
            np.sort(dice.integers(0, side, SAMPLES)) for side in (image.height, image.width)
        )

    def make(self, way: _Way | None) -> Image.Image:
        """Return the whole image in one way."""
        if way is None:
            return self._eight
        shown = way.change(self._source(way.mode))
        if shown is None:
            return self._eight
        if self._eight.mode == "RGBA":
            shown.putalpha(self._eight.getchannel("A"))
        return shown

    def different(self, ways: Iterable[_Way | None]) -> list[_Way | None]:
        """Return the ways in which a sample has another hash than in those before."""
        kept: list[_Way | None] = []
        known: list[tuple[Any, int]] = []
        for way in ways:
            sample = self._sample(self._source(way.mode) if way else self._eight)
            shown = way.change(sample) if way else sample
            if shown is None:
                continue
            look = hash_array(np.asarray(shown.convert("RGB")))
            if not any(_alike(look, one) for one in known):
                kept.append(way)
                known.append(look)
        return kept

    def _source(self, mode: str) -> Image.Image:
        if self._eight.mode == mode:
            return self._eight
        return self._image if self._image.mode == mode == "CMYK" else self._eight.convert(mode)

    def _sample(self, image: Image.Image) -> Image.Image:
        return Image.fromarray(np.asarray(image)[self._rows[:, None], self._columns], image.mode)


def _alike(one: tuple[Any, int], other: tuple[Any, int]) -> bool:
    if (one[1] >= MIN_QUALITY) != (other[1] >= MIN_QUALITY):
        return False
    return int(np.bitwise_count(one[0] ^ other[0]).sum()) <= NEAR
