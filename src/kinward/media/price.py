"""The price of a file: an estimate of the seconds that a decoder needs, by pixels and frames.

A price decides who is next, and bounds what decoding may take. What decoding really took is charged
afterwards, so a wrong claim earns nothing.
"""

from typing import Final

import msgspec

from kinward.ground.turns import Lane
from kinward.media.formats import QUICKTIME
from kinward.media.heads import PER_FRAME, claim_of
from kinward.media.registry import find_medium

PICTURES: Final = "picture"
FILMS: Final = "film"
LOOKS: Final = "look"  # of a reviewer: stills, and what there is to see
PLAYS: Final = "play"  # films that are re-encoded for a reviewer
CONSOLE: Final = frozenset((LOOKS, PLAYS))
CONSOLE_DECODERS: Final = 2
LEAST_DECODERS: Final = 2  # for uploads: films never have the last one

# Seconds for a file, and for a million pixels of a picture, on one core of 2026.
EACH: Final = 0.02
PICTURE: Final = 0.03
HEAD: Final = 64 * 1024  # bytes
LONG: Final = 300.0  # seconds: no price is higher
# A file whose head says nothing costs as much as one of so many pixels for each byte.
UNCLAIMED: Final = 10
UNCLAIMED_FILM: Final = 100
MARGIN: Final = 8.0  # how many times its price a film may take, and at least a picture's time


class Price(msgspec.Struct, frozen=True):
    """A file's lane, and the seconds that it probably takes.

    `lasts`: whether it may take the time of a film. `claimed`: whether its head says its size.
    """

    lane: str
    seconds: float
    lasts: bool
    claimed: bool

    def bound(self, least: float, most: float) -> float:
        """Return the seconds that a film may take: by its claim, between two limits."""
        return min(max(least, MARGIN * self.seconds), most) if self.claimed else most


def price_of_head(data: bytes | bytearray) -> Price:
    """Return the price of hashing a file by its first bytes alone, in a few microseconds."""
    return price_of(bytes(data[:HEAD]), size=len(data))


def price_of(data: bytes, *, size: int = 0) -> Price:
    """Return the price of hashing a file. `size`: its length, if `data` is only its beginning."""
    medium = find_medium(data)
    lasting = medium.lasting if medium else size > len(data) and data[4:8] in QUICKTIME
    claim = claim_of(data)
    claimed = bool(claim.pixels and claim.frames)
    guess = (UNCLAIMED_FILM if lasting else UNCLAIMED) * (size or len(data))
    millions = (claim.pixels * claim.frames if claimed else guess) / 1e6
    seconds = EACH + millions * (PER_FRAME if lasting else PICTURE)
    return Price(FILMS if lasting else PICTURES, min(seconds, LONG), lasting, claimed)


def upload_lanes(decoders: int) -> tuple[int, tuple[Lane, ...]]:
    """Return how many decoders uploads have, and their lanes. Films never have the last one."""
    most = max(LEAST_DECODERS, decoders)
    films = most - 1
    return most, (
        Lane(PICTURES, most, max(1, most // 2)),
        Lane(FILMS, films, max(1, films // 2)),
    )


def console_lanes() -> tuple[int, tuple[Lane, ...]]:
    """Return how many decoders the console has, and its lanes. Playing never has the last one."""
    most, plays = CONSOLE_DECODERS, CONSOLE_DECODERS - 1
    return most, (Lane(LOOKS, most, most), Lane(PLAYS, plays, plays))
