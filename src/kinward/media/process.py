"""A decoder process as its parent sees it: started, asked for its walls, and ended."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import BinaryIO, Final, cast

import msgspec
import structlog

from kinward.ground.priority import step_back
from kinward.ground.privacy import close_memory
from kinward.media.cell import REQUIRED, Cell, Walls, environment
from kinward.media.errors import DecoderLost, Unwalled
from kinward.media.medium import Bounds
from kinward.media.messages import read_message

log = structlog.get_logger(__name__)

PROGRAM: Final = ("-m", "kinward.media.decoder")
START_SECONDS: Final = 60.0
# A decoder is replaced after so many files, whatever happened, so that one which was taken over
# unnoticed cannot answer for the files of others for long. Starting one costs 0.4 seconds of
# processor time, ahead of need: under a hundredth of what 500 photos of a telephone take.
FILES: Final = 500
BUSY_SECONDS: Final = 600.0  # or after so much work, far below its limit of processor time
GIVES_WAY: Final = 5  # steps of niceness: who answers from memory goes before who decodes
LAST_WORDS: Final = 2000  # characters of its standard error in our log


class Decoder:
    """A decoder process whose cell is closed. Not thread-safe: one exchange at a time."""

    def __init__(self, process: subprocess.Popen[bytes], messages: int) -> None:
        self.process = process
        self.stdin = cast("BinaryIO", process.stdin)
        self.stdout = cast("BinaryIO", process.stdout)
        self.walls = Walls([], {})
        self._messages = messages  # a descriptor: the process's standard error
        self._words = b""
        self._files = 0
        self._busy = 0.0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    @property
    def worn(self) -> bool:
        """Whether it has done its share and is to be replaced."""
        return self._files >= FILES or self._busy >= BUSY_SECONDS

    def count(self, began: float) -> None:
        """Count a file that was begun at this monotonic time, and empty the pipe of messages."""
        self._files += 1
        self._busy += time.monotonic() - began
        self._listen()

    def end(self) -> int:
        """Kill the process if it runs, and return its exit status, negative for a signal."""
        # Where we may not signal its user, it ends with its input.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            self.process.kill()
        for stream in (self.stdin, self.stdout):
            with contextlib.suppress(OSError):  # what was not written yet can no longer be
                stream.close()
        status = self.process.wait()
        self._listen()
        if self._messages >= 0:
            os.close(self._messages)
            self._messages = -1
        return status

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error. For the log; a stranger's words."""
        return self._words.decode(errors="replace")

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while self._messages >= 0 and (words := os.read(self._messages, 1 << 16)):
                self._words = (self._words + words)[-LAST_WORDS:]


def start_decoder(
    bounds: Bounds,
    *,
    memory: int,
    without: frozenset[str] = frozenset(),
    program: tuple[str, ...] = PROGRAM,
) -> Decoder:
    """Start a decoder and wait until its cell is closed. The calling thread must outlive it.

    `memory`: bytes of address space. `without`: walls to leave out. `program`: what Python runs.
    Raises `Unwalled` if a required wall does not stand, `DecoderLost` if it did not start.
    """
    if "parent" not in without:
        close_memory()
    seconds = int(2 * (BUSY_SECONDS + bounds.seconds)) * (os.cpu_count() or 1)
    cell = Cell(os.getpid(), memory, seconds, without)
    arguments = [msgspec.json.encode(struct).decode() for struct in (bounds, cell)]
    messages, standard_error = os.pipe()
    # What nobody reads in time is lost. A library that writes much must not wait for us.
    for end in (messages, standard_error):
        os.set_blocking(end, False)
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", *program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=standard_error,
            env=environment(os.environ),
            start_new_session=True,
        )
    except BaseException:
        os.close(messages)
        raise
    finally:
        os.close(standard_error)
    decoder = Decoder(process, messages)
    step_back(GIVES_WAY, process.pid)
    try:
        decoder.walls = _read_walls(decoder)
        _require(decoder.walls, REQUIRED - without)
    except BaseException:
        decoder.end()
        raise
    return decoder


def _read_walls(decoder: Decoder) -> Walls:
    overdue = threading.Timer(START_SECONDS, decoder.process.kill)
    overdue.start()
    try:
        message = read_message(decoder.stdout)
    finally:
        overdue.cancel()
    if message is None:
        status = decoder.end()
        log.error("decoder.not_started", status=status, words=decoder.last_words())
        raise DecoderLost(f"It did not start (exit status {status}). The log has its last words.")
    walls = msgspec.msgpack.decode(message, type=Walls)
    try:
        os.kill(decoder.process.pid, 0)
    except PermissionError:
        reason = "its user may not be signalled: the service lacks CAP_KILL"
        return Walls([], walls.missing | {"user": reason})
    return walls


def _require(walls: Walls, required: frozenset[str]) -> None:
    lacking = {name: walls.missing.get(name, "not built") for name in required}
    lacking = {name: why for name, why in lacking.items() if name not in walls.standing}
    if lacking:
        reasons = "; ".join(f"{name}: {why}" for name, why in sorted(lacking.items()))
        raise Unwalled(
            f"Missing: {reasons}. Correct that, or set "
            f"KINWARD_DECODERS_WITHOUT_WALLS={','.join(sorted(lacking))} and accept the risk."
        )
    for name, why in walls.missing.items():
        log.warning("decoder.without_wall", wall=name, why=why)


class Spares:
    """Starts decoders in a thread of its own, one ahead of need. Thread-safe.

    The kernel ends a decoder with the thread that started it, so this thread lives until `close`.
    """

    def __init__(self, start: Callable[[], Decoder]) -> None:
        self._start = start
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ready: list[Decoder] = []
        self._faults: list[BaseException] = []  # one for each who waited when a start failed
        self._waiting = 0
        self._ahead = False  # not after a fault, until somebody asks again

    def start(self) -> Decoder:
        """Start a decoder in the calling thread, and none ahead. The caller ends it."""
        return self._start()

    def take(self) -> Decoder:
        """Return a new decoder, and have the next one started. Raises what `start_decoder` does."""
        while True:
            decoder = self._next()
            if decoder.alive:
                return decoder
            decoder.end()  # somebody killed it while it waited

    def close(self) -> None:
        """End the thread, and with it every decoder that it started."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join()

    def _next(self) -> Decoder:
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            self._waiting += 1
            self._ahead = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ready or self._faults)
            self._waiting -= 1
            if not self._ready:
                raise self._faults.pop()
            decoder = self._ready.pop()
            self._changed.notify_all()
            return decoder

    def _run(self) -> None:
        mine = threading.current_thread()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._thread is not mine or self._lacking())
                if self._thread is not mine:
                    break
            try:
                started = self._start()
            except BaseException as error:  # raised where a decoder is taken
                with self._changed:
                    self._faults, self._ahead = [error] * self._waiting, False
                    self._changed.notify_all()
            else:
                with self._changed:
                    self._ready.append(started)
                    self._changed.notify_all()
        for spare in self._ready:
            spare.end()
        self._ready = []

    def _lacking(self) -> bool:
        return self._waiting > len(self._ready) + len(self._faults) or (
            self._ahead and not self._ready
        )


def name_of_signal(status: int) -> str:
    """Return the name of the signal in an exit status such as -11, or the status.

    >>> name_of_signal(-11), name_of_signal(1)
    ('SIGSEGV', 'exit status 1')
    """
    if status < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
    return f"exit status {status}"
