"""The registry of media that Kinward checks. Add a new medium here, and nowhere else."""

from typing import Final

from kinward.media.documents import Document, Drawing, Email, Page
from kinward.media.errors import TypeUnsupported
from kinward.media.image import Image
from kinward.media.medium import Medium
from kinward.media.video import Video

# What is shown by itself, and found inside other files.
SHOWN: Final[tuple[Medium, ...]] = (Image(), Video())
# The first medium that recognises a file wins, so put the specific before the general.
MEDIA: Final[tuple[Medium, ...]] = (
    *SHOWN,
    Drawing(SHOWN),
    Page(SHOWN),
    Email(SHOWN),
    Document(SHOWN),
)


def find_medium(data: bytes) -> Medium | None:
    """Return the medium of a file by its first bytes; None if there is none."""
    return next((medium for medium in MEDIA if medium.recognise(data)), None)


def medium_of(data: bytes) -> Medium:
    """Return the medium of a file by its first bytes. Raises `TypeUnsupported`."""
    if (medium := find_medium(data)) is None:
        raise TypeUnsupported
    return medium


def medium_of_type(media_type: str) -> Medium | None:
    """Return the medium of a media type such as `image/png`; None if there is none."""
    names = (media_type, media_type.partition("/")[0])
    return next((m for name in names for m in MEDIA if m.name == name), None)
