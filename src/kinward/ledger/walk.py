"""One walk over all leaves of a log, from the first to the last, that can stop and go on. Pure."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from kinward.ledger.export_files import NotVerified, Part, compare_tile
from kinward.ledger.merkle import HASH_BYTES, Frontier, split_hashes
from kinward.ledger.tiles import HEIGHT, WIDTH, Tile, tile_root

STATE_FORMAT: Final = "kinward.verify/2"

_TILE_BYTES: Final = WIDTH * HASH_BYTES


class Claim(NamedTuple):
    """A root that the tree must have at a size, and who says so."""

    size: int
    root: bytes
    source: str


class Claims:
    """Claims in the order of their sizes, each held against the tree when it has that size."""

    def __init__(self, claims: Iterable[Claim], agreed: int = 0) -> None:
        self._claims = iter(claims)
        self._next = next(self._claims, None)
        self.agreed = agreed  # the largest size at which a claim held

    def check(self, frontier: Frontier, leaves: bytes) -> None:
        """Check each claim from the size of `frontier` to where `leaves` would bring it.

        Raises `NotVerified` for the first that does not hold.
        """
        end = frontier.size + len(leaves) // HASH_BYTES
        while self._next is not None and self._next.size <= end:
            grown = frontier.copy()
            grown.extend(split_hashes(leaves[: (self._next.size - frontier.size) * HASH_BYTES]))
            self._hold(self._next, grown.root())
            self._next = next(self._claims, None)

    def _hold(self, claim: Claim, root: bytes) -> None:
        if root != claim.root:
            raise NotVerified(
                f"At size {claim.size} the log has another root than {claim.source}, which it "
                f"signed. The largest smaller size that agrees is {self.agreed}."
            )
        self.agreed = claim.size


@dataclass
class Walk:
    """The tree so far, and the hashes of tiles above the leaves that are not full yet."""

    frontier: Frontier = field(default_factory=Frontier)
    pending: list[list[bytes]] = field(default_factory=list)  # of level 1, of level 2, and so on
    opened: int = 0
    closed: int = 0
    agreed: int = 0
    rotated: dict[str, int] = field(default_factory=dict)  # the last entry for each log's key

    def take(self, folder: Path, part: Part, claims: Claims) -> None:
        """Go over one file of entries. Raises `NotVerified`."""
        roots = split_hashes(part.roots)
        for number, root in enumerate(roots):
            claims.check(self.frontier, part.leaves[number * _TILE_BYTES :][:_TILE_BYTES])
            self.frontier.append_subtree(HEIGHT, root)
            self._push(folder, 1, root)
        rest = part.leaves[len(roots) * _TILE_BYTES :]
        claims.check(self.frontier, rest)
        self.frontier.extend(split_hashes(rest))
        self.opened += part.opened
        self.closed += part.closed
        self.agreed = claims.agreed
        for number, origin in part.rotated:
            self.rotated[origin] = number

    def finish(self, folder: Path, claims: Claims) -> None:
        """Check what is left at the end: the last claims, and the tiles that never became full."""
        claims.check(self.frontier, b"")
        for level, row in enumerate(self.pending, 1):
            if row:
                number = self.frontier.size >> (HEIGHT * (level + 1))
                compare_tile(folder, Tile(level, number, len(row)), b"".join(row))

    def _push(self, folder: Path, level: int, value: bytes) -> None:
        if len(self.pending) < level:
            self.pending.append([])
        row = self.pending[level - 1]
        row.append(value)
        if len(row) == WIDTH:
            number = (self.frontier.size >> (HEIGHT * (level + 1))) - 1
            compare_tile(folder, Tile(level, number), b"".join(row))
            self.pending[level - 1] = []
            self._push(folder, level + 1, tile_root(row))

    def to_json(self, key: str) -> str:
        """Return where the walk is. `key` names the files that it is about."""
        return json.dumps(
            {
                "format": STATE_FORMAT,
                "key": key,
                "frontier": _text(self.frontier.to_bytes()),
                "pending": [_text(b"".join(row)) for row in self.pending],
                "counts": [self.opened, self.closed, self.agreed],
                "rotated": self.rotated,
            }
        )

    @classmethod
    def from_json(cls, text: str, key: str) -> "Walk":
        """Restore a walk. Raises `ValueError` if the text is no walk over these files."""
        state = json.loads(text)
        try:
            if state["format"] != STATE_FORMAT or state["key"] != key:
                raise ValueError("It is about other files.")
            frontier = Frontier.from_bytes(base64.b64decode(state["frontier"]))
            pending = [split_hashes(base64.b64decode(row)) for row in state["pending"]]
            opened, closed, agreed = (int(count) for count in state["counts"])
            rotated = {str(origin): int(at) for origin, at in state["rotated"].items()}
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("It is no state of a verification.") from error
        return cls(frontier, pending, opened, closed, agreed, rotated)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
