"""What a medium is: a kind of file that people publish, from its first bytes to what is shown."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

FRAME: Final = 32  # bytes of the PDQ hash of one frame
MAX_FRAMES: Final = 1024  # in a signature; beyond it every second frame is dropped

More = Callable[[Sequence[bytes]], bool]


class Bounds(msgspec.Struct, frozen=True):
    """What decoding one file may take."""

    max_pixels: int
    seconds: float  # of work, for a file that has a length


class Hashed(msgspec.Struct, frozen=True):
    """What decoding a file gave: its signature, the kind of hash that this is, and its measures.

    `quality`: from 0 to 100, where the kind has one. `frames`: more than one moves. `seconds`: how
    far it was read. `entire`: whether that was the end.
    """

    kind: str
    signature: bytes
    media_type: str = ""
    width: int = 0
    height: int = 0
    frames: int = 1
    quality: int | None = None
    seconds: float = 0.0
    entire: bool = True


class Playback(msgspec.Struct, frozen=True):
    """A file as it is played to a reviewer: WebM, its length in seconds, and whether it is all."""

    data: bytes
    seconds: float
    entire: bool


class View(msgspec.Struct, frozen=True):
    """What is shown of a file: bytes, their type, and whether the person saw the whole of it.

    `can_move`: the still could be asked to move. `playback`: seen whole once played to its end.
    """

    data: bytes
    media_type: str
    entire: bool
    can_move: bool = False
    playback: Playback | None = None


class Renderer(Protocol):
    """Who decodes for a medium: the bounded processes, `Decoders`."""

    def still(self, data: bytes, *, veiled: bool) -> bytes:
        """A JPEG of a file, or only its tiny grey blur."""
        ...

    def play(self, data: bytes) -> Playback:
        """A file as a reviewer plays it."""
        ...


class Medium(ABC):
    """A kind of file that people publish. A new one is one class, named in `registry.MEDIA`.

    `hash`, `still` and `play` run in a decoder process only, on strangers' bytes: they raise
    `TypeUnsupported`, `Undecodable` or `TooManyPixels`, and nothing else. They import their
    decoding libraries themselves, so that nobody else loads them.
    """

    name: str  # what its media types begin with, such as `image`
    formats: tuple[str, ...]  # as `TypeUnsupported` names them
    hash_kind: str  # of its signature, as `kinward.matching.kinds` names it
    # Whether reading it takes as long as it lasts: then it has the longer bound of the decoders.
    lasting: bool
    statement: str  # in the EU's words for statements of reasons: CONTENT_TYPE_…

    @abstractmethod
    def recognise(self, data: bytes) -> str:
        """The media type of a file by its first bytes; empty if it is none of this medium."""

    @abstractmethod
    def hash(self, data: bytes, bounds: Bounds, more: More) -> Hashed:
        """Decode and hash a file. `more` sees parts of its signature, and says whether to go on."""

    @abstractmethod
    def still(self, data: bytes, bounds: Bounds, *, veiled: bool) -> bytes:
        """A JPEG of a file; veiled: tiny, grey and blurred."""

    @abstractmethod
    def play(self, data: bytes, bounds: Bounds) -> Playback:
        """A file encoded anew by us, as a reviewer plays it."""

    def show(self, data: bytes, renderer: Renderer, *, moves: bool, moving: bool) -> View:
        """What a viewer shows: a still, or the player where the file is asked for `moving`.

        `moves`: whether the file was found to have more than one frame.
        """
        if moving:
            playback = renderer.play(data)
            return View(playback.data, "video/webm", entire=False, playback=playback)
        still = renderer.still(data, veiled=False)
        return View(still, "image/jpeg", entire=False, can_move=True)


def split_frames(signature: bytes) -> list[bytes]:
    """The PDQ hashes of a signature, which has them one after the other. A picture's has one."""
    return [signature[at : at + FRAME] for at in range(0, len(signature), FRAME)]
