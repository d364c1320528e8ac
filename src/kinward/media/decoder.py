"""The process that decodes strangers' bytes: bounded, without database or secrets, replaceable.

Run as `python -m kinward.media.decoder MAX_PIXELS MEMORY SECONDS`. On standard input it reads
messages, a 4-byte big-endian length and that many bytes: first what to do (`hash`, `still`, `veil`,
or `play`), then the file. On standard output it writes a message of msgpack, its answer. While it
hashes a file that lasts it first writes the frames that it finds, a few at a time, and reads after
each whether to go on. It ends when its input does, so it never outlives the process that asked.
"""

import contextlib
import os
import resource
import sys
import warnings
from collections.abc import Sequence

import msgspec

from kinward.ground.errors import KinwardError
from kinward.media.medium import Bounds, More
from kinward.media.messages import HASH, MORE, PLAY, VEIL, Answer, read_message, write_message
from kinward.media.registry import medium_of


def answer(what: str, data: bytes, bounds: Bounds, more: More) -> Answer:
    """Carry out one request; what a hostile file provokes becomes an answer."""
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


def main(max_pixels: int, memory: int, seconds: float) -> None:
    """Answer requests until the input ends."""
    with contextlib.suppress(ValueError, OSError):  # macOS does not let a process bound itself so
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not disturb the answers
    warnings.simplefilter("ignore")  # what strangers send is not worth a line in the log
    bounds = Bounds(max_pixels, seconds)

    def more(frames: Sequence[bytes]) -> bool:
        write_message(stdout, msgspec.msgpack.encode(Answer(frames=list(frames))))
        return read_message(stdin) == MORE

    while (what := read_message(stdin)) is not None and (data := read_message(stdin)) is not None:
        write_message(stdout, msgspec.msgpack.encode(answer(what.decode(), data, bounds, more)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
