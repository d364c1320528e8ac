"""The colour profiles that a PNG names, in the order in which browsers take them."""

import struct
import zlib
from collections.abc import Iterable
from typing import Final

from PIL import PngImagePlugin

from kinward.media.stills.png import Chunk
from kinward.media.stills.primaries import coded_profile, gamma_profile
from kinward.media.stills.profiles import UNREAD

KINDS: Final = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
LONGEST: Final = 1 << 22  # bytes of a profile
# Primaries and transfer functions that ITU-T H.273 gives to nobody or to whoever wants them.
NAMED_PRIMARIES: Final = frozenset({1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22})
NAMED_TRANSFERS: Final = frozenset({1, *range(4, 19)})


def profiles_of(chunks: Iterable[Chunk]) -> list[bytes]:
    """Return the profiles that viewers may take, an empty one for sRGB; first that of browsers.

    The order is cICP, iCCP, sRGB, gAMA. Of several of a kind, the first and the last may count.
    """
    bodies: dict[bytes, list[bytes]] = {}
    for chunk in chunks:
        if chunk.kind == b"IDAT":
            break
        if chunk.kind in KINDS:
            bodies.setdefault(chunk.kind, []).append(bytes(chunk.body))
    ends = {kind: found[:1] + found[1:][-1:] for kind, found in bodies.items()}
    coded = [body for body in ends.get(b"cICP", ()) if len(body) == 4]
    taken = [body for body in coded[:1] if _is_taken(body)]
    ordered = [coded_profile(body[0], body[1]) for body in taken]
    ordered += [icc for body in ends.get(b"iCCP", ()) if (icc := _inflate(body))]
    ordered += [b""] * (b"sRGB" in ends)
    primaries = [struct.unpack(">8I", body) for body in ends.get(b"cHRM", ()) if len(body) == 32]
    for body in ends.get(b"gAMA", ()):
        ordered += [_gamma(body, numbers) for numbers in primaries or [()]] * (len(body) == 4)
    ordered += [coded_profile(body[0], body[1]) for body in coded]
    return list(dict.fromkeys(ordered))


def is_long(profile: bytes) -> bool:
    """Return whether Pillow refuses a picture of this profile."""
    return profile == UNREAD or len(profile) > PngImagePlugin.MAX_TEXT_CHUNK


def _is_taken(coded: bytes) -> bool:
    """Return whether browsers take a cICP: of full range, and of RGB."""
    primaries, transfer, matrix, full = coded
    known = primaries in NAMED_PRIMARIES and transfer in NAMED_TRANSFERS
    return known and (matrix, full) == (0, 1)


def _inflate(body: bytes) -> bytes:
    """Return the ICC profile of a chunk; empty if it is broken."""
    _, _, rest = body.partition(b"\0")
    try:
        inflater = zlib.decompressobj()
        profile = inflater.decompress(rest[1:], LONGEST)
    except zlib.error:
        return b""
    return UNREAD if inflater.unconsumed_tail else profile


def _gamma(body: bytes, chromaticity: tuple[int, ...]) -> bytes:
    gamma = int.from_bytes(body) / 100_000
    if not chromaticity:
        return gamma_profile(gamma, None)
    numbers = [number / 100_000 for number in chromaticity]
    return gamma_profile(gamma, tuple(numbers[2:]), tuple(numbers[:2]))
