"""The process that decodes strangers' bytes: bounded, without database or secrets, replaceable.

Run as `python -m kinward.media.decoder MAX_PIXELS MEMORY SECONDS PICTURE_SECONDS`. Messages have a
4-byte big-endian length and that many bytes. A request is two messages on standard input: the
operation and the file. The operations are `hash`, `still`, `veil`, `play` and `contents`. Numbers
may follow: how many parts to leave out of a hash, or the strand and the moment of a still. The
answer is a message of msgpack on standard output. While a file is hashed, its views are written a
few at a time, and after each such message the process reads whether to continue. A file of several
parts also has a message before each part, which expects no answer. The process ends with its input,
so it never outlives its parent.
"""

import contextlib
import os
import resource
import sys
import warnings
from collections.abc import Callable, Sequence

import msgspec

from kinward.ground.errors import KinwardError
from kinward.media.composition import hash_parts, play_parts, still_of_parts, strands_of
from kinward.media.medium import Bounds, More, View
from kinward.media.messages import (
    CONTENTS,
    HASH,
    MORE,
    PLAY,
    VEIL,
    Answer,
    Begun,
    read_message,
    write_message,
)
from kinward.media.registry import SHOWN


def _untold(begun: Begun) -> None:
    return None


def answer(
    what: str, data: bytes, bounds: Bounds, more: More, tell: Callable[[Begun], None] = _untold
) -> Answer:
    """Carry out one request. Errors that a hostile file provokes become an answer."""
    name, *words = what.split()
    try:
        return _answer(name, [int(word) for word in words], data, bounds, more, tell)
    except KinwardError as error:
        return Answer(error=error.code, detail=error.detail)
    except MemoryError:
        return Answer(error="media.undecodable", detail="It needs more memory than is allowed.")


def _answer(
    name: str,
    numbers: list[int],
    data: bytes,
    bounds: Bounds,
    more: More,
    tell: Callable[[Begun], None],
) -> Answer:
    if name == HASH:

        def begins(place: int, lasting: bool) -> None:
            tell(Begun(place, lasting))

        after = numbers[0] if numbers else 0
        return Answer(hashed=hash_parts(data, bounds, more, SHOWN, begins=begins, after=after))
    strand = numbers[0] if numbers else None
    if name == PLAY:
        return Answer(playback=play_parts(data, bounds, SHOWN, strand=strand))
    if name == CONTENTS:
        return Answer(contents=strands_of(data, bounds, SHOWN))
    moment, veiled = numbers[1] if numbers[1:] else 0, name == VEIL
    still = still_of_parts(data, bounds, SHOWN, veiled=veiled, strand=strand, moment=moment)
    return Answer(still=still)


def main(max_pixels: int, memory: int, seconds: float, picture_seconds: float = 6.0) -> None:
    """Answer requests until the input ends."""
    with contextlib.suppress(ValueError, OSError):  # macOS refuses this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of a library must not disturb the answers
    warnings.simplefilter("ignore")  # broken files would fill the log
    bounds = Bounds(max_pixels, seconds, picture_seconds)

    def more(views: Sequence[View]) -> bool:
        write_message(stdout, msgspec.msgpack.encode(Answer(views=list(views))))
        return read_message(stdin) == MORE

    def tell(begun: Begun) -> None:
        write_message(stdout, msgspec.msgpack.encode(Answer(begun=begun)))

    while (what := read_message(stdin)) is not None and (data := read_message(stdin)) is not None:
        answered = answer(what.decode(), data, bounds, more, tell)
        write_message(stdout, msgspec.msgpack.encode(answered))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
