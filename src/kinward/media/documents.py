"""Documents and archives: checked by the pictures and films inside them.

What else a document shows, such as text and vectors, is checked by its digests only.
"""

from collections.abc import Sequence

from kinward.media.medium import (
    Bounds,
    Hashed,
    Medium,
    More,
    Playback,
    Strand,
)
from kinward.media.parts import document_type


class Document(Medium):
    """A file that holds pictures, in some format of `application`. `media`: what it may hold."""

    name = "application"
    # None: a document without pictures is no file to send in another format.
    formats = ()
    hash_kind = "pdq"
    lasting = True
    statement = "OTHER"

    def __init__(self, media: Sequence[Medium]) -> None:
        self._media = media

    def recognise(self, data: bytes) -> str:
        media_type = document_type(data)
        if media_type != self.name and not media_type.startswith(self.name + "/"):
            return ""
        # Viewers search for the beginning of a PDF, and another medium may begin before it.
        return "" if any(medium.recognise(data) for medium in self._media) else media_type

    def hash(self, data: bytes, bounds: Bounds, more: More) -> Hashed:
        from kinward.media.composition import hash_parts

        return hash_parts(data, bounds, more, self._media)

    def still(self, data: bytes, bounds: Bounds, *, veiled: bool) -> bytes:
        from kinward.media.composition import still_of_parts

        return still_of_parts(data, bounds, self._media, veiled=veiled)

    def play(self, data: bytes, bounds: Bounds) -> Playback:
        from kinward.media.composition import play_parts

        return play_parts(data, bounds, self._media)

    def strands(self, data: bytes, bounds: Bounds) -> list[Strand]:
        from kinward.media.composition import strands_of

        return strands_of(data, bounds, self._media).strands

    def still_of(
        self, data: bytes, bounds: Bounds, *, veiled: bool, strand: int, moment: int
    ) -> bytes:
        from kinward.media.composition import still_of_parts

        return still_of_parts(
            data, bounds, self._media, veiled=veiled, strand=strand, moment=moment
        )

    def play_of(self, data: bytes, bounds: Bounds, *, strand: int) -> Playback:
        from kinward.media.composition import play_parts

        return play_parts(data, bounds, self._media, strand=strand)


class Drawing(Document):
    """An SVG: its embedded pictures."""

    name = "image/svg+xml"
    statement = "IMAGE"


class Page(Document):
    """An HTML page: its embedded pictures."""

    name = "text/html"


class Email(Document):
    """An email, or a page that was saved as one: its attachments."""

    name = "message/rfc822"
