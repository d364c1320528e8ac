"""PDQ: our hasher compared with the reference package and threatexchange's, on one thread.

    python bench/pdq.py [directory of images]

With a directory it prints instead how many bits ours differs from the reference on each image.
Our hasher does not decode large JPEGs at half the size: 23 of 40 generated images then differed by
2 to 6 bits, and we promise at most 2.
"""

import io
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pdqhash
from PIL import Image, ImageOps

from kinward.demo import pictures
from kinward.media import hash_array, hash_dihedral, read_picture

ROUNDS = 40


def median_ms(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def threatexchange_from_bytes(data: bytes) -> object:
    from threatexchange.signal_type.pdq.pdq_hasher import pdq_from_bytes

    return pdq_from_bytes(data)


def reference_from_bytes(data: bytes) -> object:
    return pdqhash.compute(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def main() -> None:
    image = pictures.draw(901)
    pixels = np.asarray(image)
    rows: list[tuple[str, float, float, float | None]] = [
        (
            "pixels",
            median_ms(lambda: hash_array(pixels)),
            median_ms(lambda: pdqhash.compute(pixels)),
            None,
        )
    ]
    for format in ("JPEG", "PNG", "WEBP"):
        data = pictures.encode(image, format)
        rows.append(
            (
                f"{format} bytes",
                median_ms(lambda data=data: read_picture(data, 10**8)),  # type: ignore[misc]
                median_ms(lambda data=data: reference_from_bytes(data)),  # type: ignore[misc]
                median_ms(lambda data=data: threatexchange_from_bytes(data)),  # type: ignore[misc]
            )
        )
    everything = pictures.encode(image, "JPEG")
    decoding = median_ms(lambda: np.asarray(Image.open(io.BytesIO(everything)).convert("RGB")))
    print(f"PDQ of one 1024 x 768 image, one thread, median of {ROUNDS}")
    head = f"{'from':<12}{'ours ms':>10}{'pdqhash ms':>12}{'ratio':>8}"
    print(f"{head}{'threatexchange ms':>20}{'ratio':>8}")
    for name, ours, theirs, others in rows:
        beside = f"{others:>20.2f}{others / ours:>7.1f}x" if others else ""
        print(f"{name:<12}{ours:>10.2f}{theirs:>12.2f}{theirs / ours:>7.1f}x{beside}")
    print(f"decoding a JPEG alone takes {decoding:.2f} ms of it")
    eight = median_ms(lambda: hash_dihedral(pixels))
    their_eight = median_ms(lambda: pdqhash.compute_dihedral(pixels))
    print(f"{'8 variants':<12}{eight:>10.2f}{their_eight:>12.2f}{their_eight / eight:>7.1f}x")
    print_views(image)


def print_views(image: Image.Image) -> None:
    """Print what each further view costs beside the plain one."""
    black = Image.new("L", image.size, 0)
    clear = Image.merge("LA", (black, image.convert("L")))
    files = {
        "plain": pictures.encode(image, "PNG"),
        "in a border": pictures.encode(ImageOps.expand(image, 30, "white"), "PNG"),
        "half transparent": pictures.encode(clear, "PNG"),
        "16 frames": pictures.encode(
            image, "PNG", save_all=True, append_images=[pictures.draw(seed) for seed in range(15)]
        ),
    }
    print(f"\n{'all views of a PNG':<20}{'views':>6}{'ms':>9}{'of it decoding':>16}")
    for name, data in files.items():
        views = len(read_picture(data, 10**8).views)
        whole = median_ms(lambda data=data: read_picture(data, 10**8))  # type: ignore[misc]
        alone = median_ms(lambda data=data: decode_frames(data))  # type: ignore[misc]
        print(f"{name:<20}{views:>6}{whole:>9.2f}{alone:>16.2f}")


def decode_frames(data: bytes) -> None:
    image = Image.open(io.BytesIO(data))
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()


def agreement(directory: Path) -> None:
    """Print how many bits our hash differs from the reference's, for every image in a directory."""
    counts: Counter[int] = Counter()
    for path in sorted(file for file in directory.rglob("*") if file.is_file()):
        data = path.read_bytes()
        try:
            pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
            ours = np.frombuffer(read_picture(data, 10**9).signature, dtype=np.uint8)
        except Exception as error:
            print(f"{path}: {error}")
            continue
        theirs = np.packbits(pdqhash.compute(pixels)[0].astype(np.uint8))
        bits = int(np.bitwise_count(ours ^ theirs).sum())
        counts[bits] += 1
        if bits > 2:
            print(f"{path}: {bits} bits")
    for bits, count in sorted(counts.items()):
        print(f"{bits} bits: {count} images")


if __name__ == "__main__":
    if sys.argv[1:]:
        agreement(Path(sys.argv[1]))
    else:
        main()
