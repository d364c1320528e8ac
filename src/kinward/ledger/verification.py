"""Proof that the ledger is whole: chain, entries, leaves, tiles and checkpoints agree.

One walk over the leaves builds the tree again. Each entry must say what it is committed to, its
leaf must follow from that, and the tree must have the root of each checkpoint at its size. What was
changed by somebody who holds the database and the key shows only outside: in a checkpoint that
somebody else kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from django.db import connection

from kinward.ground.errors import NotConfigured
from kinward.ledger.authenticity import Strangers, fits_chain
from kinward.ledger.boundary import difference
from kinward.ledger.chain import GENESIS
from kinward.ledger.claims import Broken, Claimed, Head, claimed_roots, keys_at_hand
from kinward.ledger.leaves import chain_leaf, is_commitment
from kinward.ledger.merkle import Frontier, leaf_hash, split_hashes
from kinward.ledger.models import Entry, HashTile, Leaf, Log
from kinward.ledger.openings import leaf_of, values_of
from kinward.ledger.sequencing import TILE_BYTES, here
from kinward.ledger.stamping import StampCheck, check_stamps
from kinward.ledger.tiles import WIDTH, tile_root
from kinward.ledger.timestamps import NotStamped

CHUNK: Final = 20 * WIDTH  # leaves in one query
VALUES: Final = ("actor", "subject", "data")

Progress = Callable[[int], None]

_BEYOND: Final = """
SELECT leaf.entry_id FROM ledger_leaf leaf, ledger_log log
WHERE leaf.index < 0 OR leaf.index >= log.size LIMIT 1
"""
_NO_LEAF: Final = """
SELECT e.seq FROM ledger_entry e
WHERE e.digest IS NULL AND NOT EXISTS (SELECT FROM ledger_leaf l WHERE l.entry_id = e.seq)
ORDER BY e.seq
"""


class Verification(msgspec.Struct, frozen=True):
    """The result of a walk over the whole ledger.

    `broken_at` numbers the first wrong entry, if it is one. `waiting`: entries whose place in the
    log is still to come. `signed`: leaves that the newest checkpoint covers. `with_key`: the key
    was at hand. Without it, somebody may have signed with a key of their own. `with_secret`: so was
    the secret key. Without it, nobody can tell which entries Kinward wrote.
    """

    entries: int
    head: Head
    waiting: int = 0
    signed: int = 0
    erased: int = 0
    with_key: bool = True
    stamps: StampCheck = StampCheck(0, 0)
    broken_at: int | None = None
    why: str = ""
    with_secret: bool = True

    @property
    def ok(self) -> bool:
        return not self.why

    @property
    def fault(self) -> str:
        """What is wrong, as a sentence."""
        where = "" if self.broken_at is None else f" at entry {self.broken_at}"
        return f"Broken{where}: {self.why}."


class _Walk:
    """How far the walk has come."""

    def __init__(self) -> None:
        self.entries = 0
        self.erased = 0
        self.waiting = 0
        self.frontier = Frontier()
        self.roots: dict[int, list[bytes]] = defaultdict(list)  # of full tiles, by level
        self.with_key = True
        self.stamps = StampCheck(0, 0)
        self.strangers: Strangers | None = None

    def look_at(self, entry: Entry, index: int | None) -> None:
        """Look whether Kinward wrote an entry whose values fit, if the secret key is here."""
        if self.strangers is not None:
            self.strangers.look_at(entry, index)

    def expect(self, claims: Mapping[int, bytes]) -> None:
        """Compare the tree with what is claimed of one with its size."""
        root = claims.get(self.frontier.size)
        if root is not None and root != self.frontier.root():
            raise Broken(
                None,
                f"the first {self.frontier.size:,} leaves have another root than the checkpoint of "
                "that size",
            )


def verify_ledger(
    progress: Progress = lambda walked: None, *, kept: Head | None = None
) -> Verification:
    """Walk over all entries and leaves; `progress` is called with the count of leaves so far.

    `kept`: a head that somebody kept elsewhere. The log must have had it.
    """
    walk = _Walk()
    signed = 0
    try:
        claimed = Claimed()  # first, so that the log is no smaller
        log, keys = None, None
        if Log.objects.exists():
            log, keys, walk.with_key = keys_at_hand()
        signed = 0 if log is None else log.signed_size
        walk.strangers = _strangers(log)
        chained = _walk_chain(walk, progress)
        if log is not None and keys is not None:
            _compare_chain(log, chained, walk)
            _walk_leaves(log, claimed_roots(log, keys, claimed, kept), walk, progress)
            _compare_tree(log, walk)
        elif Leaf.objects.exists():
            raise Broken(None, "the log's own row is missing")
        _walk_waiting(log, walk)
        walk.stamps = _stamps()
        _expect_no_strangers(log, walk)
        if kept is not None and kept.size > walk.frontier.size:
            raise Broken(None, f"a log of {kept.size:,} leaves was kept, and its end is missing")
    except Broken as broken:
        return Verification(
            walk.entries, _head(walk), broken_at=broken.entry, why=broken.why, signed=signed
        )
    return Verification(
        walk.entries,
        _head(walk),
        walk.waiting,
        signed,
        walk.erased,
        walk.with_key,
        walk.stamps,
        with_secret=walk.strangers is not None,
    )


def _head(walk: _Walk) -> Head:
    return Head(walk.frontier.size, walk.frontier.root())


def _walk_chain(walk: _Walk, progress: Progress) -> bytes:
    """Walk the chain that was there before the log; return its head."""
    previous = GENESIS
    for entry in _chained():
        expected = walk.entries + 1
        if entry.seq != expected:
            raise Broken(entry.seq, f"entry {expected} is missing")
        if bytes(entry.previous or b"") != previous:
            raise Broken(entry.seq, "it does not follow from the entry before it")
        previous = bytes(entry.digest or b"")
        if not fits_chain(entry):
            raise Broken(entry.seq, "its content does not match its digest")
        walk.entries = entry.seq
        if entry.seq % CHUNK == 0:
            progress(entry.seq)
    return previous


def _chained() -> Iterator[Entry]:
    last: int | None = None
    chained = Entry.objects.filter(digest__isnull=False).order_by("seq")
    while chunk := list(
        chained.filter(seq__gt=last)[:CHUNK] if last is not None else chained[:CHUNK]
    ):
        yield from chunk
        last = chunk[-1].seq


def _compare_chain(log: Log, head: bytes, walk: _Walk) -> None:
    if walk.entries != log.chained or (log.chained and head != bytes(log.chain_head)):
        raise Broken(
            walk.entries or None,
            f"the chain of the first {log.chained:,} entries ends otherwise than the log says",
        )


def _walk_leaves(log: Log, claims: dict[int, bytes], walk: _Walk, progress: Progress) -> None:
    walk.expect(claims)
    for start in range(0, log.size, CHUNK):
        rows = Leaf.objects.select_related("entry").filter(
            index__gte=start, index__lt=min(start + CHUNK, log.size)
        )
        hashes = []
        for leaf in rows.order_by("index"):
            _check_leaf(log, leaf, walk.frontier.size)
            hashes.append(bytes(leaf.hash))
            walk.frontier.append(bytes(leaf.hash))
            if leaf.entry is not None:
                walk.entries += 1
                walk.look_at(leaf.entry, leaf.index)
                walk.erased += sum(getattr(leaf.entry, name) is None for name in VALUES)
            walk.expect(claims)
        if walk.frontier.size != min(start + CHUNK, log.size):
            raise Broken(None, f"leaf {walk.frontier.size:,} is missing")
        _compare_tiles(0, start // WIDTH, hashes, walk)
        progress(walk.frontier.size)


def _check_leaf(log: Log, leaf: Leaf, expected: int) -> None:
    if leaf.index != expected:
        raise Broken(None, f"leaf {expected:,} is missing")
    if leaf.entry_id is None:
        if expected or not log.chained:
            raise Broken(None, f"leaf {expected:,} has no entry")
        content = chain_leaf(log.chained, bytes(log.chain_head))
    elif leaf.entry is None:
        raise Broken(leaf.entry_id, "it is missing, and the log has its leaf")
    else:
        content = _content(leaf.entry)
    if leaf_hash(content) != bytes(leaf.hash):
        raise Broken(leaf.entry_id, "it is not the one whose leaf the log has")


def _content(entry: Entry) -> bytes:
    """Return the leaf of an entry, once each value is what it is committed to."""
    if entry.digest is not None:
        raise Broken(entry.seq, "it is of the chain, and the log has its leaf")
    for name, told, salt, commitment in values_of(entry):
        if (told is None) != (salt is None):
            raise Broken(entry.seq, f"its {name} was erased by half")
        if salt is not None and not is_commitment(commitment, name, told, salt):
            raise Broken(entry.seq, f"its {name} or time is not what it is committed to")
    return leaf_of(entry)


def _compare_tiles(level: int, first: int, hashes: list[bytes], walk: _Walk) -> None:
    """Compare stored tiles of a level, from the first one on, with these hashes."""
    count = -(-len(hashes) // WIDTH)
    stored = HashTile.objects.filter(level=level, index__gte=first, index__lt=first + count)
    data = {tile.index: bytes(tile.data) for tile in stored}
    for number in range(count):
        part = hashes[number * WIDTH : (number + 1) * WIDTH]
        tile = data.get(first + number, b"")[: len(part) * 32]
        if tile != b"".join(part):
            raise Broken(
                None, f"tile {first + number:,} of level {level} is not that of the leaves"
            )
        if len(tile) == TILE_BYTES:
            walk.roots[level + 1].append(tile_root(split_hashes(tile)))


def _compare_tree(log: Log, walk: _Walk) -> None:
    level = 1
    while walk.roots[level]:
        _compare_tiles(level, 0, walk.roots[level], walk)
        level += 1
    if walk.frontier.to_bytes() != bytes(log.frontier):
        raise Broken(None, "the edge of the tree is not that of the leaves")
    with connection.cursor() as cursor:
        cursor.execute(_BEYOND)
        if beyond := cursor.fetchone():
            raise Broken(beyond[0], "its leaf is where the log does not reach")


def _stamps() -> StampCheck:
    try:
        return check_stamps()
    except NotStamped as error:
        raise Broken(None, error.detail.rstrip(".")) from None


def _walk_waiting(log: Log | None, walk: _Walk) -> None:
    """Check the entries that have no leaf yet. What the log has passed must have one."""
    with connection.cursor() as cursor:
        cursor.execute(_NO_LEAF)
        numbers = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        begun = int(cursor.fetchone()[0])
    for start in range(0, len(numbers), CHUNK):
        chosen = Entry.objects.filter(seq__in=numbers[start : start + CHUNK])
        for entry in chosen.order_by("seq"):
            _content(entry)
            passed = log is not None and (
                (entry.xid or 0, entry.seq) <= (log.position_xid, log.position_seq)
            )
            if passed and _same_cluster(log):
                raise Broken(entry.seq, "it has no place in the log, which has gone past it")
            if (entry.xid or 0) >= begun and _same_cluster(log):
                raise Broken(entry.seq, "it names a transaction that has not begun")
            walk.look_at(entry, None)
            walk.entries += 1
            walk.waiting += 1


def _strangers(log: Log | None) -> Strangers | None:
    """Return what counts the entries that Kinward did not write; None without the secret key."""
    try:
        if log is not None and (why := difference(log)):
            raise Broken(None, why)
        return Strangers(log)
    except NotConfigured:
        return None


def _expect_no_strangers(log: Log | None, walk: _Walk) -> None:
    """Name the first entry that Kinward did not write, and how many there are."""
    if walk.strangers is None:
        return
    if walk.strangers.count:
        others = walk.strangers.count - 1
        more = f", nor {others:,} more" if others else ""
        raise Broken(walk.strangers.numbers[0], f"Kinward did not write it{more}")


def _same_cluster(log: Log | None) -> bool:
    now = here()
    return log is not None and log.cluster == now.cluster and log.position_xid <= now.horizon
