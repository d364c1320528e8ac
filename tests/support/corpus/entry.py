"""One file of the corpus, and the desk that draws the pictures in it."""

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from kinward.media import MIN_QUALITY, hash_array

Pixels = npt.NDArray[np.uint8]
Element = Literal["img", "video", ""]

SIZE: Final = (320, 240)
NEAR: Final = 8  # bits


@dataclass(frozen=True)
class Entry:
    """A file whose appearance differs from what a plain decoder returns.

    `truth`: the pictures that a common viewer shows, by the generator's own knowledge; empty where
    only the digests of a file can be checked. `element`: what a page of a platform would show it
    with; empty for files that Chromium does not show. `moments`: seconds after loading at which a
    page is looked at; a film is looked at at random times instead. `served_as`: the media type that
    a platform sends with it, if any.
    """

    name: str
    kind: str
    disguise: str
    data: bytes
    truth: tuple[Image.Image, ...]
    element: Element = "img"
    moments: tuple[float, ...] = (0.0,)
    served_as: str = ""

    def truth_hashes(self) -> list[bytes]:
        """The hash of each true picture that has structure, on white and on black."""
        hashes = (hash_screen(picture) for shown in self.truth for picture in flatten(shown))
        return [pdq for pdq in dict.fromkeys(hashes) if pdq is not None]


class Desk:
    """Draws pictures: each differs by the seed of the corpus and by its label."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def picture(self, label: str, size: tuple[int, int] = SIZE) -> Image.Image:
        """Draw gradients and shapes in RGB, with structure enough to be hashed well."""
        return _draw(self.dice(label), size)

    def few(self, label: str, size: tuple[int, int] = SIZE) -> Image.Image:
        """Draw the same in 128 colours, which a palette keeps as they are."""
        few = self.picture(label, size).quantize(128, Image.Quantize.FASTOCTREE)
        return few.convert("RGB")

    def grey(self, label: str, size: tuple[int, int] = SIZE) -> Image.Image:
        """Draw the same in grey."""
        return self.picture(label, size).convert("L")

    def dice(self, label: str) -> np.random.Generator:
        """Return random numbers of this label."""
        return np.random.default_rng([self.seed, zlib.crc32(label.encode())])


def make_entry(
    kind: str,
    name: str,
    disguise: str,
    data: bytes,
    *truth: Image.Image,
    element: Element = "img",
    served_as: str = "",
) -> Entry:
    """An entry of a kind, which shows these pictures."""
    return Entry(name, kind, disguise, data, truth, element, served_as=served_as)


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    """Encode a picture, in good quality unless the options say otherwise."""
    if format in ("JPEG", "MPO", "WEBP") and not options.get("lossless"):
        options.setdefault("quality", 92)
    if format == "AVIF":
        options = {"quality": 85, "speed": 10} | options
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def to_pixels(image: Image.Image) -> Pixels:
    return np.asarray(image, dtype=np.uint8)


def flatten(image: Image.Image) -> list[Image.Image]:
    """Return what white and black pages show of a picture; one if it is opaque."""
    if image.mode not in ("LA", "RGBA", "PA"):
        return [image.convert("RGB")]
    image = image.convert("RGBA")
    pages = (Image.new("RGBA", image.size, colour) for colour in ("white", "black"))
    return [Image.alpha_composite(page, image).convert("RGB") for page in pages]


def hash_screen(shown: Image.Image) -> bytes | None:
    """Return the PDQ hash of what a screen shows; None if it has too little structure."""
    pdq, quality = hash_array(to_pixels(shown.convert("RGB")))
    return pdq.tobytes() if quality >= MIN_QUALITY else None


def distance(one: bytes, other: bytes) -> int:
    """Return the bits in which two hashes differ."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def is_among(pdq: bytes, views: Sequence[bytes]) -> bool:
    """Return whether a hash is within 8 bits of one of these."""
    return any(distance(pdq, view) <= NEAR for view in views)


def _draw(dice: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    width, height = size
    coarse = dice.integers(20, 236, (5, 6, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(14):
        x, y = int(dice.integers(0, width)), int(dice.integers(0, height))
        reach = int(dice.integers(min(size) // 12, min(size) // 4))
        colour = tuple(int(c) for c in dice.integers(0, 256, 3))
        box = (x - reach, y - reach * 3 // 4, x + reach, y + reach * 3 // 4)
        match int(dice.integers(0, 3)):
            case 0:
                pen.ellipse(box, fill=colour)
            case 1:
                pen.rectangle(box, fill=colour)
            case _:
                pen.polygon([(x, y - reach), (x + reach, y + reach), (x - reach, y)], fill=colour)
    return image
