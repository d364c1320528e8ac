"""The decoder processes: how long a file takes through `Decoders`, its way there and back included.

    python -m bench.decoders [files of each kind]

Prints milliseconds for each kind: the median and the mean of a file, and the processor time that
the decoders take for it. To compare two states of the code, run both in turn, with PYTHONPATH set
to the `src` of each. On a machine that others use too, compare the processor time.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import psutil

from kinward.demo import pictures
from kinward.media import Decoders
from tests.support import videos

FILES = 200
SETTLE_SECONDS = 5  # until the decoder to spare has started
MIB = 1024 * 1024


def processor_ms() -> float:
    """Return the processor time that all decoders have taken so far, in milliseconds."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = ended.ru_utime + ended.ru_stime
    for child in psutil.Process().children():
        times = child.cpu_times()
        taken += times.user + times.system
    return taken * 1000


def measure(work: Callable[[], object], count: int) -> tuple[float, float, float]:
    """Return the median and the mean of `count` calls, and their processor time, in ms a call."""
    work()
    times, before = [], processor_ms()
    for _ in range(count):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    used = (processor_ms() - before) / count
    return statistics.median(times), statistics.fmean(times), used


def main(count: int) -> None:
    decoders = Decoders(
        count=1, seconds=30, video_seconds=60, max_pixels=50_000_000, memory=1536 * MIB
    )
    image = pictures.draw(901)
    large = pictures.draw(902, (4000, 3000))
    film = videos.encode(range(3), codec="libx264", size=(640, 480), rate=25)
    rows: list[tuple[str, Callable[[], object], int]] = [
        (f"{format} 1024 x 768", partial(decoders.hash, pictures.encode(image, format)), count)
        for format in ("JPEG", "PNG", "WEBP", "AVIF")
    ]
    rows += [
        (
            "JPEG 4000 x 3000",
            partial(decoders.hash, pictures.encode(large, "JPEG")),
            max(2, count // 5),
        ),
        ("film, hashed", partial(decoders.hash, film), max(2, count // 5)),
        ("film, re-encoded", partial(decoders.play, film), max(2, count // 40)),
    ]
    decoders.hash(pictures.encode(image))
    time.sleep(SETTLE_SECONDS)
    print(f"{'through a decoder':<20}{'median ms':>10}{'mean ms':>10}{'processor ms':>14}")
    for name, work, times in rows:
        median, mean, used = measure(work, times)
        print(f"{name:<20}{median:>10.2f}{mean:>10.2f}{used:>14.2f}")
    decoders.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else FILES)
