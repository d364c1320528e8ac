"""The pool of decoder processes: bounded, walled in, and replaced on failure and in good time."""

import contextlib
import queue
import signal
import subprocess
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
from kinward.media.medium import (
    Bounds,
    Contents,
    Hashed,
    More,
    Playback,
    View,
)
from kinward.media.messages import (
    CONTENTS,
    ENOUGH,
    HASH,
    MORE,
    PLAY,
    STILL,
    VEIL,
    Answer,
    read_message,
    request,
    write_message,
)
from kinward.media.overdue import Overdue
from kinward.media.process import Decoder, Spares, name_of_signal, start_decoder
from kinward.media.registry import find_medium
from kinward.media.told import Told

log = structlog.get_logger(__name__)

TRIES: Final = 3  # decoders that one file may end
GRACE: Final = 5.0  # seconds over its own limit after which a decoder is killed
DYING_SECONDS: Final = 1.0  # from the end of a process's output to its exit status
# Bytes of all messages about one file. A film has at most 24 MiB; a decoder that was taken over
# must not fill our memory.
MAX_ANSWER: Final = 64 * 1024 * 1024

PARTS: Final = {
    HASH: "hashed",
    PLAY: "playback",
    CONTENTS: "contents",
}  # of an answer; else the still
IMPROPER: Final = "Its decoder gave no proper answer."  # only a broken one does
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


class _Lost(Exception):
    """A decoder ended or took too long. `place`: of the part it had begun, if it told of one."""

    def __init__(self, fault: KinwardError, place: int | None) -> None:
        super().__init__(str(fault))
        self.fault, self.place = fault, place


def _begins_lasting(data: bytes) -> bool:
    medium = find_medium(data)
    return medium is not None and medium.lasting


class Decoders:
    """A pool of `count` decoder processes, started on first use. Thread-safe.

    A decoder is killed if it takes longer than `seconds`, or than `video_seconds` and a grace
    period for what is played, and once it begins something that lasts. It is replaced after any
    file that it could not read, and after `process.FILES` files. `without`: names of walls to leave
    out.
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
        bounds = Bounds(max_pixels, video_seconds, PICTURE_SHARE * seconds)
        self._spares = Spares(lambda: start_decoder(bounds, memory=memory, without=without))
        self._idle: queue.LifoQueue[Decoder | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)

    def hash(self, data: bytes, more: More = _everything) -> Hashed:
        """Decode and hash a file. `more` receives views and returns whether to continue.

        A part of the file that ends its decoder is left out by the next one. Then the result is
        what the decoders had told of, and not `entire`. `more` can receive a view twice. Raises
        `TypeUnsupported`, `Undecodable`, `TooManyPixels`, `Busy`, `DecoderLost` or `Unwalled`; so
        do the others.
        """
        told = Told(more)
        fault: KinwardError | None = None
        rest: Hashed | None = None
        after, killed = 0, False
        for _ in range(TRIES):
            try:
                rest = self._ask(request(HASH, after) if after else HASH, data, told.more).hashed
                break
            except _Lost as lost:
                if isinstance(lost.fault, DecoderLost) and not killed:
                    killed = True  # by somebody else: the same once more
                    continue
                fault = fault or lost.fault
                if lost.place is None or not told.wanted:
                    break
                after = lost.place + 1
            except KinwardError:
                if fault is None:
                    raise
                break
        if fault is None and rest is not None:
            return rest
        if rest is None and not told.views:
            raise fault or DecoderLost
        return told.hashed(data, rest)

    def still(
        self, data: bytes, *, veiled: bool, strand: int | None = None, moment: int = 0
    ) -> bytes:
        """Return a JPEG of a file, or of one moment of a strand, for a reviewer.

        Veiled: only a tiny grey blur.
        """
        numbers = () if strand is None else (strand, moment)
        what = request(VEIL if veiled else STILL, *numbers)
        return cast("bytes", self._answer(what, data).still)

    def play(self, data: bytes, *, strand: int | None = None) -> Playback:
        """Return a file, or the one of a strand, re-encoded for a reviewer."""
        what = request(PLAY, *(() if strand is None else (strand,)))
        return cast("Playback", self._answer(what, data).playback)

    def contents(self, data: bytes) -> Contents:
        """Return what there is to see in a file: each strand by itself, the file's own first."""
        return cast("Contents", self._answer(CONTENTS, data).contents)

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

    def _answer(self, what: str, data: bytes) -> Answer:
        """Have a file read. Another decoder tries if somebody kills the first before it answers."""
        for again in (True, False):
            try:
                return self._ask(what, data)
            except _Lost as lost:
                if not (again and isinstance(lost.fault, DecoderLost)):
                    raise lost.fault from None
        raise DecoderLost

    def _ask(self, what: str, data: bytes, more: More = _everything) -> Answer:
        with self._decoder() as decoder:
            try:
                answer = self._exchange(decoder, what, data, more)
                if answer.error:
                    raise _ERRORS.get(answer.error, Undecodable)(answer.detail)
                if getattr(answer, PARTS.get(what.split(maxsplit=1)[0], "still")) is None:
                    raise Undecodable(IMPROPER)
                return answer
            except TypeUnsupported:  # nothing was decoded
                raise
            except BaseException:  # whatever this file did to it, the next file gets a fresh one
                decoder.end()
                raise

    def _exchange(self, decoder: Decoder, what: str, data: bytes, more: More) -> Answer:
        overdue, began = Overdue(decoder.process.kill, self._seconds), time.monotonic()
        if what.startswith((PLAY, CONTENTS)) or _begins_lasting(data):
            overdue.extend(self._video_seconds + GRACE)
        place: int | None = None
        left = MAX_ANSWER
        try:
            write_message(decoder.stdin, what.encode())
            write_message(decoder.stdin, data)
            while (message := read_message(decoder.stdout, left)) is not None:
                left -= len(message)
                answer = msgspec.msgpack.decode(message, type=Answer)
                if answer.views is not None:
                    write_message(decoder.stdin, MORE if more(answer.views) else ENOUGH)
                elif answer.begun is not None:
                    place = answer.begun.place
                    if answer.begun.lasting:
                        overdue.extend(self._video_seconds + GRACE)
                else:
                    decoder.count(began)
                    return answer
        except (BrokenPipeError, ConnectionResetError):
            pass
        except msgspec.DecodeError:
            log.warning("decoder.answer_malformed", words=decoder.last_words())
            raise Undecodable(IMPROPER) from None
        finally:
            overdue.cancel()
        if overdue.late:
            late = Undecodable(f"Decoding took more than {overdue.seconds:g} seconds.")
            raise _Lost(late, place)
        raise _Lost(_post_mortem(decoder), place)


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
