"""The export of a ledger as files, and the check of its entries. Pure: reads, never writes.

    checkpoint              the signed checkpoint, with the cosignatures of witnesses
    checkpoints.jsonl       earlier signed checkpoints by size, each line a JSON string
    timestamps.jsonl        the times of an authority (RFC 3161), each line a JSON object
    rotations.jsonl         the changes of the key, each line a proof as a JSON string
    tile/LEVEL/NUMBER       the hash tiles, as c2sp.org/tlog-tiles names them
    entries/000000.jsonl    65,536 entries a file, each line a JSON object

An entry has `leaf`, the text that the tree holds. It may have `actor`, `subject` and `data`, each a
list of the salt in hex and the value as canonical JSON text. What is withheld or erased is absent.
Without the folder `entries` only hashes can be verified.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from kinward.ledger.merkle import HASH_BYTES, split_hashes
from kinward.ledger.notes import ED25519, Verifier
from kinward.ledger.tiles import WIDTH, Tile, tile_root

PART: Final = WIDTH * WIDTH  # entries of a file: a full tile of level 1
MAX_LINE: Final = 4 * 1024 * 1024  # bytes
FIELDS: Final = ("actor", "subject", "data")
ROTATED: Final = b',"ledger.key_rotated",'
BEFORE_KIND: Final = 39  # bytes of a leaf

_SALT: Final = re.compile("[0-9a-f]{64}").fullmatch
_KEYS: Final = {"leaf", *FIELDS}
# The leaf of an entry, as `leaves` writes it: the hour, the kind, and a commitment for each field.
_LEAF: Final = re.compile(
    r'kinward\.entry/1\n\["[0-9TZ:-]+","[^"\\]+"' + ',"([0-9a-f]{64})"' * len(FIELDS) + r"\]"
).fullmatch


class NotVerified(Exception):
    """The export does not verify. The message says what differs, and where."""


class KeyChange(NamedTuple):
    """What an entry says that changes the key of a log."""

    before: Verifier
    after: Verifier


class Part(NamedTuple):
    """What was found in one file of entries: hashes, and how many values were open and closed.

    `rotated`: the number of each entry that changes the key, and the origin of that key.
    """

    leaves: bytes
    roots: bytes  # of each full tile of leaves
    opened: int
    closed: int
    rotated: tuple[tuple[int, str], ...] = ()


def part_name(number: int) -> str:
    """Return the name of a file of entries below the export."""
    return f"entries/{number:06}.jsonl"


def part_size(number: int, size: int) -> int:
    """Return how many entries this file has, in an export with this size."""
    return min(PART, size - number * PART)


def check_part(folder: Path, number: int, size: int) -> Part:
    """Check one file of entries against the tiles beside it. Raises `NotVerified`."""
    first, count = number * PART, part_size(number, size)
    if (folder / "entries").is_dir():
        leaves, opened, closed, rotated = _entries(folder / part_name(number), first, count)
        _compare_tiles(folder, first, count, leaves)
        if len(leaves) < count * HASH_BYTES:
            number = first + len(leaves) // HASH_BYTES
            raise NotVerified(f"Entry {number} is missing: its file ends before it.")
    else:
        leaves, opened, closed, rotated = _tiles(folder, first, count), 0, 0, ()
    hashes = split_hashes(leaves)
    roots = [tile_root(hashes[at : at + WIDTH]) for at in range(0, count - count % WIDTH, WIDTH)]
    return Part(leaves, b"".join(roots), opened, closed, rotated)


def read_tile(folder: Path, tile: Tile) -> bytes:
    """Return the bytes of a tile. Raises `NotVerified` if it is missing or has another length."""
    try:
        with (folder / tile.path).open("rb") as file:
            data = file.read(WIDTH * HASH_BYTES + 1)
    except OSError as error:
        raise NotVerified(f"{tile.path} cannot be read: {error.strerror}.") from None
    if len(data) != tile.width * HASH_BYTES:
        raise NotVerified(f"{tile.path} does not have {tile.width} hashes.")
    return data


def earlier_notes(folder: Path) -> Iterator[bytes]:
    """Yield the earlier signed checkpoints. Raises `NotVerified`."""
    path = folder / "checkpoints.jsonl"
    if not path.exists():
        return
    for number, line in enumerate(read_lines(path), 1):
        note = _json(line, f"Line {number} of checkpoints.jsonl")
        if not isinstance(note, str):
            raise NotVerified(f"Line {number} of checkpoints.jsonl is no JSON string.")
        yield note.encode("utf-8", "replace")


def leaf_bytes(number: int, line: bytes) -> tuple[bytes, int]:
    """Check the values of an entry against its leaf; return the leaf and how many values are open.

    Raises `NotVerified`.
    """
    entry = _json(line, f"Entry {number}")
    if not isinstance(entry, dict) or not isinstance(entry.get("leaf"), str):
        raise NotVerified(f"Entry {number} has no leaf.")
    if not entry.keys() <= _KEYS:
        raise NotVerified(f"Entry {number} has fields that nothing proves.")
    leaf: str = entry["leaf"]
    opened = len(entry) - 1
    if opened:
        _check_values(number, leaf, entry)
    try:
        return leaf.encode(), opened
    except UnicodeEncodeError:
        raise NotVerified(f"The leaf of entry {number} is not text.") from None


def _check_values(number: int, leaf: str, entry: dict[str, object]) -> None:
    committed = _LEAF(leaf)
    if committed is None:
        raise NotVerified(f"The leaf of entry {number} has no commitments, so it proves no values.")
    for place, name in enumerate(FIELDS, 1):
        if name not in entry:
            continue
        made = _commitment(name, entry[name])
        if not made:
            raise NotVerified(f"Entry {number}: {name} is no salt with a value.")
        if made != committed[place]:
            raise NotVerified(f"Entry {number}: {name} is not what the leaf commits to.")


def _commitment(name: str, told: object) -> str:
    """Return the commitment to a value, in hex, from its salt and its text; "" if it is neither."""
    if not isinstance(told, list) or list(map(type, told)) != [str, str]:
        return ""
    salt, value = told
    if not _SALT(salt):
        return ""
    key = bytes.fromhex(salt)
    text = f"{name}\0{value}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, text, "sha256").hex()


def key_change(number: int, line: bytes, leaf: bytes) -> KeyChange | None:
    """Return what an entry says that changes the key; None if it is another one.

    `line`: the entry, whose values fit the leaf. Raises `NotVerified` if it hides the keys.
    """
    if not leaf.startswith(ROTATED, BEFORE_KIND):
        return None
    try:
        fact = json.loads(json.loads(line)["data"][1])["fact"]
        change = KeyChange(Verifier.parse(fact["before"]), Verifier.parse(fact["after"]))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        raise NotVerified(
            f"Entry {number} changes the key of the log, and does not show to which one."
        ) from None
    if change.before.name != change.after.name or {key.kind for key in change} != {ED25519}:
        raise NotVerified(f"Entry {number} changes the key of the log to that of another one.")
    return change


def _entries(
    path: Path, first: int, count: int
) -> tuple[bytes, int, int, tuple[tuple[int, str], ...]]:
    hashes, opened = [], 0
    rotated = []
    number = first
    for line in read_lines(path):
        if number == first + count:
            raise NotVerified(f"{path.name} has entries beyond the size of the checkpoint.")
        leaf, values = leaf_bytes(number, line)
        hashes.append(hashlib.sha256(b"\x00" + leaf).digest())
        opened += values
        if change := key_change(number, line, leaf):
            rotated.append((number, change.after.name))
        number += 1
    return b"".join(hashes), opened, len(FIELDS) * count - opened, tuple(rotated)


def read_lines(path: Path, most: int = MAX_LINE) -> Iterator[bytes]:
    """Yield the lines of a file, of at most so many bytes each. Raises `NotVerified`."""
    try:
        with path.open("rb") as file:
            while line := file.readline(most + 1):
                if len(line) > most:
                    raise NotVerified(f"{path.name} has a line above {most:,} bytes.")
                yield line
    except OSError as error:
        raise NotVerified(f"{path.name} cannot be read: {error.strerror}.") from None


def _json(text: bytes, what: str) -> object:
    try:
        decoded = text.decode()
        found, end = _parse(decoded)
    except (ValueError, RecursionError):
        raise NotVerified(f"{what} is not JSON.") from None
    if decoded[end:] not in ("\n", ""):
        raise NotVerified(f"{what} is not one line of JSON.")
    return found


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object whose names are each there once: of two, another reader takes the other."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice")
    return found


_parse: Final = json.JSONDecoder(object_pairs_hook=_object).raw_decode


def _tiles_over(first: int, count: int) -> Iterator[Tile]:
    for start in range(0, count, WIDTH):
        yield Tile(0, (first + start) // WIDTH, min(WIDTH, count - start))


def _tiles(folder: Path, first: int, count: int) -> bytes:
    return b"".join(read_tile(folder, tile) for tile in _tiles_over(first, count))


def _compare_tiles(folder: Path, first: int, count: int, leaves: bytes) -> None:
    for tile in _tiles_over(first, count):
        start = (tile.number * WIDTH - first) * HASH_BYTES
        compare_tile(folder, tile, leaves[start : start + tile.width * HASH_BYTES])


def compare_tile(folder: Path, tile: Tile, computed: bytes) -> None:
    """Compare a tile with its first hashes as computed. Raises `NotVerified`."""
    stored = read_tile(folder, tile)[: len(computed)]
    if stored == computed:
        return
    pairs = zip(split_hashes(stored), split_hashes(computed), strict=True)
    offset = next(at for at, (one, other) in enumerate(pairs) if one != other)
    hash_number = tile.number * WIDTH + offset
    if tile.level == 0:
        raise NotVerified(f"Entry {hash_number} is not the one in the tree: {tile.path} differs.")
    raise NotVerified(f"{tile.path} does not follow from the tiles below it.")
