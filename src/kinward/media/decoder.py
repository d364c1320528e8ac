"""The process that decodes strangers' bytes: bounded, without database or secrets, replaceable.

Run as `python -m kinward.media.decoder MAX_PIXELS MEMORY SECONDS PICTURE_SECONDS`. Messages have a 4-byte
big-endian length and that many bytes. A request is two messages on standard input: the operation
(`hash`, `still`, `veil` or `play`) and the file. The answer is a message of msgpack on standard
output. While a file is hashed, its views are written a few at a time, and after each such message
the process reads whether to continue. It ends with its input, so it never outlives its parent.
"""

import contextlib
import os
import resource
import sys
import warnings
from collections.abc import Sequence

import msgspec

from kinward.ground.errors import KinwardError
from kinward.media.medium import Bounds, More, View
from kinward.media.messages import HASH, MORE, PLAY, VEIL, Answer, read_message, write_message
from kinward.media.registry import medium_of


def answer(what: str, data: bytes, bounds: Bounds, more: More) -> Answer:
    """Carry out one request. Errors that a hostile file provokes become an answer."""
    try:
        medium = medium_of(data)
        if what == HASH:
            return Answer(hashed=medium.hash(data, bounds, more))
        if what == PLAY:
            return Answer(playback=medium.play(data, bounds))
        return Answer(still=medium.still(data, bounds, veiled=what == VEIL))
    except KinwardError as error:
        return Answer(error=error.code, detail=error.detail)
    except MemoryError:
        return Answer(error="media.undecodable", detail="It needs more memory than is allowed.")


def main(max_pixels: int, memory: int, seconds: float, picture_seconds: float) -> None:
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

    while (what := read_message(stdin)) is not None and (data := read_message(stdin)) is not None:
        write_message(stdout, msgspec.msgpack.encode(answer(what.decode(), data, bounds, more)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
