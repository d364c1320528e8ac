"""A mirror: a folder on another mount, with each checkpoint and the hashes that it stands on.

    ORIGIN DIGEST/checkpoint          the newest one that is here entirely
    ORIGIN DIGEST/checkpoints.jsonl   the last one of each hour, each line a JSON string
    ORIGIN DIGEST/rotations.jsonl     the changes of the key
    ORIGIN DIGEST/tile/…              the hash tiles

It is an export without entries (`export_files`), so anybody can verify it. Each file is whole or
not there. The checkpoint comes after its tiles. No database here.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from kinward.ground.files import write_whole
from kinward.ledger.checkpoints import Checkpoint, parse_checkpoint
from kinward.ledger.merkle import EMPTY_ROOT, HASH_BYTES, root_at, split_hashes
from kinward.ledger.notes import MAX_NOTE_BYTES, BadNote, parse_note
from kinward.ledger.tiles import (
    WIDTH,
    BadTile,
    Tile,
    TileReader,
    level_size,
    tile_at,
    tiles_between,
)

MAX_HISTORY: Final = 256 * 1024 * 1024  # bytes of the hours' checkpoints: some 90 years

Fetch = Callable[[Tile], bytes]


class MirrorDiffers(Exception):
    """The mirror holds another history of the log. The message says from which size on."""


class Held(NamedTuple):
    """The newest checkpoint in a mirror, and the note as it is there. Size 0: none."""

    size: int
    root: bytes
    note: bytes


NOTHING_HELD: Final = Held(0, EMPTY_ROOT, b"")


class Mirror:
    """The part of a mirror that is about one origin."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.origin = origin
        self.folder = folder / hashlib.sha256(origin.encode()).hexdigest()[:16]

    def held(self, verify: Callable[[bytes], Checkpoint]) -> Held:
        """Return the newest checkpoint that is here. Raises `MirrorDiffers`, and `OSError`.

        `verify` opens a signed note, and raises `BadNote`.
        """
        try:
            with (self.folder / "checkpoint").open("rb") as file:
                note = file.read(MAX_NOTE_BYTES + 1)
        except FileNotFoundError:
            return NOTHING_HELD
        try:
            checkpoint = verify(note)
        except BadNote as error:
            raise MirrorDiffers(
                f"Its checkpoint is not one that this log signed: {error}"
            ) from None
        return Held(checkpoint.size, checkpoint.root, note)

    def compare(self, held: Held, size: int, fetch: Fetch) -> None:
        """Hold what is here against the database, which has `size` leaves.

        Raises `MirrorDiffers` with the first size at which they differ, and `OSError`.
        """
        if held.size <= size and _root(held.size, size, fetch) == held.root:
            return
        common = min(held.size, size)
        for number in range(-(-common // WIDTH)):
            ours = fetch(tile_at(0, number, size))
            theirs = self._hashes(number, held.size)
            pairs = zip(split_hashes(ours), split_hashes(theirs), strict=False)
            for offset, (one, other) in enumerate(pairs):
                leaf = number * WIDTH + offset
                if one != other and leaf < common:
                    raise MirrorDiffers(_differ(leaf + 1, held.size, size))
        if held.size > size:
            raise MirrorDiffers(_differ(size + 1, held.size, size))
        raise MirrorDiffers(
            f"Its hashes do not lead to its own checkpoint of {held.size:,} entries."
        )

    def _hashes(self, number: int, size: int) -> bytes:
        path = self.folder / tile_at(0, number, size).path
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise MirrorDiffers(f"It lacks {path.name} of its hashes.") from None
        return data[: len(data) - len(data) % HASH_BYTES]

    def write(self, held: Held, note: bytes, rotations: bytes, fetch: Fetch) -> int:
        """Write what a newer checkpoint stands on, and then the checkpoint; return its size.

        Requires that `compare` found no difference. Raises `OSError`.
        """
        checkpoint = parse_checkpoint(parse_note(note).text)
        for tile in tiles_between(held.size, checkpoint.size):
            _put(self.folder / tile.path, fetch(tile))
        _put(self.folder / "rotations.jsonl", rotations)
        if held.note and self._hour_is_over():
            self._remember(held.note)
        _put(self.folder / "checkpoint", note)
        for tile in _partial(held.size):
            if tile != tile_at(tile.level, tile.number, checkpoint.size):
                (self.folder / tile.path).unlink(missing_ok=True)
        return checkpoint.size

    def _hour_is_over(self) -> bool:
        written = datetime.fromtimestamp((self.folder / "checkpoint").stat().st_mtime, UTC)
        return f"{written:%Y%m%d%H}" != f"{datetime.now(UTC):%Y%m%d%H}"

    def _remember(self, note: bytes) -> None:
        path = self.folder / "checkpoints.jsonl"
        before = b""
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            before = file.read(MAX_HISTORY)
        _put(path, before + json.dumps(note.decode()).encode() + b"\n")


def _differ(first: int, held: int, size: int) -> str:
    return (
        f"It holds another history of this log. The first size that differs is {first:,}. "
        f"It has {held:,} entries, and the database has {size:,}."
    )


def _root(size: int, of: int, fetch: Fetch) -> bytes | None:
    try:
        return root_at(size, TileReader(of, fetch)) if size else EMPTY_ROOT
    except BadTile:
        return None


def _partial(size: int) -> Iterator[Tile]:
    """Yield the tiles of a tree that are not full."""
    level = 0
    while hashes := level_size(level, size):
        if hashes % WIDTH:
            yield tile_at(level, hashes // WIDTH, size)
        level += 1


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
