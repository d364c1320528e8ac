"""Decoders are bounded in time and memory, and replaced when they die."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kinward.demo import pictures
from kinward.media import (
    Decoders,
    Hashed,
    TooManyPixels,
    TypeUnsupported,
    Undecodable,
    View,
    read_picture,
)
from kinward.media import pool as pool_module
from tests.support import joined, videos

MIB = 1024 * 1024
MAX = 20_000_000
DATA = pictures.encode(pictures.draw(3, (400, 300)))


def pool(**changes: Any) -> Decoders:
    return Decoders(
        video_seconds=10,
        **{"count": 2, "seconds": 10.0, "max_pixels": MAX, "memory": 1536 * MIB, **changes},
    )


def idle_process(decoders: Decoders) -> subprocess.Popen[bytes]:
    process = decoders._idle.queue[0]
    assert process is not None
    return process


def test_a_decoder_answers_as_the_function_does() -> None:
    decoders = pool()
    assert decoders.hash(DATA) == read_picture(DATA, MAX)
    with pytest.raises(TooManyPixels):
        decoders.hash(pictures.encode(pictures.draw(3, (5000, 4100)), "JPEG"))
    assert decoders.still(DATA, veiled=False).startswith(b"\xff\xd8")
    decoders.close()


def test_threads_share_few_decoders() -> None:
    decoders = pool(count=2)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(decoders.hash, [DATA] * 24))
    assert len(set(answers)) == 1
    decoders.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory so")
def test_too_little_memory_is_an_answer_and_not_a_crash() -> None:
    decoders = pool(memory=350 * MIB)
    assert decoders.hash(DATA).width == 400
    with pytest.raises(Undecodable):
        decoders.hash(pictures.encode(pictures.draw(3, (5000, 3900)), "JPEG"))
    assert decoders.hash(DATA).width == 400
    decoders.close()


def test_a_decoder_that_takes_too_long_is_killed_and_replaced() -> None:
    slow = pictures.encode(pictures.draw(4, (3000, 2000)), "PNG")
    decoders = pool(count=1, seconds=0.02)
    began = time.monotonic()
    with pytest.raises(Undecodable, match=r"0\.02 seconds"):
        decoders.hash(slow)
    assert time.monotonic() - began < 3
    patient = pool(count=1)
    assert patient.hash(slow).width == 3000
    decoders.close()
    patient.close()


def test_a_decoder_that_was_killed_is_replaced() -> None:
    decoders = pool(count=1)
    decoders.hash(DATA)
    process = idle_process(decoders)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert decoders.hash(DATA) == read_picture(DATA, MAX)
    decoders.close()


def test_a_decoder_knows_no_setting_of_ours() -> None:
    decoders = pool(count=1)
    decoders.hash(DATA)
    process = idle_process(decoders)
    if os.path.exists(f"/proc/{process.pid}/environ"):
        with open(f"/proc/{process.pid}/environ", "rb") as file:
            assert b"KINWARD_" not in file.read()
    decoders.close()


# A decoder in which some pictures end the process, or never end.
FRAGILE = """
import os, signal, sys, time
from kinward.media import decoder, image, video
plain, moving = image.Image.hash, video.Video.hash
def hash(self, data, bounds, more):
    if b"ends the process" in data[:200]:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"never ends" in data[:200]:
        time.sleep(600)
    return plain(self, data, bounds, more)
def slowly(self, data, bounds, more):
    time.sleep(5)
    return moving(self, data, bounds, more)
image.Image.hash, video.Video.hash = hash, slowly
decoder.main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
"""


class Fragile(Decoders):
    """Decoders in which some pictures end the process, or never end."""

    started = 0

    def _start(self) -> subprocess.Popen[bytes]:
        self.started += 1
        return subprocess.Popen(
            [sys.executable, "-c", FRAGILE, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )


def fragile(seconds: float = 10.0) -> Fragile:
    return Fragile(count=1, seconds=seconds, video_seconds=20, max_pixels=MAX, memory=1536 * MIB)


def marked(words: bytes) -> bytes:
    return joined.with_segments(joined.picture(5), joined.segment(0xFE, words))


def looks(hashed: Hashed) -> set[bytes]:
    return {view.hash for view in hashed.views}


ONE, TWO = joined.picture(1), joined.picture(2)


def look(data: bytes) -> bytes:
    return read_picture(data, MAX).signature


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_part_that_ends_its_decoder_hides_no_other(at: int) -> None:
    parts = [ONE, TWO]
    parts.insert(at, marked(b"ends the process"))
    decoders, heard = fragile(), list[View]()

    def more(views: Sequence[View]) -> bool:
        heard.extend(views)
        return True

    hashed = decoders.hash(b"".join(parts), more)
    assert looks(hashed) == {look(ONE), look(TWO)}
    assert {view.hash for view in heard} >= {look(parts[0 if at else 1])}
    assert (hashed.kind, hashed.frames, hashed.entire) == ("video", 2, False)
    assert hashed.media_type == "image/jpeg"
    assert decoders.hash(ONE).signature == look(ONE)
    decoders.close()


def test_a_part_that_never_ends_hides_no_other() -> None:
    decoders = fragile(seconds=4.0)
    hashed = decoders.hash(ONE + marked(b"never ends") + TWO)
    assert looks(hashed) == {look(ONE), look(TWO)}
    assert not hashed.entire
    decoders.close()


def test_a_file_may_end_so_many_decoders_and_no_more() -> None:
    decoders = fragile()
    hashed = decoders.hash(ONE + marked(b"ends the process") * 9 + TWO)
    assert looks(hashed) == {look(ONE)}
    assert (hashed.kind, hashed.quality, hashed.entire) == ("pdq", 100, False)
    assert decoders.started == 3
    with pytest.raises(Undecodable, match="crashed"):
        decoders.hash(marked(b"ends the process"))
    assert decoders.started == 4
    decoders.close()


def test_a_picture_before_a_film_gets_the_time_of_a_film_and_alone_it_does_not() -> None:
    decoders = fragile(seconds=4.0)  # less than the film takes
    hashed = decoders.hash(ONE + videos.encode([1]))
    assert (hashed.kind, hashed.entire) == ("pdq", True)
    assert {view.strand for view in hashed.views} == {0, 64}
    with pytest.raises(Undecodable, match="4 seconds"):
        decoders.hash(marked(b"never ends"))
    decoders.close()


def test_the_time_is_extended_once() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    overdue = pool_module._Overdue(process, 1.0)
    overdue.extend(1.5)
    overdue.extend(60.0)
    assert overdue.seconds == 1.5
    assert process.wait(30) == -signal.SIGKILL


def test_each_strand_of_a_file_is_shown_by_a_decoder() -> None:
    decoders = pool(count=1)
    data = ONE + videos.encode([1])
    assert [strand.number for strand in decoders.contents(data)] == [0, 64]
    for strand in (0, 64):
        still = decoders.still(data, veiled=False, strand=strand, moment=0)
        assert still.startswith(b"\xff\xd8")
    assert decoders.play(data, strand=64).entire
    with pytest.raises(TypeUnsupported):
        decoders.play(data, strand=0)
    decoders.close()
