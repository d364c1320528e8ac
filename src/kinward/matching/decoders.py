"""A few decoder processes, each bounded in time and memory and replaced when it misbehaves."""

import os
import queue
import subprocess
import sys
import threading
from functools import cache
from typing import BinaryIO, cast

import msgspec

from kinward.config import config
from kinward.errors import KinwardError
from kinward.matching.decoder import Answer, read_frame, write_frame
from kinward.matching.picture import Picture, TooManyPixels, TypeUnsupported, Undecodable

_ERRORS: dict[str, type[KinwardError]] = {
    error.code: error for error in (TypeUnsupported, Undecodable, TooManyPixels)
}


class Busy(KinwardError):
    """All decoders are busy. Try again in a moment."""

    code = "media.busy"
    status = 503


class Decoders:
    """A pool of `count` decoder processes, started when first needed. Safe for threads."""

    def __init__(self, *, count: int, seconds: float, max_pixels: int, memory: int) -> None:
        self._seconds = seconds
        self._arguments = [str(max_pixels), str(memory)]
        self._idle: queue.LifoQueue[subprocess.Popen[bytes] | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)

    def hash(self, data: bytes) -> Picture:
        """Decode and hash a picture in at most `seconds`."""
        return cast("Picture", self._ask("hash", data).picture)

    def preview(self, data: bytes, *, veiled: bool) -> bytes:
        """A JPEG to show a reviewer, or only its tiny grey blur."""
        return cast("bytes", self._ask("veil" if veiled else "preview", data).rendering)

    def close(self) -> None:
        """End the idle processes; busy ones end with this process."""
        while True:
            try:
                process = self._idle.get_nowait()
            except queue.Empty:
                return
            if process is not None:
                process.kill()
                process.wait()

    def _ask(self, what: str, data: bytes) -> Answer:
        try:
            process = self._idle.get(timeout=self._seconds)
        except queue.Empty:
            raise Busy from None
        live = None
        try:
            process = process if process and process.poll() is None else self._start()
            answer = self._exchange(process, what, data)
            live = process
        finally:
            self._idle.put(live)
        if answer.error:
            raise _ERRORS[answer.error](answer.detail)
        return answer

    def _exchange(self, process: subprocess.Popen[bytes], what: str, data: bytes) -> Answer:
        overdue = threading.Timer(self._seconds, process.kill)
        overdue.start()
        try:
            stdin = cast("BinaryIO", process.stdin)
            write_frame(stdin, what.encode())
            write_frame(stdin, data)
            frame = read_frame(cast("BinaryIO", process.stdout))
        except (BrokenPipeError, ConnectionResetError):
            frame = None
        finally:
            overdue.cancel()
        if frame is None:
            process.kill()
            process.wait()
            raise Undecodable(f"Decoding took more than {self._seconds:g} seconds, or crashed.")
        return msgspec.msgpack.decode(frame, type=Answer)

    def _start(self) -> subprocess.Popen[bytes]:
        # No setting and no secret of ours is in the environment of what reads strangers' bytes.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("KINWARD_")}
        environment["OPENBLAS_NUM_THREADS"] = "1"  # threads' stacks would eat the memory bound
        return subprocess.Popen(
            [sys.executable, "-m", "kinward.matching.decoder", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )


@cache
def decoders() -> Decoders:
    """This process's decoders, as configured."""
    chosen = config()
    return Decoders(
        count=chosen.decoders,
        seconds=chosen.decode_seconds,
        max_pixels=chosen.max_pixels,
        memory=chosen.decode_memory,
    )
