"""The media that Kinward checks. A new one is added here, and nowhere else."""

from typing import Final

from kinward.media.errors import TypeUnsupported
from kinward.media.image import Image
from kinward.media.medium import Medium
from kinward.media.video import Video

# The first that recognises a file has it, so the more particular stands before the more general.
MEDIA: Final[tuple[Medium, ...]] = (Image(), Video())


def medium_of(data: bytes) -> Medium:
    """The medium of a file, by its first bytes. Raises `TypeUnsupported`."""
    for medium in MEDIA:
        if medium.recognise(data):
            return medium
    raise TypeUnsupported


def medium_of_type(media_type: str) -> Medium | None:
    """The medium of a media type such as `image/png`; nothing where it is of none."""
    name = media_type.partition("/")[0]
    return next((medium for medium in MEDIA if medium.name == name), None)
