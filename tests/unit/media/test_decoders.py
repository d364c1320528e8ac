"""Decoders are bounded in time and memory, and replaced when they die or have done their share."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psutil
import pytest

from kinward.demo import pictures
from kinward.ground.errors import NotConfigured
from kinward.ground.turns import Payer, Turn
from kinward.media import (
    PICTURES,
    DecoderLost,
    Decoders,
    Hashed,
    TooManyPixels,
    TypeUnsupported,
    Undecodable,
    Unwalled,
    View,
    price_of,
    process,
    read_picture,
)
from kinward.media.cell import environment, walls_named
from kinward.media.medium import Bounds
from kinward.media.messages import HASH, PLAY, STILL, VEIL
from kinward.media.overdue import Overdue
from kinward.media.pool import _Job
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
    return decoders._idle[-1].process


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


def test_a_decoder_that_was_killed_is_replaced() -> None:
    decoders = pool(count=1)
    decoders.hash(DATA)
    process = idle_process(decoders)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert decoders.hash(DATA) == read_picture(DATA, MAX)
    decoders.close()


def test_a_decoder_that_could_not_read_a_file_reads_no_other() -> None:
    decoders = pool(count=1)
    decoders.hash(DATA)
    first = idle_process(decoders)
    decoders.hash(DATA)
    assert idle_process(decoders) is first
    with pytest.raises(Undecodable):
        decoders.hash(DATA[:30])
    assert not decoders._idle
    assert first.poll() is not None
    decoders.hash(DATA)
    assert idle_process(decoders).pid != first.pid
    decoders.close()


# A decoder in which some pictures end the process, or never end.
FRAGILE = """
import os, signal, sys, time
from kinward.media import decoder, image, video
plain, moving = image.Image.hash, video.Video.hash
def hash(self, data, bounds, more):
    if b"ends the process" in data[:200]:
        os.abort()
    if b"never ends" in data[:200]:
        time.sleep(600)
    return plain(self, data, bounds, more)
def slowly(self, data, bounds, more):
    time.sleep(5)
    return moving(self, data, bounds, more)
image.Image.hash, video.Video.hash = hash, slowly
decoder.main(*sys.argv[1:3])
"""


def fragile(seconds: float = 10.0) -> tuple[Decoders, list[int]]:
    """Decoders in which some pictures end the process, or never end; and a mark for each start."""
    decoders = Decoders(
        count=1, seconds=seconds, video_seconds=20, max_pixels=MAX, memory=1536 * MIB
    )
    started: list[int] = []

    def start() -> process.Decoder:
        started.append(1)
        bounds = Bounds(MAX, 20.0)
        return process.start_decoder(bounds, memory=1536 * MIB, program=("-c", FRAGILE))

    decoders._spares = process.Spares(start)
    return decoders, started


def marked(words: bytes) -> bytes:
    return joined.with_segments(joined.picture(5), joined.segment(0xFE, words))


def looks(hashed: Hashed) -> set[bytes]:
    return {view.hash for view in hashed.views}


ONE, TWO = joined.picture(1), joined.picture(2)


def look(data: bytes) -> bytes:
    return read_picture(data, MAX).signature


def test_a_decoder_that_takes_too_long_is_killed_and_replaced() -> None:
    decoders, started = fragile(seconds=3.0)
    with pytest.raises(Undecodable, match="3 seconds"):
        decoders.hash(marked(b"never ends"))
    assert decoders.hash(ONE).signature == look(ONE)
    assert len(started) >= 2
    decoders.close()


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_part_that_ends_its_decoder_hides_no_other(at: int) -> None:
    parts = [ONE, TWO]
    parts.insert(at, marked(b"ends the process"))
    (decoders, _), heard = fragile(), list[View]()

    def more(views: Sequence[View]) -> bool:
        heard.extend(views)
        return True

    hashed = decoders.hash(b"".join(parts), more)
    assert looks(hashed) >= {look(ONE), look(TWO)}
    assert {view.hash for view in heard} >= {look(parts[0 if at else 1])}
    assert (hashed.kind, hashed.frames, hashed.entire) == ("video", 2, False)
    assert hashed.media_type == "image/jpeg"
    assert decoders.hash(ONE).signature == look(ONE)
    decoders.close()


def test_a_part_that_never_ends_hides_no_other() -> None:
    decoders, _ = fragile(seconds=4.0)
    hashed = decoders.hash(ONE + marked(b"never ends") + TWO)
    assert looks(hashed) >= {look(ONE), look(TWO)}
    assert not hashed.entire
    decoders.close()


def test_a_file_may_end_so_many_decoders_and_no_more() -> None:
    decoders, started = fragile()
    hashed = decoders.hash(ONE + marked(b"ends the process") * 9 + TWO)
    assert look(ONE) in looks(hashed)
    assert look(TWO) not in looks(hashed)
    assert (hashed.kind, hashed.quality, hashed.entire) == ("pdq", 100, False)
    assert len(started) >= 3
    with pytest.raises(Undecodable, match="crashed"):
        decoders.hash(marked(b"ends the process"))
    assert len(started) >= 4
    decoders.close()


def test_a_picture_before_a_film_gets_the_time_of_a_film_and_alone_it_does_not() -> None:
    decoders, _ = fragile(seconds=4.0)  # less than the film takes
    hashed = decoders.hash(ONE + videos.encode([1]))
    assert (hashed.kind, hashed.entire) == ("pdq", True)
    assert {view.strand for view in hashed.views} == {0, 64}
    with pytest.raises(Undecodable, match="4 seconds"):
        decoders.hash(marked(b"never ends"))
    decoders.close()


def test_the_time_is_extended_once() -> None:
    sleeping = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    overdue = Overdue(sleeping.kill, 1.0)
    overdue.extend(1.5)
    overdue.extend(60.0)
    assert overdue.seconds == 1.5
    assert sleeping.wait(30) == -signal.SIGKILL
    assert overdue.late


def test_each_strand_of_a_file_is_shown_by_a_decoder() -> None:
    decoders = pool(count=1)
    data = ONE + videos.encode([1])
    assert [strand.number for strand in decoders.contents(data).strands] == [0, 64]
    for strand in (0, 64):
        still = decoders.still(data, veiled=False, strand=strand, moment=0)
        assert still.startswith(b"\xff\xd8")
    assert decoders.play(data, strand=64).entire
    with pytest.raises(TypeUnsupported):
        decoders.play(data, strand=0)
    decoders.close()


def test_a_decoder_is_replaced_after_so_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "FILES", 3)
    decoders = pool(count=1)
    pids = []
    for _ in range(5):
        decoders.hash(DATA)
        pids.append(decoders._idle[-1].process.pid if decoders._idle else 0)
    assert pids[0] == pids[1] > 0
    assert pids[2] == 0
    assert pids[3] == pids[4] not in {0, pids[0]}
    decoders.close()


def test_the_replacement_is_started_ahead_of_need() -> None:
    decoders = pool(count=1)
    decoders.hash(DATA)
    spare = spare_of(decoders)
    with pytest.raises(Undecodable):
        decoders.hash(DATA[:30])
    decoders.hash(DATA)
    assert idle_process(decoders) is spare.process
    another = spare_of(decoders)
    os.kill(another.process.pid, signal.SIGKILL)  # while it waits
    os.kill(spare.process.pid, signal.SIGKILL)
    another.process.wait()
    assert decoders.hash(DATA).width == 400
    decoders.close()
    assert not another.alive
    assert decoders.hash(DATA).width == 400, "it starts again"
    decoders.close()


def test_asking_for_the_walls_starts_one_decoder_and_leaves_none() -> None:
    decoders = pool(count=1)
    start, started = decoders._spares._start, list[process.Decoder]()

    def count() -> process.Decoder:
        started.append(start())
        return started[-1]

    decoders._spares = process.Spares(count)
    assert "limits" in decoders.walls().standing
    decoders.close()
    assert [each.alive for each in started] == [False]


def spare_of(decoders: Decoders) -> process.Decoder:
    deadline = time.monotonic() + 60
    while not (ready := decoders._spares._ready) and time.monotonic() < deadline:
        time.sleep(0.01)
    return ready[0]


def test_a_decoder_that_is_killed_at_work_is_named_and_replaced() -> None:
    slow = pictures.encode(pictures.draw(4, (6000, 4000)), "PNG", compress_level=1)
    decoders = pool(count=1, max_pixels=10**8, seconds=60)
    decoders.hash(DATA)
    pid = idle_process(decoders).pid
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(decoders.hash, slow)
        while not decoders._uploads.running:
            time.sleep(0.001)
        os.kill(pid, signal.SIGKILL)
        assert answer.result().width == 6000, "another one reads it"
        answer = threads.submit(decoders.hash, slow)
        while not answer.done():  # but not for ever
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.Error):
                    if "kinward.media.decoder" in child.cmdline():
                        child.kill()
            time.sleep(0.05)
        with pytest.raises(DecoderLost) as lost:
            answer.result()
    assert lost.value.status == 503
    assert decoders.hash(DATA) == read_picture(DATA, MAX)
    decoders.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("os.write(3, b'\\0\\0\\0\\4what')", "no proper answer"),
        ("os.write(3, b'\\xff\\xff\\xff\\xff')", "an answer that is too long"),
        ("return Answer()", "no proper answer"),
        ("return Answer(error='internal', detail='none of ours')", "none of ours"),
        ("while True: more([View(b'x' * 1_000_000)])", "no proper answer"),
        ("more([View(b'x' * 32, 70_000)])", "no proper answer"),
        ("more([View(bytes(32))] * 131_073)", "no proper answer"),
        (
            "return Answer(hashed=Hashed('pdq', bytes(32), media_type='image/' + chr(0)))",
            "no proper",
        ),
        ("os._exit(3)", "exit status 3"),
        ("ctypes.string_at(0)", "SIGSEGV"),
        ("os.fork()", "what no decoder does"),
    ],
)
def test_whatever_a_broken_decoder_answers_is_an_undecodable_file(answer: str, words: str) -> None:
    decoders = taken_over(answer)
    with pytest.raises(Undecodable, match=words):
        decoders.hash(DATA)
    assert not decoders._idle
    decoders.close()


def taken_over(answer: str) -> Decoders:
    """One decoder, of which a file has put this in the place of what answers."""
    program = (
        "import ctypes, os, sys\n"
        "from kinward.media import decoder\n"
        "from kinward.media.medium import Hashed, View\n"
        "from kinward.media.messages import Answer\n"
        "def answer(what, data, bounds, more, tell):\n"
        f"    {answer}\n"
        "    import time; time.sleep(20)\n"
        "decoder.answer = answer\n"
        "decoder.main(*sys.argv[1:3])\n"
    )
    decoders = pool(count=1)
    decoders._spares = process.Spares(
        lambda: process.start_decoder(Bounds(MAX, 10.0), memory=1536 * MIB, program=("-c", program))
    )
    return decoders


def test_views_without_end_fill_no_memory_of_ours_and_what_was_told_is_looked_up() -> None:
    decoders, told = taken_over("while True: more([View(bytes(32))] * 60_000)"), [0]

    def more(views: Sequence[View]) -> bool:
        told[0] += len(views)
        return True

    hashed = decoders.hash(DATA, more)
    assert told[0] == 240_000  # the next message would be over the bound
    assert not hashed.entire
    assert [view.hash for view in hashed.views] == [bytes(32)]
    assert not decoders._idle
    decoders.close()


def test_a_wall_that_does_not_stand_is_named_and_nothing_is_decoded() -> None:
    program = (  # as on a kernel that has no Landlock: it does not know the number
        "import sys\n"
        "from kinward.media import decoder\n"
        "from kinward.media.cell import landlock\n"
        "landlock.LANDLOCK_CREATE_RULESET = 9999\n"
        "decoder.main(*sys.argv[1:3])\n"
    )
    start = partial(
        process.start_decoder, Bounds(MAX, 10.0), memory=1536 * MIB, program=("-c", program)
    )
    decoders = pool(count=1)
    decoders._spares = process.Spares(start)
    for _ in range(2):
        with pytest.raises(Unwalled, match=r"WITHOUT_WALLS=landlock") as refused:
            decoders.hash(DATA)
        assert "Linux 5.13" in refused.value.detail
    decoders._spares = process.Spares(partial(start, without=frozenset({"landlock"})))
    assert decoders.hash(DATA).width == 400
    assert "landlock" not in decoders.walls().standing
    decoders.close()


def test_a_decoder_that_does_not_start_is_an_error_and_its_words_are_logged() -> None:
    decoders = pool(count=1)
    decoders._spares = process.Spares(
        lambda: process.start_decoder(
            Bounds(MAX, 10.0), memory=1536 * MIB, program=("-c", "raise SystemExit('broken')")
        )
    )
    with pytest.raises(DecoderLost, match="exit status 1"):
        decoders.hash(DATA)
    decoders.close()


def test_the_setting_names_walls_that_exist() -> None:
    assert walls_named(["seccomp", " landlock ", ""]) == {"seccomp", "landlock"}
    with pytest.raises(NotConfigured, match="drawbridge"):
        walls_named(["drawbridge"])


def test_a_closed_cell_opens_and_imports_nothing_for_any_file() -> None:
    """What is not loaded before the walls close fails later, on a file that needs it."""
    program = (
        "import sys\n"
        "from kinward.media import decoder\n"
        "from kinward.media.messages import Answer\n"
        "answer, events = decoder.answer, []\n"
        "watched = ('open', 'import', 'ctypes.dlopen', 'os.listdir', 'os.scandir')\n"
        "sys.addaudithook(lambda name, arguments: events.append((name, str(arguments)[:200]))\n"
        "    if name in watched else None)\n"
        "def audited(what, data, bounds, more, tell):\n"
        "    events.clear()\n"
        "    answer(what, data, bounds, lambda views: True, tell)\n"
        "    return Answer(still=repr(events).encode())\n"
        "decoder.answer = audited\n"
        "decoder.main(*sys.argv[1:3])\n"
    )
    decoders = pool(count=1, seconds=60)
    decoders._spares = process.Spares(
        lambda: process.start_decoder(Bounds(MAX, 10.0), memory=1536 * MIB, program=("-c", program))
    )
    enough = lambda views: True  # noqa: E731
    picture = pictures.draw(3, (200, 150))
    files = [pictures.encode(picture, format) for format in ("JPEG", "PNG", "WEBP", "GIF", "AVIF")]
    files += [
        videos.encode(range(2), format=format, codec=codec, sound=sound)
        for format, codec, sound in (("mp4", "libx264", "aac"), ("webm", "libvpx", "libopus"))
    ]
    for data in [*files, *(data[: len(data) // 2] for data in files)]:
        for what in (HASH, STILL, VEIL, PLAY):
            turn = Turn(PICTURES, Payer(), 0.0)
            job = _Job(what, data, price_of(data), Payer(), enough)
            with decoders._decoder(turn) as decoder:
                answer = decoders._exchange(decoder, turn, job)
            assert answer.still == b"[]", (what, data[:16])
    decoders.close()


def test_a_decoder_knows_no_setting_of_ours() -> None:
    environ = environment({"KINWARD_EVIDENCE_KEY": "x", "PATH": "/bin", "PYTHONPATH": "src"})
    assert "KINWARD" not in str(environ)
    assert set(environ) >= {"PYTHONPATH", "OPENBLAS_NUM_THREADS"}
    assert "PATH" not in environ
