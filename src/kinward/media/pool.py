"""The pool of decoder processes: bounded, walled in, and replaced on failure and in good time."""

import contextlib
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, cast

import msgspec
import structlog

from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.media.cell import Walls, walls_named
from kinward.media.errors import DecoderLost, TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.medium import Bounds, Hashed, Medium, More, Playback
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
from kinward.media.process import Decoder, Spares, name_of_signal, start_decoder
from kinward.media.registry import medium_of

log = structlog.get_logger(__name__)

GRACE: Final = 5.0  # seconds over its own limit after which a decoder is killed
DYING_SECONDS: Final = 1.0  # from the end of a process's output to its exit status
# Bytes of all messages about one file. A film has at most 24 MiB; a decoder that was taken over
# must not fill our memory.
MAX_ANSWER: Final = 64 * 1024 * 1024

PARTS: Final = {HASH: "hashed", PLAY: "playback"}  # of an answer; else the still
IMPROPER: Final = "Its decoder gave no proper answer."  # only a broken one does

_ERRORS: dict[str, type[KinwardError]] = {
    error.code: error for error in (TypeUnsupported, Undecodable, TooManyPixels)
}


def _everything(frames: Sequence[bytes]) -> bool:
    return True


class Busy(KinwardError):
    """All decoders are busy. Try again in a moment."""

    code = "media.busy"
    status = 503


class Decoders:
    """A pool of `count` decoder processes, started on first use. Thread-safe.

    A decoder is killed if it takes longer than `seconds` for an image, or than `video_seconds` and
    a grace period for a video. It is replaced after any file that it could not read, and after
    `process.FILES` files. `without`: names of walls to leave out.
    """

    def __init__(
        self,
        *,
        count: int,
        seconds: float,
        video_seconds: float,
        max_pixels: int,
        memory: int,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self._seconds, self._video_seconds = seconds, video_seconds
        bounds = Bounds(max_pixels, video_seconds)
        self._spares = Spares(lambda: start_decoder(bounds, memory=memory, without=without))
        self._idle: queue.LifoQueue[Decoder | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)

    def hash(self, data: bytes, more: More = _everything) -> Hashed:
        """Decode and hash a file. `more` receives frames and returns whether to continue.

        Raises `TypeUnsupported`, `Undecodable`, `TooManyPixels`, `Busy`, `DecoderLost` or
        `Unwalled`; so do `still` and `play`.
        """
        return cast("Hashed", self._ask(HASH, data, more).hashed)

    def still(self, data: bytes, *, veiled: bool) -> bytes:
        """Return a JPEG of a file for a reviewer; veiled: only a tiny grey blur."""
        return cast("bytes", self._ask(VEIL if veiled else STILL, data).still)

    def play(self, data: bytes) -> Playback:
        """Return a file re-encoded for a reviewer."""
        return cast("Playback", self._ask(PLAY, data).playback)

    def walls(self) -> Walls:
        """Return which walls stand around a decoder. Raises `Unwalled`, `DecoderLost` or `Busy`."""
        with self._decoder() as decoder:
            return decoder.walls

    def close(self) -> None:
        """Kill all processes. Those of the next use are new."""
        idle = 0
        with contextlib.suppress(queue.Empty):
            while True:
                decoder = self._idle.get_nowait()
                idle += 1
                if decoder is not None:
                    decoder.end()
        self._spares.close()
        for _ in range(idle):
            self._idle.put(None)

    @contextlib.contextmanager
    def _decoder(self) -> Iterator[Decoder]:
        """Lend a decoder. It goes back alive, or is replaced if it was ended or has done its share.

        Raises `Busy` if none becomes idle in time.
        """
        try:
            idle = self._idle.get(timeout=self._seconds)
        except queue.Empty:
            raise Busy from None
        live = None
        try:
            if idle is not None and not idle.alive:
                idle.end()
                idle = None
            live = idle or self._spares.take()
            yield live
        finally:
            if live is not None and (live.worn or not live.alive):
                live.end()
                live = None
            self._idle.put(live)

    def _ask(self, what: str, data: bytes, more: More = _everything) -> Answer:
        """Have a file read. Another decoder tries if somebody kills the first before it answers."""
        medium, heard = medium_of(data), False

        def heard_more(frames: Sequence[bytes]) -> bool:
            nonlocal heard
            heard = True
            return more(frames)

        try:
            return self._ask_once(medium, what, data, heard_more)
        except DecoderLost:
            if heard:  # the caller would hear of the same frames again
                raise
            return self._ask_once(medium, what, data, heard_more)

    def _ask_once(self, medium: Medium, what: str, data: bytes, more: More) -> Answer:
        with self._decoder() as decoder:
            try:
                answer = self._exchange(decoder, medium, what, data, more)
                if answer.error:
                    raise _ERRORS.get(answer.error, Undecodable)(answer.detail)
                if getattr(answer, PARTS.get(what, "still")) is None:
                    raise Undecodable(IMPROPER)
                return answer
            except BaseException:  # whatever this file did to it, the next file gets a fresh one
                decoder.end()
                raise

    def _exchange(
        self, decoder: Decoder, medium: Medium, what: str, data: bytes, more: More
    ) -> Answer:
        seconds = self._video_seconds + GRACE if medium.lasting else self._seconds
        late = threading.Event()

        def stop() -> None:
            late.set()
            decoder.process.kill()

        overdue = threading.Timer(seconds, stop)
        overdue.start()
        began = time.monotonic()
        try:
            write_message(decoder.stdin, what.encode())
            write_message(decoder.stdin, data)
            left = MAX_ANSWER
            while (message := read_message(decoder.stdout, left)) is not None:
                left -= len(message)
                answer = msgspec.msgpack.decode(message, type=Answer)
                if answer.frames is None:
                    decoder.count(began)
                    return answer
                write_message(decoder.stdin, MORE if more(answer.frames) else ENOUGH)
        except (BrokenPipeError, ConnectionResetError):
            pass
        except msgspec.DecodeError:
            log.warning("decoder.answer_malformed", words=decoder.last_words())
            raise Undecodable(IMPROPER) from None
        finally:
            overdue.cancel()
        if late.is_set():
            raise Undecodable(f"Decoding took more than {seconds:g} seconds.")
        raise _post_mortem(decoder)


def _post_mortem(decoder: Decoder) -> KinwardError:
    """Return the error for a file whose decoder has died or answers too much."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        decoder.process.wait(DYING_SECONDS)
    crashed = not decoder.alive
    status = decoder.end()
    cause = name_of_signal(status) if crashed else "an answer that is too long"
    log.warning("decoder.ended", cause=cause, words=decoder.last_words())
    if crashed and status == -signal.SIGKILL:  # not by us: an operator, or a lack of memory
        return DecoderLost()
    if crashed and status == -signal.SIGSYS:
        return Undecodable("Its decoder tried what no decoder does, and was ended.")
    return Undecodable(f"Its decoder crashed ({cause}).")


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
        without=walls_named(chosen.decoders_without_walls.split(",")),
    )
