"""The profiles that viewers put together from the numbered parts in a JPEG.

Most take a set of parts only if it has each number once. What there is more than once is read in
each way.
"""

from kinward.media.jpeg import MOST_PARTS, profile_parts
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
