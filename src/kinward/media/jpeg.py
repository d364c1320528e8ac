"""The colour profile of a JPEG, which stands there in numbered parts."""

import struct
from collections.abc import Iterator
from typing import Final

MARK: Final = b"ICC_PROFILE\0"
MOST_PARTS: Final = 255
BARE: Final = frozenset((0x00, 0x01, *range(0xD0, 0xD9)))  # markers without a length
BEGINS: Final = 0xDA  # the scan
ENDS: Final = 0xD9
APP2: Final = 0xE2


def with_profile(data: bytes, profile: bytes) -> bytes:
    """Return a JPEG with this profile and no other; `data` itself if it is too long for one."""
    room = 0xFFFF - 2 - len(MARK) - 2
    pieces = [profile[at : at + room] for at in range(0, len(profile), room)]
    if not data.startswith(b"\xff\xd8") or not 0 < len(pieces) <= MOST_PARTS:
        return data
    made = b"".join(
        struct.pack(">HH", 0xFF00 | APP2, 2 + len(MARK) + 2 + len(piece))
        + MARK
        + bytes((number, len(pieces)))
        + piece
        for number, piece in enumerate(pieces, 1)
    )
    kept, at = [], 2
    for start, end, _ in profile_parts(data):
        kept.append(data[at:start])
        at = end
    return b"".join((data[:2], made, *kept, data[at:]))


def profile_parts(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield where each part of a profile begins and ends, and its number, their count and content.

    Only those before the scan.
    """
    found = 0
    for marker, at, end in segments_of(data):
        if marker == APP2 and data[at + 4 : at + 16] == MARK and end >= at + 18:
            found += 1
            yield at, end, data[at + 16 : end]
            if found > MOST_PARTS:
                return


def segments_of(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker of each segment up to the scan, and where it begins and ends.

    The last is that of the scan, if there is one: its header, of which the end is not known.
    """
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at = data.find(b"\xff", at)  # viewers skip what is no marker
            if at < 0:
                return
            continue
        marker = data[at + 1]
        if marker == 0xFF or marker in BARE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (BEGINS, ENDS):
            yield marker, at, at
            return
        end = max(at + 2 + int.from_bytes(data[at + 2 : at + 4]), at + 2)
        yield marker, at, end
        at = end
