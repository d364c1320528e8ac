"""PDQ: ours beside the reference package, from pixels and from the bytes of a file, in one run."""

import io
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pdqhash
from PIL import Image

from kinward.demo import pictures
from kinward.matching.pdq import hash_array, hash_dihedral
from kinward.matching.picture import read_picture

ROUNDS = 40


def median_ms(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def reference_from_bytes(data: bytes) -> object:
    return pdqhash.compute(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def main() -> None:
    image = pictures.draw(901)
    pixels = np.asarray(image)
    rows = [
        (
            "pixels",
            median_ms(lambda: hash_array(pixels)),
            median_ms(lambda: pdqhash.compute(pixels)),
        )
    ]
    for format in ("JPEG", "PNG", "WEBP"):
        data = pictures.encode(image, format)
        rows.append(
            (
                f"{format} bytes",
                median_ms(lambda data=data: read_picture(data, 10**8)),  # type: ignore[misc]
                median_ms(lambda data=data: reference_from_bytes(data)),  # type: ignore[misc]
            )
        )
    everything = pictures.encode(image, "JPEG")
    decoding = median_ms(lambda: np.asarray(Image.open(io.BytesIO(everything)).convert("RGB")))
    print(f"PDQ of one 1024 x 768 picture, one thread, median of {ROUNDS}")
    print(f"{'from':<12}{'ours ms':>10}{'pdqhash ms':>12}{'ratio':>8}")
    for name, ours, theirs in rows:
        print(f"{name:<12}{ours:>10.2f}{theirs:>12.2f}{theirs / ours:>7.1f}x")
    print(f"decoding a JPEG alone takes {decoding:.2f} ms of it")
    eight = median_ms(lambda: hash_dihedral(pixels))
    their_eight = median_ms(lambda: pdqhash.compute_dihedral(pixels))
    print(f"{'8 variants':<12}{eight:>10.2f}{their_eight:>12.2f}{their_eight / eight:>7.1f}x")


if __name__ == "__main__":
    main()
