"""The pool of decoder processes, which are bounded in time and memory and replaced on failure."""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import cache
from typing import BinaryIO, Final, cast

import msgspec

from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.media.errors import TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.medium import (
    MAX_FRAMES,
    MAX_VIEWS,
    Hashed,
    More,
    Playback,
    Strand,
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
from kinward.media.registry import medium_of

TRIES: Final = 3  # decoders that one file may end
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


class _Lost(Exception):
    """A decoder ended or took too long. `place`: of the part it had begun, if it told of one."""

    def __init__(self, seconds: float, place: int | None) -> None:
        super().__init__(f"Decoding took more than {seconds:g} seconds, or crashed.")
        self.place = place


class _Overdue:
    """Kills a process after so many seconds, which can be extended once."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.seconds, self._process, self._extended = seconds, process, False
        self._began = time.monotonic()
        self._timer = self._start(seconds)

    def _start(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        return timer

    def extend(self, seconds: float) -> None:
        """Let the process live for `seconds` from its beginning, unless that was done before."""
        if self._extended or seconds <= self.seconds:
            return
        self._timer.cancel()
        self._extended, self.seconds = True, seconds
        self._timer = self._start(max(0.0, self._began + seconds - time.monotonic()))

    def cancel(self) -> None:
        self._timer.cancel()


class _Told:
    """What decoders told of one file: its views, and whether the caller wants more."""

    def __init__(self, more: More) -> None:
        self._more, self.wanted = more, True
        self.views: list[View] = []

    def more(self, views: Sequence[View]) -> bool:
        self.views += views
        self.wanted = self._more(views)
        return self.wanted

    def hashed(self, data: bytes, rest: Hashed | None) -> Hashed:
        """Return the result for a file of which a decoder was lost. `rest`: of its other parts."""
        views = list(dict.fromkeys([*self.views, *(rest.views if rest else ())]))
        moments = {(view.strand, view.moment): view.hash for view in reversed(views)}
        frames = [moments[key] for key in sorted(moments)][:MAX_FRAMES]
        return Hashed(
            kind="pdq" if len(frames) == 1 else "video",
            signature=b"".join(frames),
            media_type=_media_type(data) or (rest.media_type if rest else ""),
            frames=len(frames),
            quality=100 if len(frames) == 1 else None,  # no view is of low quality
            seconds=rest.seconds if rest else 0.0,
            entire=False,
            views=tuple(views[:MAX_VIEWS]),
        )


def _is_lasting(data: bytes) -> bool:
    try:
        return medium_of(data).lasting
    except TypeUnsupported:
        return False


def _media_type(data: bytes) -> str:
    try:
        return medium_of(data).recognise(data)
    except TypeUnsupported:
        return ""


class Decoders:
    """A pool of `count` decoder processes, started on first use. Thread-safe.

    A decoder is killed if it takes longer than `seconds`, or than `video_seconds` and a grace
    period for what is played, and once it begins something that lasts.
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

        A part of the file that ends its decoder is left out by the next one. Then the result is
        what the decoders had told of, and not `entire`. Raises `TypeUnsupported`, `Undecodable`,
        `TooManyPixels` or `Busy`; so do the others.
        """
        told = _Told(more)
        lost: _Lost | None = None
        rest: Hashed | None = None
        after = 0
        for _ in range(TRIES):
            try:
                rest = self._ask(request(HASH, after) if after else HASH, data, told.more).hashed
                break
            except _Lost as fault:
                lost = lost or fault
                if fault.place is None or not told.wanted:
                    break
                after = fault.place + 1
            except KinwardError:
                if lost is None:
                    raise
                break
        if lost is None:
            return cast("Hashed", rest)
        if rest is None and not told.views:
            raise Undecodable(str(lost)) from None
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

    def contents(self, data: bytes) -> list[Strand]:
        """Return what there is to see in a file: each strand by itself, the file's own first."""
        return cast("list[Strand]", self._answer(CONTENTS, data).contents)

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

    def _answer(self, what: str, data: bytes) -> Answer:
        try:
            return self._ask(what, data)
        except _Lost as lost:
            raise Undecodable(str(lost)) from None

    def _ask(self, what: str, data: bytes, more: More = _everything) -> Answer:
        try:
            process = self._idle.get(timeout=self._seconds)
        except queue.Empty:
            raise Busy from None
        live = None
        try:
            process = process if process and process.poll() is None else self._start()
            answer = self._exchange(process, what, data, more)
            live = process
        finally:
            self._idle.put(live)
        if answer.error:
            raise _ERRORS[answer.error](answer.detail)
        return answer

    def _exchange(
        self, process: subprocess.Popen[bytes], what: str, data: bytes, more: More
    ) -> Answer:
        overdue = _Overdue(process, self._seconds)
        if what.startswith((PLAY, CONTENTS)) or _is_lasting(data):
            overdue.extend(self._video_seconds + GRACE)
        place: int | None = None
        done = False
        try:
            stdin, stdout = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
            write_message(stdin, what.encode())
            write_message(stdin, data)
            while (message := read_message(stdout)) is not None:
                answer = msgspec.msgpack.decode(message, type=Answer)
                if answer.views is not None:
                    write_message(stdin, MORE if more(answer.views) else ENOUGH)
                elif answer.begun is not None:
                    place = answer.begun.place
                    if answer.begun.lasting:
                        overdue.extend(self._video_seconds + GRACE)
                else:
                    done = True
                    return answer
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            overdue.cancel()
            if not done:
                process.kill()
                process.wait()
        raise _Lost(overdue.seconds, place)

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
