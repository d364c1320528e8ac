"""The process that decodes strangers' bytes: bounded, walled in, without secrets, replaceable.

Run as `python -m kinward.media.decoder BOUNDS CELL`, both as JSON. Messages have a 4-byte
big-endian length and that many bytes. It loads all libraries, closes its cell, and writes which
walls stand (`Walls`, msgpack). Only then it reads. A request is two messages on standard input: the
operation and the file. The operations are `hash`, `still`, `veil`, `play` and `contents`. Numbers
may follow: how many parts to leave out of a hash, and the milliseconds that a hash may take if the
file lasts; or the strand and the moment of a still. The answer is a message of msgpack on standard
output. While a file is hashed, its views are written a few at a time, and after each such message
the process reads whether to continue. A file of several parts also has a message before each part,
which expects no answer. The process ends with its input and with its parent.
"""

import importlib
import os
import pkgutil
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import BinaryIO, Final

import msgspec

from kinward.ground.errors import KinwardError
from kinward.media.cell import Cell, close_cell
from kinward.media.composition import hash_parts, play_parts, still_of_parts, strands_of
from kinward.media.medium import Bounds, More, View
from kinward.media.messages import (
    CONTENTS,
    HASH,
    MAX_DETAIL,
    MORE,
    PLAY,
    VEIL,
    Answer,
    Begun,
    read_message,
    write_message,
)
from kinward.media.registry import SHOWN

# Nothing can be imported once the cell is closed: our readers, each part of their libraries, and
# what Python itself loads when it meets an unusual text or an error.
PACKAGES: Final = ("kinward.media", "av", "pillow_heif")
PARENTS: Final = ("kinward.media.pool", "kinward.media.process", "kinward.media.decoder")
LATE: Final = (
    *("PIL.ImageCms", "PIL.ImageMorph", "PIL.ImageSequence", "traceback", "linecache", "decimal"),
    *("numpy.ma", "numpy.fft", "numpy.linalg", "numpy.random"),
    *(
        f"encodings.{name}"
        for name in ("ascii", "cp1252", "idna", "latin_1", "punycode", "unicode_escape")
    ),
    *(
        f"encodings.utf_{name}"
        for name in ("16", "16_be", "16_le", "32", "32_be", "32_le", "8_sig")
    ),
)


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
        return Answer(error=error.code, detail=error.detail[:MAX_DETAIL])
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
        if numbers[1:]:
            bounds = msgspec.structs.replace(bounds, seconds=min(bounds.seconds, numbers[1] / 1000))
        return Answer(hashed=hash_parts(data, bounds, more, SHOWN, begins=begins, after=after))
    strand = numbers[0] if numbers else None
    if name == PLAY:
        return Answer(playback=play_parts(data, bounds, SHOWN, strand=strand))
    if name == CONTENTS:
        return Answer(contents=strands_of(data, bounds, SHOWN))
    moment, veiled = numbers[1] if numbers[1:] else 0, name == VEIL
    still = still_of_parts(data, bounds, SHOWN, veiled=veiled, strand=strand, moment=moment)
    return Answer(still=still)


def load_libraries() -> None:
    """Import all that a file may need, since nothing can be opened later."""
    for name in LATE:
        importlib.import_module(name)
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__") and module.name not in PARENTS:
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

    def more(views: Sequence[View]) -> bool:
        write_message(stdout, msgspec.msgpack.encode(Answer(views=list(views))))
        return read_message(stdin) == MORE

    def tell(begun: Begun) -> None:
        write_message(stdout, msgspec.msgpack.encode(Answer(begun=begun)))

    while (what := read_message(stdin)) is not None and (data := read_message(stdin)) is not None:
        answered = answer(what.decode(), data, bounds, more, tell)
        write_message(stdout, msgspec.msgpack.encode(answered))


def main(bounds: str, cell: str) -> None:
    """Enter the cell, then answer requests. The arguments are `Bounds` and `Cell` as JSON."""
    streams = enter(msgspec.json.decode(cell, type=Cell))
    serve(msgspec.json.decode(bounds, type=Bounds), *streams)


if __name__ == "__main__":
    main(*sys.argv[1:3])
