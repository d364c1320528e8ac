"""The process that decodes strangers' bytes: bounded, walled in, without secrets, replaceable.

Run as `python -m kinward.media.decoder BOUNDS CELL`, both as JSON. Messages have a 4-byte
big-endian length and that many bytes. It loads all libraries, closes its cell, and writes which
walls stand (`Walls`, msgpack). Only then it reads. A request is two messages on standard input: the
operation (`hash`, `still`, `veil` or `play`) and the file. The answer is a message of msgpack on
standard output. While a video is hashed, its frames are written a few at a time, and after each
such message the process reads whether to continue. It ends with its input and with its parent.
"""

import importlib
import os
import pkgutil
import sys
import warnings
from collections.abc import Sequence
from typing import BinaryIO, Final

import msgspec

from kinward.ground.errors import KinwardError
from kinward.media.cell import Cell, close_cell
from kinward.media.medium import Bounds, More
from kinward.media.messages import HASH, MORE, PLAY, VEIL, Answer, read_message, write_message
from kinward.media.registry import medium_of

# Nothing can be imported once the cell is closed: our readers, each part of the libraries that they
# load late, and what Python itself loads when it meets an unusual text or an error.
READERS: Final = ("kinward.media.picture", "kinward.media.footage", "kinward.media.film")
PACKAGES: Final = ("av", "pillow_heif")
LATE: Final = (
    *("PIL.ImageCms", "PIL.ImageMorph", "PIL.ImageSequence", "traceback", "linecache", "decimal"),
    *(
        f"encodings.{name}"
        for name in ("ascii", "cp1252", "idna", "latin_1", "punycode", "unicode_escape")
    ),
    *(
        f"encodings.utf_{name}"
        for name in ("16", "16_be", "16_le", "32", "32_be", "32_le", "8_sig")
    ),
)


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


def load_libraries() -> None:
    """Import all that a file may need, since nothing can be opened later."""
    for name in (*READERS, *LATE):
        importlib.import_module(name)
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def enter(cell: Cell) -> tuple[BinaryIO, BinaryIO]:
    """Load the libraries and close the cell; returns the streams of requests and of answers."""
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of a library must not disturb the answers
    warnings.simplefilter("ignore")  # broken files would fill the log
    load_libraries()
    write_message(stdout, msgspec.msgpack.encode(close_cell(cell)))
    return stdin, stdout


def serve(bounds: Bounds, stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answer requests until the input ends."""

    def more(frames: Sequence[bytes]) -> bool:
        write_message(stdout, msgspec.msgpack.encode(Answer(frames=list(frames))))
        return read_message(stdin) == MORE

    while (what := read_message(stdin)) is not None and (data := read_message(stdin)) is not None:
        write_message(stdout, msgspec.msgpack.encode(answer(what.decode(), data, bounds, more)))


def main(bounds: str, cell: str) -> None:
    """Enter the cell, then answer requests. The arguments are `Bounds` and `Cell` as JSON."""
    streams = enter(msgspec.json.decode(cell, type=Cell))
    serve(msgspec.json.decode(bounds, type=Bounds), *streams)


if __name__ == "__main__":
    main(*sys.argv[1:3])
