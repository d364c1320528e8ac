"""The ledger's log as everybody may see it: its signed checkpoint, and hashes. Never an entry."""

from typing import Final
from uuid import UUID

from kinward.gate.calls import Call, Content
from kinward.ground.errors import NotFound
from kinward.ledger.api import (
    cosigned_checkpoint,
    origin_of_log,
    read_tile,
    receipt_of,
    rotation_lines,
    signed_checkpoint,
)

CHECKPOINT: Final = "text/plain; charset=utf-8"
TILE: Final = "application/octet-stream"
PRIVATE: Final = "private, no-store"
SECONDS: Final = "public, max-age=5"
FOREVER: Final = "public, max-age=31536000, immutable"


def see_checkpoint(call: Call[None]) -> Content:
    """Return the newest signed checkpoint of the ledger, a note of c2sp.org/tlog-checkpoint."""
    note = signed_checkpoint()
    if not note:
        raise NotFound("Nothing is signed yet.")
    return Content(note, CHECKPOINT, SECONDS)


def see_cosigned(call: Call[None]) -> Content:
    """Return the newest checkpoint that enough witnesses cosigned. It may be a little smaller."""
    note = cosigned_checkpoint()
    if not note:
        raise NotFound("Not enough witnesses have cosigned a checkpoint yet.")
    return Content(note, CHECKPOINT, SECONDS)


def see_rotations(call: Call[None]) -> Content:
    """Return the changes of the ledger's key, each a proof that both keys signed. Mostly empty."""
    lines = b"".join(line + b"\n" for line in rotation_lines(origin_of_log()))
    return Content(lines, CHECKPOINT, SECONDS)


def see_receipt(call: Call[None], receipt_id: UUID) -> Content:
    """Return the receipt of a statement or a notice, a file of c2sp.org/tlog-proof.

    Whoever was told knows its random id.
    """
    return Content(receipt_of(receipt_id).to_bytes(), CHECKPOINT, PRIVATE)


def see_tile(call: Call[None], level: str, first: str) -> Content:
    """Return hashes of the ledger's tree, a tile of c2sp.org/tlog-tiles. It never changes."""
    return _tile(level, first)


def see_tile_of_two(call: Call[None], level: str, first: str, second: str) -> Content:
    """Return a tile of the ledger's tree with a number above 999, or one that is not full."""
    return _tile(level, first, second)


def see_tile_of_three(call: Call[None], level: str, first: str, second: str, third: str) -> Content:
    """Return a tile of the ledger's tree with a still greater number."""
    return _tile(level, first, second, third)


def see_tile_of_four(
    call: Call[None], level: str, first: str, second: str, third: str, fourth: str
) -> Content:
    """Return a tile of the ledger's tree with a still greater number that is not full."""
    return _tile(level, first, second, third, fourth)


def _tile(*steps: str) -> Content:
    return Content(read_tile("/".join(("tile", *steps))), TILE, FOREVER)
