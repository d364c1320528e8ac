"""Decoders are bounded in time and memory, and replaced when they die."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kinward.demo import pictures
from kinward.media import Decoders, TooManyPixels, Undecodable, read_picture

MIB = 1024 * 1024
MAX = 20_000_000
DATA = pictures.encode(pictures.draw(3, (400, 300)))


def pool(**changes: Any) -> Decoders:
    return Decoders(
        video_seconds=10,
        **{"count": 2, "seconds": 10.0, "max_pixels": MAX, "memory": 1536 * MIB, **changes},
    )


def idle_process(decoders: Decoders) -> subprocess.Popen[bytes]:
    decoder = decoders._idle.queue[0]
    assert decoder is not None
    return decoder.process


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
