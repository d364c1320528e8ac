"""Robustness of PDQ: how many images still match after a change, ours and the reference package.

    python bench/robustness.py [images]

Prints the table of docs/benchmarks.md. A changed image matches if its hash is within 31 bits of the
original's, and both have a quality of 50 or more.
"""

import io
import sys
from collections.abc import Callable

import numpy as np
import pdqhash
from PIL import Image, ImageEnhance, ImageOps

from kinward.demo import pictures
from kinward.matching.hamming import RADIUS
from kinward.media import MIN_QUALITY, hash_array


def jpeg(quality: int) -> Callable[[Image.Image], Image.Image]:
    def change(image: Image.Image) -> Image.Image:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        return Image.open(io.BytesIO(out.getvalue())).convert("RGB")

    return change


def bordered(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, border=round(image.width * 0.02), fill=(20, 20, 20))


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG, quality 50": jpeg(50),
    "JPEG, quality 20": jpeg(20),
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "a quarter of the size": lambda image: image.resize((image.width // 4, image.height // 4)),
    "a border of 2 percent": bordered,
    "a quarter brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    "a quarter more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.25),
    "without colour": lambda image: ImageOps.grayscale(image).convert("RGB"),
    "2 percent cut off each side": lambda image: ImageOps.crop(image, round(image.width * 0.02)),
    "left to right": ImageOps.mirror,
}


def ours(image: Image.Image) -> tuple[bytes, int]:
    digest, quality = hash_array(np.asarray(image))
    return digest.tobytes(), quality


def reference(image: Image.Image) -> tuple[bytes, int]:
    bits, quality = pdqhash.compute(np.asarray(image))
    return np.packbits(bits).tobytes(), int(quality)


def known(original: tuple[bytes, int], changed: tuple[bytes, int]) -> bool:
    differ = int.from_bytes(original[0]) ^ int.from_bytes(changed[0])
    return differ.bit_count() <= RADIUS and min(original[1], changed[1]) >= MIN_QUALITY


def main() -> None:
    count = int(sys.argv[1]) if sys.argv[1:] else 200
    images = [pictures.draw(seed, (640, 480)).convert("RGB") for seed in range(count)]
    hashers = (ours, reference)
    originals = [[hashed(image) for image in images] for hashed in hashers]
    print(f"| of {count} generated pictures, still known | ours | `pdqhash` |")
    print("| --- | --- | --- |")
    for name, change in CHANGES.items():
        changed = [change(image) for image in images]
        totals = [
            sum(known(before, hashed(after)) for before, after in zip(mine, changed, strict=True))
            for hashed, mine in zip(hashers, originals, strict=True)
        ]
        print(f"| {name} | {totals[0]} | {totals[1]} |")


if __name__ == "__main__":
    main()
