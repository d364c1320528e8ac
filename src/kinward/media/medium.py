"""The base of the media: kinds of file that people publish, from first bytes to display."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Final

import msgspec

FRAME: Final = 32  # bytes of the PDQ hash of one frame
MAX_FRAMES: Final = 1024  # in a signature; at this number every second frame is dropped
MAX_VIEWS: Final = 4096  # of a file
# The kinds of hash whose values are PDQ hashes, one for each moment. Any other value is whole.
FRAMED: Final = ("pdq", "video")

# What a decoder that a file took over could say of it ends in the database and on pages. msgspec
# refuses what is out of these bounds where its answer is read.
MEDIA_TYPE: Final = r"^[a-z0-9.+/;= _-]*\Z"
Word = Annotated[str, msgspec.Meta(max_length=40, pattern=r"^[a-z0-9_-]*\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class View(msgspec.Struct, frozen=True, array_like=True):
    """The PDQ hash, 32 bytes, of one picture that a common viewer would show of a file.

    `strand`: which of the file's pictures, tracks and embedded files it belongs to, from 0.
    `moment`: which picture of its strand it is, in the order of time, from 0. A moment has several
    views if viewers show it differently, such as a transparent picture over white and over black.
    `turned`: the hashes of `hash_dihedral` after the first, 32 bytes each. They are looked up and
    not stored. Without them, `turn_hashes` estimates them.
    """

    hash: Annotated[bytes, msgspec.Meta(min_length=FRAME, max_length=FRAME)]
    strand: Annotated[int, msgspec.Meta(ge=0, lt=2**16)] = 0
    moment: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0
    turned: Annotated[bytes, msgspec.Meta(max_length=7 * FRAME)] = b""


More = Callable[[Sequence[View]], bool]


class Bounds(msgspec.Struct, frozen=True):
    """Limits on decoding one file."""

    max_pixels: int
    seconds: float  # of work, for a file with a duration
    picture_seconds: float = 6.0  # of work, for any other file


class Hashed(msgspec.Struct, frozen=True):
    """The result of hashing a file: its signature, the kind of that hash, and its measures.

    `signature`: what a bank keeps of the file. For a kind of `FRAMED`, it is one PDQ hash for each
    moment of each strand, of the picture as shown. `views`: what is looked up: at most `MAX_VIEWS`,
    none of low quality, and none at all if the signature says it all. `quality`: 0 to 100, if the
    kind has one. `frames`: more than one for animations and videos. `seconds`: how far it was read.
    `entire`: whether all of it was read: every strand, to its end, and every part's value.
    `unread`: whether something is packed in a document or an archive that cannot be read here, and
    that common viewers may show. `drawn`: whether it draws something itself, which only a renderer
    of its format shows.
    """

    kind: Word
    signature: Annotated[bytes, msgspec.Meta(max_length=MAX_FRAMES * FRAME)]
    media_type: Annotated[str, msgspec.Meta(max_length=100, pattern=MEDIA_TYPE)] = ""
    width: Count = 0
    height: Count = 0
    frames: Count = 1
    quality: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    seconds: Seconds = 0.0
    entire: bool = True
    views: Annotated[tuple[View, ...], msgspec.Meta(max_length=MAX_VIEWS)] = ()
    unread: bool = False
    drawn: bool = False

    def __post_init__(self) -> None:
        """Raise `ValueError` if a signature of a kind of `FRAMED` is not PDQ hashes."""
        size = len(self.signature)
        if self.framed and (size % FRAME or (self.kind == "pdq" and size > FRAME)):
            raise ValueError(f"{size} bytes are no signature of the kind {self.kind}")

    @property
    def framed(self) -> bool:
        """Whether the signature is PDQ hashes, so that it can be split and merged."""
        return self.kind in FRAMED


class Playback(msgspec.Struct, frozen=True):
    """A file that moves, for a reviewer: WebM, its length in seconds, whether it is complete."""

    data: bytes
    seconds: Seconds
    entire: bool


class Strand(msgspec.Struct, frozen=True):
    """One of the things to see in a file: a picture, an animation, a track or a file inside.

    `number`: which one it is, from 0. `what`: `picture`, `animation`, `track`, `cover`, `subtitle`,
    or another word for which `web.sections` has a noun. `moments`: how many pictures it has; those
    of a track are on one sheet. `moves`: whether it can be played. `role`: what its file is to the
    one that was sent: `file` itself, `appended`, `inside` or `embedded`. `entire`: whether no
    viewer shows it in a way that is not known here, as by a colour profile that cannot be read.
    """

    number: Count
    what: Word
    moments: Count = 1
    moves: bool = False
    role: Word = "file"
    media_type: Annotated[str, msgspec.Meta(max_length=100, pattern=MEDIA_TYPE)] = ""
    entire: bool = True


class Contents(msgspec.Struct, frozen=True):
    """All that there is to see in a file. `entire`: whether a viewer shows nothing else of it.

    A document is never entire, because only the pictures in it can be shown here.
    """

    strands: Annotated[list[Strand], msgspec.Meta(max_length=2**16)]
    entire: bool


class Medium(ABC):
    """A kind of file that people publish. A new medium is one class, listed in `registry.MEDIA`.

    `hash`, `still` and `play` run on strangers' bytes, in a decoder process only. They raise
    `TypeUnsupported`, `Undecodable` or `TooManyPixels`, and nothing else. They import decoding
    libraries locally, so that no other process loads them.
    """

    name: str  # the beginning of its media types, such as `image`
    formats: tuple[str, ...]  # as the sentence of `TypeUnsupported` names them
    hash_kind: str  # of a plain signature, a name in `kinward.matching.kinds`; several are `video`
    # Whether files have a duration. Then the longer time limit of the decoders applies.
    lasting: bool
    statement: str  # the EU's word in statements of reasons: CONTENT_TYPE_…

    @abstractmethod
    def recognise(self, data: bytes) -> str:
        """Return the media type of a file by its first bytes; empty for another medium."""

    @abstractmethod
    def hash(self, data: bytes, bounds: Bounds, more: More) -> Hashed:
        """Decode and hash a file. `more` receives views and returns whether to continue."""

    @abstractmethod
    def still(self, data: bytes, bounds: Bounds, *, veiled: bool) -> bytes:
        """Return a JPEG of a file; veiled: tiny, grey and blurred."""

    @abstractmethod
    def play(self, data: bytes, bounds: Bounds) -> Playback:
        """Return a file re-encoded for a reviewer."""

    def strands(self, data: bytes, bounds: Bounds) -> list[Strand]:
        """Return what there is to see in a file. Raises as `hash` does."""
        return [Strand(0, "track" if self.lasting else "picture", moves=self.lasting)]

    def still_of(
        self, data: bytes, bounds: Bounds, *, veiled: bool, strand: int, moment: int
    ) -> bytes:
        """Return a JPEG of one moment of a strand; by default, of the file."""
        return self.still(data, bounds, veiled=veiled)

    def play_of(self, data: bytes, bounds: Bounds, *, strand: int) -> Playback:
        """Return a strand re-encoded for a reviewer; by default, the file."""
        return self.play(data, bounds)


def split_frames(signature: bytes) -> list[bytes]:
    """Split a signature into its PDQ hashes, 32 bytes each. A plain image has one."""
    return [signature[at : at + FRAME] for at in range(0, len(signature), FRAME)]


def views_of(frames: Iterable[bytes]) -> list[View]:
    """Return the views of one strand: a moment for each PDQ hash."""
    return [View(frame, moment=moment) for moment, frame in enumerate(frames)]
