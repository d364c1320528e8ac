"""The pool of decoder processes, which are bounded in time and memory and replaced on failure."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import cache
from typing import BinaryIO, Final, cast

import msgspec

from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.media.errors import TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.medium import Hashed, Medium, More, Playback, View
from kinward.media.messages import (
    ENOUGH,
    HASH,
    MORE,
    PLAY,
    STILL,
    VEIL,
    Answer,
    read_message,
    write_message,
)
from kinward.media.registry import medium_of

GRACE: Final = 5.0  # seconds over its own limit after which a decoder is killed
PICTURE_SHARE: Final = 0.6  # of the time for an image, after which a decoder returns what it read

_ERRORS: dict[str, type[KinwardError]] = {
    error.code: error for error in (TypeUnsupported, Undecodable, TooManyPixels)
}


def _everything(views: Sequence[View]) -> bool:
    return True


class Busy(KinwardError):
    """All decoders are busy. Try again in a moment."""

    code = "media.busy"
    status = 503


class Decoders:
    """A pool of `count` decoder processes, started on first use. Thread-safe.

    A decoder is killed if it takes longer than `seconds` for an image, or than `video_seconds` and
    a grace period for a video.
    """

    def __init__(
        self, *, count: int, seconds: float, video_seconds: float, max_pixels: int, memory: int
    ) -> None:
        self._seconds, self._video_seconds = seconds, video_seconds
        limits = (max_pixels, memory, video_seconds, PICTURE_SHARE * seconds)
        self._arguments = [str(limit) for limit in limits]
        self._idle: queue.LifoQueue[subprocess.Popen[bytes] | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)

    def hash(self, data: bytes, more: More = _everything) -> Hashed:
        """Decode and hash a file. `more` receives views and returns whether to continue.

        Raises `TypeUnsupported`, `Undecodable`, `TooManyPixels` or `Busy`; so do `still` and
        `play`.
        """
        return cast("Hashed", self._ask(HASH, data, more).hashed)

    def still(self, data: bytes, *, veiled: bool) -> bytes:
        """Return a JPEG of a file for a reviewer; veiled: only a tiny grey blur."""
        return cast("bytes", self._ask(VEIL if veiled else STILL, data).still)

    def play(self, data: bytes) -> Playback:
        """Return a file re-encoded for a reviewer."""
        return cast("Playback", self._ask(PLAY, data).playback)

    def close(self) -> None:
        """Kill the idle processes. Busy ones end with this process."""
        while True:
            try:
                process = self._idle.get_nowait()
            except queue.Empty:
                return
            if process is not None:
                process.kill()
                process.wait()

    def _ask(self, what: str, data: bytes, more: More = _everything) -> Answer:
        medium = medium_of(data)
        try:
            process = self._idle.get(timeout=self._seconds)
        except queue.Empty:
            raise Busy from None
        live = None
        try:
            process = process if process and process.poll() is None else self._start()
            answer = self._exchange(process, medium, what, data, more)
            live = process
        finally:
            self._idle.put(live)
        if answer.error:
            raise _ERRORS[answer.error](answer.detail)
        return answer

    def _exchange(
        self,
        process: subprocess.Popen[bytes],
        medium: Medium,
        what: str,
        data: bytes,
        more: More,
    ) -> Answer:
        seconds = self._video_seconds + GRACE if medium.lasting else self._seconds
        overdue = threading.Timer(seconds, process.kill)
        overdue.start()
        done = False
        try:
            stdin, stdout = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
            write_message(stdin, what.encode())
            write_message(stdin, data)
            while (message := read_message(stdout)) is not None:
                answer = msgspec.msgpack.decode(message, type=Answer)
                if answer.views is None:
                    done = True
                    return answer
                write_message(stdin, MORE if more(answer.views) else ENOUGH)
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            overdue.cancel()
            if not done:
                process.kill()
                process.wait()
        raise Undecodable(f"Decoding took more than {seconds:g} seconds, or crashed.")

    def _start(self) -> subprocess.Popen[bytes]:
        # The process that reads strangers' bytes gets no setting and no secret of ours.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("KINWARD_")}
        environment["OPENBLAS_NUM_THREADS"] = (
            "1"  # the stacks of threads would use up the memory limit
        )
        return subprocess.Popen(
            [sys.executable, "-m", "kinward.media.decoder", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )


@cache
def decoders() -> Decoders:
    """Return the decoders of this process, as configured."""
    chosen = config()
    return Decoders(
        count=chosen.decoders,
        seconds=chosen.decode_seconds,
        video_seconds=chosen.video_seconds,
        max_pixels=chosen.max_pixels,
        memory=chosen.decode_memory,
    )
