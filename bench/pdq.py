"""PDQ: ours beside the reference package and threatexchange's hasher, from pixels and from files.

All in one run, on one thread. Scaled decoding of large JPEGs is not used: at half the size 23 of 40
generated pictures came out 2 to 6 bits away, and the promise is 2.
"""

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
    print(f"PDQ of one 1024 x 768 picture, one thread, median of {ROUNDS}")
    head = f"{'from':<12}{'ours ms':>10}{'pdqhash ms':>12}{'ratio':>8}"
    print(f"{head}{'threatexchange ms':>20}{'ratio':>8}")
    for name, ours, theirs, others in rows:
        beside = f"{others:>20.2f}{others / ours:>7.1f}x" if others else ""
        print(f"{name:<12}{ours:>10.2f}{theirs:>12.2f}{theirs / ours:>7.1f}x{beside}")
    print(f"decoding a JPEG alone takes {decoding:.2f} ms of it")
    eight = median_ms(lambda: hash_dihedral(pixels))
    their_eight = median_ms(lambda: pdqhash.compute_dihedral(pixels))
    print(f"{'8 variants':<12}{eight:>10.2f}{their_eight:>12.2f}{their_eight / eight:>7.1f}x")


if __name__ == "__main__":
    main()
