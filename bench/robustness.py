"""What is still known after a change, and what is taken for known by mistake, beside the reference.

    python bench/robustness.py [pictures] [others]

Prints the tables of docs/benchmarks.md. Files are encoded and read as an upload is. A changed
picture is known if one of its views, turned and mirrored, is within 31 bits of the original's
hash. `pdqhash` compares the one hash of what its users decode. For the rate of false matches, other
pictures are compared with a bank: generated ones in three manners, and those that lie about in
this machine's packages.
"""

import io
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pdqhash
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from kinward.demo import pictures
from kinward.ground.errors import KinwardError
from kinward.matching.hamming import RADIUS, Index
from kinward.media import MIN_QUALITY, read_picture, turn_hashes

SIZE: Final = (640, 480)
OTHER_SIZE: Final = (192, 144)
BANKED: Final = 2_000
MAX_PIXELS: Final = 50_000_000
AT_A_TIME: Final = 500

Hashes = npt.NDArray[np.uint8]
Change = Callable[[Image.Image], Image.Image]


def file_of(image: Image.Image, quality: int = 92) -> bytes:
    return pictures.encode(image.convert("RGB"), "JPEG", quality=quality)


def ours(data: bytes) -> Hashes:
    """All hashes that an upload is looked up by, uint8[N, 32]."""
    hashed = read_picture(data, MAX_PIXELS)
    ways = [
        np.frombuffer(view.hash + view.turned, dtype=np.uint8).reshape(-1, 32)
        if view.turned
        else turn_hashes(np.frombuffer(view.hash, dtype=np.uint8))[0]
        for view in hashed.views
    ]
    return np.concatenate([np.empty((0, 32), dtype=np.uint8), *ways])


def reference(data: bytes) -> Hashes:
    """The one hash of the reference package, or none of low quality, uint8[N, 32]."""
    bits, quality = pdqhash.compute(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    kept = 1 if quality >= MIN_QUALITY else 0
    hashes: Hashes = np.packbits(bits).reshape(1, 32)[:kept]
    return hashes


def banked(image: Image.Image) -> bytes:
    """What a list has of a picture: the hash of the reference package."""
    bits, _ = pdqhash.compute(np.asarray(image.convert("RGB")))
    return np.packbits(bits).tobytes()


def reencoded(quality: int) -> Change:
    return lambda image: Image.open(io.BytesIO(file_of(image, quality))).convert("RGB")


def scaled(share: float) -> Change:
    return lambda image: image.resize((round(image.width * share), round(image.height * share)))


def bordered(share: float, colour: tuple[int, int, int]) -> Change:
    return lambda image: ImageOps.expand(image, round(image.width * share), fill=colour)


def letterboxed(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", (image.width, image.width * 16 // 9))
    canvas.paste(image, (0, (canvas.height - image.height) // 2))
    return canvas


def cut(share: float) -> Change:
    return lambda image: ImageOps.crop(image, round(image.width * share))


def turned(times: int) -> Change:
    return lambda image: image.rotate(90 * times, expand=True)


def captioned(image: Image.Image) -> Image.Image:
    """White letters on a black bar across the lower tenth."""
    image = image.copy()
    pen, top = ImageDraw.Draw(image), image.height * 9 // 10
    pen.rectangle((0, top, image.width, image.height), fill="black")
    pen.text((10, top + 5), "a caption of neutral words " * 3, fill="white", font_size=24)
    return image


def watermarked(image: Image.Image) -> Image.Image:
    image = image.copy()
    place = (image.width // 4, image.height // 2)
    ImageDraw.Draw(image).text(place, "tidepool", fill=(255, 255, 255), font_size=64)
    return image


def phone(image: Image.Image) -> Image.Image:
    """A screenshot of a phone that shows the picture across its screen, between two bars."""
    screen = Image.new("RGB", (1080, 2340), "black")
    pen = ImageDraw.Draw(screen)
    pen.rectangle((0, 0, 1080, 90), fill=(18, 18, 18))
    pen.text((40, 22), "12:30", fill="white", font_size=44)
    pen.rectangle((0, 2200, 1080, 2340), fill=(18, 18, 18))
    for x in (200, 540, 880):
        pen.ellipse((x - 30, 2240, x + 30, 2300), outline="white", width=5)
    inside = image.resize((1080, 1080 * image.height // image.width))
    screen.paste(inside, (0, (2340 - inside.height) // 2))
    return screen


CHANGES: Final[dict[str, Change]] = {
    "JPEG, quality 50": reencoded(50),
    "JPEG, quality 20": reencoded(20),
    "half the size": scaled(0.5),
    "a quarter of the size": scaled(0.25),
    "a quarter brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    "half as bright": lambda image: ImageEnhance.Brightness(image).enhance(0.5),
    "a quarter more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.25),
    "without colour": lambda image: ImageOps.grayscale(image).convert("RGB"),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(3)),
    "a dark border of 2 percent": bordered(0.02, (20, 20, 20)),
    "a white border of 10 percent": bordered(0.1, (255, 255, 255)),
    "black bars to 9:16": letterboxed,
    "mirrored left to right": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "rotated by 90 degrees": turned(1),
    "rotated by 180 degrees": turned(2),
    "rotated by 270 degrees": turned(3),
    "1 percent cut off each side": cut(0.01),
    "2 percent cut off each side": cut(0.02),
    "5 percent cut off each side": cut(0.05),
    "letters across it": watermarked,
    "a caption across a tenth": captioned,
    "a screenshot of a phone": phone,
}


def near(known: bytes, hashes: Hashes) -> bool:
    apart = np.bitwise_count(hashes ^ np.frombuffer(known, dtype=np.uint8)).sum(axis=1)
    return bool(len(apart)) and int(apart.min()) <= RADIUS


def count_known(change: Change, images: list[Image.Image], known: list[bytes]) -> list[int]:
    files = [file_of(change(image)) for image in images]
    return [
        sum(near(value, hasher(data)) for value, data in zip(known, files, strict=True))
        for hasher in (ours, reference)
    ]


def draw_other(seed: int) -> Image.Image:
    """A picture of one of three manners: shapes on a gradient, waves, or a page of text."""
    dice = np.random.default_rng(seed)
    width, height = OTHER_SIZE
    if seed % 3 == 0:
        return pictures.draw(10_000_000 + seed, OTHER_SIZE)
    if seed % 3 == 1:
        y, x = np.mgrid[0:height, 0:width]
        planes = np.zeros((height, width, 3))
        for _ in range(5):
            down, across, phase = dice.uniform(0.2, 6, 3)
            wave = np.sin(6.28 * (down * y / height + across * x / width) + phase)
            planes += wave[..., None] * dice.uniform(5, 50, 3)
        return Image.fromarray(np.clip(planes + 128, 0, 255).astype(np.uint8))
    page = Image.new("RGB", OTHER_SIZE, "white")
    pen = ImageDraw.Draw(page)
    for top in range(6, height, int(dice.integers(10, 20))):
        letters = "".join(chr(c) for c in dice.integers(97, 123, int(dice.integers(5, 28))))
        pen.text((8, top), letters, fill="black")
    return page


def shipped() -> Iterator[bytes]:
    """The pictures in this machine's packages."""
    for root in ("/usr/share", sysconfig.get_path("purelib")):
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                path = Path(folder, name)
                if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".gif", ".webp"):
                    yield path.read_bytes()


def hash_others(files: list[bytes]) -> list[tuple[Hashes, Hashes]]:
    pairs = []
    for data in files:
        try:
            pairs.append((ours(data), reference(data)))
        except (KinwardError, OSError, ValueError):
            continue
    return pairs


def draw_batch(first: int, count: int) -> list[tuple[Hashes, Hashes]]:
    return hash_others([file_of(draw_other(seed)) for seed in range(first, first + count)])


def count_false(index: Index, others: list[Hashes]) -> int:
    """The number of pictures of which any hash is within the radius of the bank."""
    limits, _, _ = index.search_batch(np.concatenate(others))
    ends = np.cumsum([len(hashes) for hashes in others])
    hits = np.concatenate([[0], np.asarray(limits)[1:][ends - 1]])
    return int((np.diff(hits) > 0).sum())


def false_matches(count: int) -> None:
    bank = [banked(pictures.draw(seed, SIZE)) for seed in range(BANKED)]
    values = np.frombuffer(b"".join(bank), dtype=np.uint8).reshape(-1, 32)
    index = Index(RADIUS)
    index.add(values, np.arange(len(values)))
    lying = list(shipped())
    began, pairs = time.monotonic(), hash_others(lying)
    with ProcessPoolExecutor() as pool:
        starts = range(0, count - len(pairs), AT_A_TIME)
        for number, batch in enumerate(pool.map(partial(draw_batch, count=AT_A_TIME), starts)):
            pairs += batch
            if number % 10 == 0:
                took = time.monotonic() - began
                print(f"  {len(pairs):,} of {count:,}, {took:.0f} s", file=sys.stderr, flush=True)
    print(f"| of {len(pairs):,} others, beside a bank of {BANKED:,} | ours | `pdqhash` |")
    print("| --- | --- | --- |")
    totals = [count_false(index, [pair[which] for pair in pairs]) for which in (0, 1)]
    print(f"| taken for known | {totals[0]} | {totals[1]} |")
    mean = sum(len(pair[0]) for pair in pairs) / len(pairs)
    print(f"\nHashes looked up for each: {mean:.1f}.")


def main() -> None:
    count = int(sys.argv[1]) if sys.argv[1:] else 200
    others = int(sys.argv[2]) if sys.argv[2:] else 100_000
    images = [pictures.draw(seed, SIZE).convert("RGB") for seed in range(count)]
    known = [banked(image) for image in images]
    print(f"| of {count} generated pictures, still known | ours | `pdqhash` |")
    print("| --- | --- | --- |")
    for name, change in CHANGES.items():
        totals = count_known(change, images, known)
        print(f"| {name} | {totals[0]} | {totals[1]} |", flush=True)
    print()
    false_matches(others)


if __name__ == "__main__":
    main()
