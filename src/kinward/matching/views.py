"""The stored form of a file's views. Pure.

A record is 38 bytes, big-endian: the PDQ hash (32), its strand (2) and its moment (4).
"""

import struct
from collections.abc import Iterable
from typing import Final

from kinward.media import Hashed, View, split_frames

RECORD: Final = struct.Struct(">32sHI")


def pack_views(hashed: Hashed) -> bytes:
    """Return the views of a file for its check; nothing if the signature says the same."""
    if [view.hash for view in hashed.views] == split_frames(hashed.signature) and not any(
        view.strand for view in hashed.views
    ):
        return b""
    return b"".join(RECORD.pack(view.hash, view.strand, view.moment) for view in hashed.views)


def unpack_views(data: bytes) -> list[View]:
    """Return the views that `pack_views` stored."""
    return [View(*fields) for fields in RECORD.iter_unpack(data)]


def frames_of_views(views: Iterable[View]) -> list[bytes]:
    """Return the different hashes of views, 32 bytes each, in order."""
    return list(dict.fromkeys(view.hash for view in views))
