"""Proofs and exports of the log, for people who do not trust whoever runs it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from django.db import connection
from django.utils import timezone

from kinward.ground.errors import KinwardError, NotFound
from kinward.ledger.bundle import verifier_text
from kinward.ledger.export_files import PART, part_name, part_size
from kinward.ledger.handovers import rotation_lines
from kinward.ledger.leaves import chain_leaf
from kinward.ledger.merkle import prove_inclusion
from kinward.ledger.models import Entry, Leaf, Log, LogRotation, SignedTree
from kinward.ledger.openings import leaf_index, opening_of
from kinward.ledger.proofs import ProofFile
from kinward.ledger.rotating import pending_rotation
from kinward.ledger.sequencing import tile_data
from kinward.ledger.signing import tile_reader
from kinward.ledger.stamping import stamp_lines
from kinward.ledger.tiles import BadTile, parse_path, tiles_of
from kinward.ledger.witnessing import STALE, newest_cosigned

CHUNK: Final = 4096  # entries in one query
_TILE: Final = """
SELECT signed_size, (SELECT data FROM ledger_tile WHERE level = %s AND index = %s) FROM ledger_log
"""


class NotSignedYet(KinwardError):
    """This entry is not under a signed checkpoint yet. That takes a second or two. Try again."""

    code = "ledger.not_signed_yet"
    status = 409


class KeyChanges(KinwardError):
    """The key of the log is about to change. Wait until the new one signs. The doctor says more."""

    code = "ledger.key_changes"
    status = 409


class Shown(NamedTuple):
    """A checkpoint that can be given away: the size, and the signed note."""

    size: int
    note: bytes


def prove_entry(number: int, *, opened: bool = False) -> ProofFile:
    """Prove that an entry is in the log. Raises `NotFound` and `NotSignedYet`.

    `opened` adds what the entry says, with its salts.
    """
    entry = Entry.objects.filter(seq=number).first()
    if entry is None:
        raise NotFound(f"There is no entry {number}.")
    return prove(entry, opened=opened)


def prove(entry: Entry, *, opened: bool) -> ProofFile:
    """Prove that an entry is in the log: as witnesses cosigned it, or else as it was signed last.

    Raises `NotSignedYet`.
    """
    log = _signed_log()
    index = leaf_index(entry.pk) if entry.digest is None else 0
    shown = _shown(log, 0 if index is None else index + 1)
    if index is None or index >= shown.size:
        raise NotSignedYet(f"It is entry {entry.pk}.")
    hashes = prove_inclusion(index, shown.size, tile_reader(shown.size))
    extra = _line(log, entry) if opened else b""
    return ProofFile(index, tuple(hashes), shown.note, extra)


def _shown(log: Log, least: int) -> Shown:
    """Return the newest checkpoint that enough witnesses cosigned, if it has `least` leaves.

    Otherwise the one that was signed last.
    """
    cosigned = newest_cosigned()
    if cosigned is not None and least <= cosigned.size <= log.signed_size:
        return Shown(cosigned.size, bytes(cosigned.note))
    return Shown(log.signed_size, bytes(log.note))


def _signed_log() -> Log:
    log = Log.objects.first()
    if log is None or not log.note:
        raise NotSignedYet
    return log


def read_tile(path: str) -> bytes:
    """Return the bytes of a tile under the checkpoint that is shown. Raises `NotFound`.

    Hashes only: the entries themselves are never public.
    """
    try:
        tile = parse_path(path)
    except BadTile as error:
        raise NotFound(str(error)) from error
    with connection.cursor() as cursor:  # strangers ask for two of these at a time, and often
        cursor.execute(_TILE, (tile.level, tile.number))
        size, data = cursor.fetchone() or (0, b"")
    if tile.size > size:
        raise NotFound(f"A tree of {size} has no such tile.")
    return bytes(data or b"")[: tile.width * 32]


def export_log(folder: Path, *, opened: bool, progress: Callable[[int], None]) -> int:
    """Write the log to a new folder, and return how many leaves it has.

    It is as enough witnesses cosigned it within an hour, or else as it was signed last.
    `opened`: with what each entry says. The format is that of `export_files`, and the verifier is
    among the files. Raises `NotSignedYet`, and `KeyChanges`: an entry that changes the key has to
    come with the proof that the new one took over.
    """
    log = _signed_log()
    if _changes_key(log):
        raise KeyChanges
    size, note = _to_export(log)
    folder.mkdir(mode=0o700, parents=True)
    (folder / "checkpoint").write_bytes(note)
    (folder / "verify.py").write_text(verifier_text(), encoding="utf-8")
    _write_lines(folder / "checkpoints.jsonl", _earlier(log, size))
    _write_lines(folder / "rotations.jsonl", rotation_lines(log.origin))
    _write_lines(folder / "timestamps.jsonl", stamp_lines(log.origin, size))
    for tile in tiles_of(size):
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tile_data(tile.level, tile.number)[: tile.width * 32])
    if opened:
        (folder / "entries").mkdir()
        for number in range(-(-size // PART)):
            first, count = number * PART, part_size(number, size)
            _write_lines(folder / part_name(number), _entries(log, first, count))
            progress(first + count)
    return size


def _changes_key(log: Log) -> bool:
    """Return whether the signed tree has an entry that changes the key, and that did not change."""
    rotation = pending_rotation(log)
    index = None if rotation is None or rotation.entry is None else leaf_index(rotation.entry)
    return index is not None and index < log.signed_size


def _to_export(log: Log) -> Shown:
    cosigned = newest_cosigned()
    fresh = cosigned is not None and timezone.now() - cosigned.at < STALE
    if cosigned is not None:  # a rotation goes with the tree that shows it entirely
        newer = LogRotation.objects.filter(origin=log.origin, size__gt=cosigned.size)
        fresh = fresh and not newer.exists()
    return _shown(log, 0) if fresh else Shown(log.signed_size, bytes(log.note))


def _write_lines(path: Path, lines: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        for line in lines:
            file.write(line + b"\n")


def _earlier(log: Log, size: int) -> Iterator[bytes]:
    trees = SignedTree.objects.filter(origin=log.origin, size__lt=size)
    for tree in trees.order_by("size").iterator():
        yield json.dumps(bytes(tree.note).decode()).encode()


def _entries(log: Log, first: int, count: int) -> Iterator[bytes]:
    for start in range(first, first + count, CHUNK):
        leaves = Leaf.objects.select_related("entry").filter(
            index__gte=start, index__lt=min(start + CHUNK, first + count)
        )
        for leaf in leaves.order_by("index"):
            yield _line(log, leaf.entry)


def _line(log: Log, entry: Entry | None) -> bytes:
    told: dict[str, Any]
    if entry is None or entry.digest is not None:
        told = {"leaf": chain_leaf(log.chained, bytes(log.chain_head)).decode()}
    else:
        told = opening_of(entry)
    return msgspec.json.encode(told)
