"""The process that decodes strangers' bytes: bounded, without database or secrets, replaceable.

Run as `python -m kinward.matching.decoder MAX_PIXELS MEMORY SECONDS`. On standard input it reads
messages, a 4-byte big-endian length and that many bytes: first what to do (`hash`, `preview`,
`veil`, or `film` of a video), then the file. On standard output it writes a message of msgpack,
its answer. Of a video that it hashes it first writes the frames that it finds, a few at a time, and
reads after each whether to go on. It ends when its input does, so it never outlives the process
that asked.
"""

import contextlib
import os
import resource
import struct
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import BinaryIO

import msgspec

from kinward.errors import KinwardError
from kinward.matching.footage import Film, Video, video_format
from kinward.matching.picture import Picture, TypeUnsupported, read_picture, render_preview

MORE, ENOUGH = b"more", b"enough"


class Answer(msgspec.Struct):
    """Exactly one of a picture, a video or some of its frames, a rendering, a film, an error."""

    picture: Picture | None = None
    video: Video | None = None
    frames: list[bytes] | None = None
    rendering: bytes | None = None
    film: Film | None = None
    error: str = ""
    detail: str = ""


def answer(
    what: str, data: bytes, max_pixels: int, seconds: float, more: Callable[[Sequence[bytes]], bool]
) -> Answer:
    """Carry out one request; what a hostile file provokes becomes an answer."""
    try:
        if video_format(data):
            return _video_answer(what, data, max_pixels, seconds, more)
        if what == "hash":
            return Answer(picture=read_picture(data, max_pixels))
        if what == "film":
            raise TypeUnsupported("It is no video.")
        return Answer(rendering=render_preview(data, max_pixels, veiled=what == "veil"))
    except KinwardError as error:
        return Answer(error=error.code, detail=error.detail)
    except MemoryError:
        return Answer(error="media.undecodable", detail="It needs more memory than is allowed.")


def _video_answer(
    what: str, data: bytes, max_pixels: int, seconds: float, more: Callable[[Sequence[bytes]], bool]
) -> Answer:
    # FFmpeg is loaded only where there is a video, and never into whoever asks.
    from kinward.matching.video import read_video, render_sheet

    if what == "hash":
        return Answer(video=read_video(data, max_pixels=max_pixels, seconds=seconds, more=more))
    if what == "film":
        from kinward.matching.film import render_film

        return Answer(film=render_film(data, max_pixels=max_pixels, seconds=seconds))
    return Answer(rendering=render_sheet(data, max_pixels, veiled=what == "veil"))


def read_message(stream: BinaryIO) -> bytes | None:
    """The next length-prefixed message, or nothing at the end of the stream."""
    header = stream.read(4)
    if len(header) < 4:
        return None
    (length,) = struct.unpack(">I", header)
    body = stream.read(length)
    return body if len(body) == length else None


def write_message(stream: BinaryIO, body: bytes) -> None:
    """Write a length-prefixed message."""
    stream.write(struct.pack(">I", len(body)))
    stream.write(body)
    stream.flush()


def main(max_pixels: int, memory: int, seconds: float) -> None:
    """Answer requests until the input ends."""
    with contextlib.suppress(ValueError, OSError):  # macOS does not let a process bound itself so
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not disturb the answers
    warnings.simplefilter("ignore")  # what strangers send is not worth a line in the log

    def more(frames: Sequence[bytes]) -> bool:
        write_message(stdout, msgspec.msgpack.encode(Answer(frames=list(frames))))
        return read_message(stdin) == MORE

    while (what := read_message(stdin)) is not None and (data := read_message(stdin)) is not None:
        found = answer(what.decode(), data, max_pixels, seconds, more)
        write_message(stdout, msgspec.msgpack.encode(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
