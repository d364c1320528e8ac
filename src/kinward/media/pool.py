"""The pool of decoder processes: bounded, walled in, and replaced on failure and in good time."""

import contextlib
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
from kinward.ground.turns import NOBODY, Payer, Turn
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
    MOST_VIEWS,
    PLAY,
    STILL,
    VEIL,
    Answer,
    read_message,
    request,
    write_message,
)
from kinward.media.overdue import Overdue
from kinward.media.places import Places
from kinward.media.price import (
    CONSOLE,
    FILMS,
    LOOKS,
    PICTURES,
    PLAYS,
    Price,
    console_lanes,
    price_of,
    upload_lanes,
)
from kinward.media.process import Decoder, Spares, name_of_signal, start_decoder
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
TOO_MANY: Final = "Its decoder told of more views than any file has."
PICTURE_SHARE: Final = 0.6  # of the time for an image, after which a decoder returns what it read

_ERRORS: dict[str, type[KinwardError]] = {
    error.code: error for error in (TypeUnsupported, Undecodable, TooManyPixels)
}


def _everything(views: Sequence[View]) -> bool:
    return True


class _Lost(Exception):
    """A decoder ended or took too long. `place`: of the part it had begun, if it told of one."""

    def __init__(self, fault: KinwardError, place: int | None) -> None:
        super().__init__(str(fault))
        self.fault, self.place = fault, place


class _Crowded(Exception):
    """A file of the pictures' lane has come to what lasts, and the films' lane has no room."""


class _Job(msgspec.Struct):
    """One request about one file, its price, and who is charged."""

    what: str
    data: bytes
    price: Price
    payer: Payer
    more: More = _everything


class Decoders:
    """A pool of `count` decoder processes for uploads, started on first use. Thread-safe.

    The console has two more. Both are shared by turns (`ground.turns`), each in two lanes, so that
    neither films nor one account keep others waiting.

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
        patience: float = 30.0,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self._patience = patience  # seconds that work waits for its turn at most
        self._seconds, self._video_seconds = seconds, video_seconds
        bounds = Bounds(max_pixels, video_seconds, PICTURE_SHARE * seconds)
        self._spares = Spares(lambda: start_decoder(bounds, memory=memory, without=without))
        self._uploads, self._console = Places(*upload_lanes(count)), Places(*console_lanes())
        self._lock = threading.Lock()
        self._idle: list[Decoder] = []

    def hash(
        self, data: bytes, more: More = _everything, *, payer: Payer = NOBODY, look: bool = False
    ) -> Hashed:
        """Decode and hash a file. `more` receives views and returns whether to continue.

        `payer`: who is charged. `look`: for somebody in the console, with the console's decoders.

        A part of the file that ends its decoder is left out by the next one. Then the result is
        what the decoders had told of, and not `entire`. `more` can receive a view twice. Raises
        `TypeUnsupported`, `Undecodable`, `TooManyPixels`, `Busy`, `DecoderLost` or `Unwalled`; so
        do the others.
        """
        told = Told(more)
        fault: KinwardError | None = None
        rest: Hashed | None = None
        after, killed = 0, False
        price = price_of(data)
        if look:
            price = msgspec.structs.replace(price, lane=PLAYS if price.lasts else LOOKS)
        for _ in range(TRIES):
            try:
                what = request(HASH, after, int(1000 * self._bound(price)))
                rest = self._ask(_Job(what, data, price, payer, told.more)).hashed
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
        self,
        data: bytes,
        *,
        veiled: bool,
        strand: int | None = None,
        moment: int = 0,
        payer: Payer = NOBODY,
    ) -> bytes:
        """Return a JPEG of a file, or of one moment of a strand, for a reviewer.

        Veiled: only a tiny grey blur.
        """
        numbers = () if strand is None else (strand, moment)
        what = request(VEIL if veiled else STILL, *numbers)
        return cast("bytes", self._answer(what, data, LOOKS, payer).still)

    def play(self, data: bytes, *, strand: int | None = None, payer: Payer = NOBODY) -> Playback:
        """Return a file, or the one of a strand, re-encoded for a reviewer."""
        what = request(PLAY, *(() if strand is None else (strand,)))
        return cast("Playback", self._answer(what, data, PLAYS, payer).playback)

    def contents(self, data: bytes, *, payer: Payer = NOBODY) -> Contents:
        """Return what there is to see in a file: each strand by itself, the file's own first."""
        return cast("Contents", self._answer(CONTENTS, data, LOOKS, payer).contents)

    def walls(self) -> Walls:
        """Start a decoder, end it, and return which walls stood around it.

        None is started ahead: who asks seldom has a file. Raises `Unwalled` or `DecoderLost`.
        """
        decoder = self._spares.start()
        decoder.end()
        return decoder.walls

    def close(self) -> None:
        """Kill all processes. Those of the next use are new."""
        with self._lock:
            idle, self._idle = self._idle, []
        for decoder in idle:
            decoder.end()
        self._spares.close()

    def _bound(self, price: Price) -> float:
        """Return the seconds of work that a file may take if it lasts."""
        return price.bound(min(self._seconds, self._video_seconds), self._video_seconds)

    def _places(self, lane: str) -> Places:
        return self._console if lane in CONSOLE else self._uploads

    @contextlib.contextmanager
    def _decoder(self, turn: Turn) -> Iterator[Decoder]:
        """Lend a decoder. It goes back alive, or is ended if it has done its share.

        Raises `Busy` if it is not this turn's time within our patience.
        """
        lasts = self._video_seconds if turn.lane in (FILMS, PLAYS) else self._seconds
        with self._places(turn.lane).taken(turn, self._patience + lasts):
            with self._lock:
                decoder = self._idle.pop() if self._idle else None
            if decoder is not None and not decoder.alive:
                decoder.end()
                decoder = None
            live = decoder or self._spares.take()
            try:
                yield live
            finally:
                if live.worn or not live.alive:
                    live.end()
                else:
                    with self._lock:
                        self._idle.append(live)

    def _answer(self, what: str, data: bytes, lane: str, payer: Payer) -> Answer:
        """Have a file read. Another decoder tries if somebody kills the first before it answers."""
        price = msgspec.structs.replace(price_of(data), lane=lane, claimed=False)
        job = _Job(what, data, price, payer)
        for again in (True, False):
            try:
                return self._ask(job)
            except _Lost as lost:
                if not (again and isinstance(lost.fault, DecoderLost)):
                    raise lost.fault from None
        raise DecoderLost

    def _ask(self, job: _Job) -> Answer:
        try:
            return self._ask_once(job)
        except _Crowded:  # once more, when it is its turn among the films
            lane = msgspec.structs.replace(job.price, lane=FILMS)
            return self._ask_once(msgspec.structs.replace(job, price=lane))

    def _ask_once(self, job: _Job) -> Answer:
        turn = Turn(job.price.lane, job.payer, job.price.seconds)
        with self._decoder(turn) as decoder:
            try:
                answer = self._exchange(decoder, turn, job)
                if answer.error:
                    raise _ERRORS.get(answer.error, Undecodable)(answer.detail)
                if getattr(answer, PARTS.get(job.what.split(maxsplit=1)[0], "still")) is None:
                    raise Undecodable(IMPROPER)
                return answer
            except TypeUnsupported:  # nothing was decoded
                raise
            except BaseException:  # whatever this file did to it, the next file gets a fresh one
                decoder.end()
                raise

    def _exchange(self, decoder: Decoder, turn: Turn, job: _Job) -> Answer:
        overdue, began = Overdue(decoder.process.kill, self._seconds), time.monotonic()
        if job.price.lasts or turn.lane == FILMS or job.what.startswith((PLAY, CONTENTS)):
            overdue.extend(self._bound(job.price) + GRACE)
        place: int | None = None
        left, views = MAX_ANSWER, MOST_VIEWS
        try:
            write_message(decoder.stdin, job.what.encode())
            write_message(decoder.stdin, job.data)
            while (message := read_message(decoder.stdout, left)) is not None:
                left -= len(message)
                answer = msgspec.msgpack.decode(message, type=Answer)
                if answer.views is not None:
                    views = _left_after(answer.views, views, place)
                    write_message(decoder.stdin, MORE if job.more(answer.views) else ENOUGH)
                elif answer.begun is not None:
                    place = answer.begun.place
                    if answer.begun.lasting:
                        if turn.lane == PICTURES and not self._uploads.move(turn, FILMS):
                            raise _Crowded
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


def _left_after(views: Sequence[View], most: int, place: int | None) -> int:
    """Return how many views may still come after these. Raises `_Lost` if these are too many."""
    if len(views) > most:
        raise _Lost(Undecodable(TOO_MANY), place)
    return most - len(views)


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
        patience=chosen.queue_seconds,
        without=walls_named(chosen.decoders_without_walls.split(",")),
    )
