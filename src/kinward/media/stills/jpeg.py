"""JPEG: its colour profiles, and a copy without the segments over which Pillow stumbles.

Viewers put a profile together from numbered parts. Most take a set of parts only if it has each
number once. What there is more than once is read in each way.
"""

from typing import Final

from kinward.media.jpeg import APP2, BEGINS, MARK, MOST_PARTS, profile_parts, segments_of
from kinward.media.stills.profiles import UNREAD


def profiles_of(data: bytes) -> list[bytes]:
    """Return the profiles that viewers may take from the parts; none for one set or no part.

    Then the usual way is the only one. `UNREAD`: there are more parts than are looked at.
    """
    parts = [part for _, _, part in profile_parts(data)]
    numbers = sorted((part[0], part[1]) for part in parts)
    if numbers == [(number, len(parts)) for number in range(1, len(parts) + 1)]:
        return []
    profiles = [UNREAD] if len(parts) > MOST_PARTS else []
    for order in (parts, parts[::-1]):
        for count in dict.fromkeys(part[1] for part in order):
            chosen: dict[int, bytes] = {}
            for part in order:
                if part[1] == count:
                    chosen.setdefault(part[0], part[2:])
            if all(number in chosen for number in range(1, count + 1)):
                profiles.append(b"".join(chosen[n] for n in range(1, count + 1)))
    profiles.append(b"".join(part[2:] for part in parts))
    profiles += [part[2:] for part in parts]
    return list(dict.fromkeys(profiles))


# Segments for applications that say how to read the pixels, each with its first bytes. A shorter
# one is ignored by libjpeg, which browsers use.
NEEDED: Final = {0xE0: (b"JFIF\0", 14), APP2: (MARK, len(MARK) + 2), 0xEE: (b"Adobe", 12)}
OTHERS: Final = frozenset((*range(0xE0, 0xF0), 0xFE))  # segments for applications, and comments
EXIF: Final = b"Exif\0"


def without_others(data: bytes) -> bytes:
    """Return the same picture without what does not say how to read its pixels.

    Browsers ignore a broken segment for some application. Pillow refuses the file.
    """
    kept = [data[:2]]
    for marker, start, end in segments_of(data):
        if marker == BEGINS:
            kept.append(data[start:])
            break
        begins, length = NEEDED.get(marker, (b"", 0))
        body = data[start + 4 : end]
        if marker not in OTHERS or (length and body.startswith(begins) and len(body) >= length):
            kept.append(data[start:end])
    return b"".join(kept)


def exif_of(data: bytes) -> bytes:
    """Return the first block of EXIF in the form that Pillow keeps, or nothing."""
    for marker, start, end in segments_of(data):
        if marker == 0xE1 and data.startswith(EXIF, start + 4):
            return EXIF + b"\0" + data[start + 4 + len(EXIF) + 1 : end]
    return b""
