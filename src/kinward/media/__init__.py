"""Media: recognising, hashing and showing files, and the bounded processes that decode them.

This is the face of the room. Nothing here needs Django or the database. Decoding libraries are
imported on first use, so that a process that only asks the decoder processes does not load them.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

from kinward.media.cell import WALLS, Walls
from kinward.media.digests import Digests, digest_bytes
from kinward.media.errors import (
    Busy,
    DecoderLost,
    DrawingsUnread,
    PartUnread,
    TooManyPixels,
    TooPlain,
    TypeUnsupported,
    Undecodable,
    Unwalled,
)
from kinward.media.medium import (
    FRAME,
    MAX_FRAMES,
    MAX_VIEWS,
    Contents,
    Hashed,
    Medium,
    Playback,
    Strand,
    View,
    split_frames,
    views_of,
)
from kinward.media.pool import Decoders, decoders
from kinward.media.price import FILMS, LEAST_DECODERS, PICTURES, Price, price_of, price_of_head
from kinward.media.registry import MEDIA, find_medium, medium_of, medium_of_type

if TYPE_CHECKING:
    from kinward.media.footage import read_video
    from kinward.media.pdq import MIN_QUALITY, hash_array, hash_dihedral, turn_hashes
    from kinward.media.picture import hash_bytes, hash_many, read_picture

__all__ = (
    "FILMS",
    "FRAME",
    "LEAST_DECODERS",
    "MAX_FRAMES",
    "MAX_VIEWS",
    "MEDIA",
    "MIN_QUALITY",
    "PICTURES",
    "WALLS",
    "Busy",
    "Contents",
    "DecoderLost",
    "Decoders",
    "Digests",
    "DrawingsUnread",
    "Hashed",
    "Medium",
    "PartUnread",
    "Playback",
    "Price",
    "Strand",
    "TooManyPixels",
    "TooPlain",
    "TypeUnsupported",
    "Undecodable",
    "Unwalled",
    "View",
    "Walls",
    "decoders",
    "digest_bytes",
    "find_medium",
    "hash_array",
    "hash_bytes",
    "hash_dihedral",
    "hash_many",
    "medium_of",
    "medium_of_type",
    "price_of",
    "price_of_head",
    "read_picture",
    "read_video",
    "split_frames",
    "turn_hashes",
    "views_of",
)

_LATER: Final = {
    "MIN_QUALITY": "pdq",
    "hash_array": "pdq",
    "hash_dihedral": "pdq",
    "hash_bytes": "picture",
    "hash_many": "picture",
    "read_picture": "picture",
    "read_video": "footage",
    "turn_hashes": "pdq",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
