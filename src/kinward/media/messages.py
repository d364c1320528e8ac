"""Messages between Kinward and a decoder process: length-prefixed; answers are msgpack."""

import struct
from typing import Annotated, BinaryIO, Final

import msgspec

from kinward.media.medium import MAX_VIEWS, Contents, Hashed, Playback, View

HASH, STILL, VEIL, PLAY, CONTENTS = "hash", "still", "veil", "play", "contents"
MORE, ENOUGH = b"more", b"enough"
HEADER: Final = struct.Struct(">I")
MAX_LENGTH: Final = 2**32 - 1
MAX_DETAIL: Final = 1000  # characters
MANY_VIEWS: Final = 32 * MAX_VIEWS  # in one message: more would fill our memory
MOST_VIEWS: Final = 2 * MANY_VIEWS  # in all messages about one file, some 100 MB of our memory


class Begun(msgspec.Struct, frozen=True):
    """The place of the part that is read next, from 0, and whether that may take long."""

    place: Annotated[int, msgspec.Meta(ge=0, lt=2**16)]
    lasting: bool


class Answer(msgspec.Struct):
    """An answer: exactly one of a hash, some views, a still and so on, and an error."""

    hashed: Hashed | None = None
    views: Annotated[list[View], msgspec.Meta(max_length=MANY_VIEWS)] | None = None
    still: bytes | None = None
    playback: Playback | None = None
    contents: Contents | None = None
    begun: Begun | None = None
    error: Annotated[str, msgspec.Meta(max_length=100)] = ""
    detail: Annotated[str, msgspec.Meta(max_length=MAX_DETAIL)] = ""


def request(what: str, *numbers: int) -> str:
    """Return an operation with its numbers, as `hash 3`."""
    return " ".join([what, *map(str, numbers)])


def read_message(stream: BinaryIO, limit: int = MAX_LENGTH) -> bytes | None:
    """Return the next length-prefixed message; None at the end, or if it is over `limit` bytes."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    if length > limit:
        return None
    body = stream.read(length)
    return body if len(body) == length else None


def write_message(stream: BinaryIO, body: bytes) -> None:
    """Write a length-prefixed message."""
    stream.write(HEADER.pack(len(body)))
    stream.write(body)
    stream.flush()
