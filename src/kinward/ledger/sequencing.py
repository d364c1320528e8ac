"""The sequencer: it gives each finished entry its place in the log.

Entries are written without a lock, so they become visible in no order. But every transaction below
the oldest one that runs has ended (`pg_snapshot_xmin`). Of these, all entries are known, and none
comes later. So they are taken in the order of transaction and number, and each becomes one leaf.
Leaves, tiles and the new edge of the tree commit together. A writer that stays open holds back
every entry that began after it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from secrets import token_hex
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from django.db import connection, transaction
from django.utils import timezone

from kinward.ground.config import config
from kinward.ground.errors import NotConfigured
from kinward.ground.locks import in_turn, try_turn
from kinward.ledger.authenticity import first_leaf
from kinward.ledger.boundary import BoundaryUnreadable, keep_restored, kept, settle
from kinward.ledger.cursors import fast_cursor
from kinward.ledger.leaves import chain_leaf, entry_leaf
from kinward.ledger.merkle import HASH_BYTES, Frontier, leaf_hash, split_hashes
from kinward.ledger.models import Entry, HashTile, Log
from kinward.ledger.pinned import pin
from kinward.ledger.tiles import WIDTH, level_size, tile_root

LOCK: Final = "ledger.sequencer"
SIGNER: Final = "ledger.signer"  # the lock of whoever signs
BATCH: Final = 20_000  # entries in one transaction
PULSE: Final = 10.0  # seconds after which an idle sequencer writes that it is there
TILE_BYTES: Final = WIDTH * HASH_BYTES

_UNSEQUENCED: Final = """
SELECT e.seq, e.xid::text, e.at, e.kind, e.actor_commitment, e.subject_commitment, e.data_commitment
FROM ledger_entry e
WHERE e.xid IS NOT NULL AND {where}
ORDER BY e.xid, e.seq LIMIT %(batch)s
"""
# `IS NULL` is asked of each row by the index of leaves. PostgreSQL would turn `NOT EXISTS` into a
# hash of all leaves whenever it believes that many entries are new.
_FINISHED: Final = _UNSEQUENCED.format(
    where="(e.xid, e.seq) > (%(xid)s::xid8, %(seq)s) AND e.xid < %(horizon)s::xid8 "
    "AND (SELECT l.index FROM ledger_leaf l WHERE l.entry_id = e.seq) IS NULL"
)
# After a restore, ids of transactions mean nothing: all that is visible is taken.
_ALL: Final = _UNSEQUENCED.format(
    where="NOT EXISTS (SELECT FROM ledger_leaf l WHERE l.entry_id = e.seq)"
)
_TILE: Final = """
INSERT INTO ledger_tile (level, index, data) VALUES (%s, %s, %s)
ON CONFLICT (level, index) DO UPDATE SET data = EXCLUDED.data
"""


class Here(NamedTuple):
    """The horizon, below which every transaction has ended, and the database system it is of."""

    horizon: int
    cluster: int


def sequence(batch: int = BATCH) -> int | None:
    """Append the entries of finished transactions to the log, up to `batch`; return how many.

    None if another sequencer is at it. Idempotent, and safe to kill at any moment.
    """
    with transaction.atomic():
        if not try_turn(LOCK):
            return None
        return _append_finished(_log() or _begin(), batch)


def sequence_all() -> int:
    """Append all entries of finished transactions, and return how many. Waits for its turn."""
    appended = 0
    while True:
        with transaction.atomic():
            in_turn(LOCK)
            count = _append_finished(_log() or _begin(), BATCH)
        appended += count
        if count < BATCH:
            return appended


def begin_again() -> Log:
    """Go on under a new origin after a restore, and sequence all that the backup had.

    The log of the backup may have shown a greater tree before it was lost. Nothing that is signed
    from now on contradicts that, because it is of another log. Its origin is a new one each time:
    the same backup may be restored twice.
    """
    with transaction.atomic():
        in_turn(LOCK)
        in_turn(SIGNER)
        log = _log() or _begin()
        first = log.origin if log.generation == 1 else log.origin.rpartition("/")[0]
        log.generation += 1
        log.origin = f"{first}/{log.generation}-{token_hex(4)}"
        log.signed_size, log.signed_root, log.signed_at = 0, b"", None
        log.note, log.vkey = b"", ""
        log.cluster = 0
        log.save()
    pin(log.origin)
    with suppress(NotConfigured):
        keep_restored(log)
    sequence_all()
    return Log.objects.get()


def _log() -> Log | None:
    # Only a sequencer writes what is read here, and it has the lock.
    return Log.objects.first()


def _begin() -> Log:
    """Write the one row of the log. The head of the former chain, if any, is its first leaf."""
    now = here()
    last = Entry.objects.filter(digest__isnull=False).order_by("-seq").first()
    log = Log(
        origin=origin(),
        chained=0 if last is None else last.seq,
        chain_head=b"" if last is None or last.digest is None else bytes(last.digest),
        frontier=Frontier().to_bytes(),
        position_xid=0,
        position_seq=0,
        cluster=now.cluster,
        ran_at=timezone.now(),
    )
    with suppress(NotConfigured):
        settle(log, 0)
    log.save(force_insert=True)
    if log.chained:
        head = leaf_hash(chain_leaf(log.chained, bytes(log.chain_head)))
        _append(log, [(None, head)])
    return log


def origin() -> str:
    """Return the name that a new log gets: the setting, or the address where Kinward is reached."""
    chosen = config()
    return chosen.ledger_origin or f"{urlsplit(chosen.url).netloc}/ledger"


def here() -> Here:
    """Return how far transactions have ended, and in which database system."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text, system_identifier "
            "FROM pg_control_system()"
        )
        ((horizon, cluster),) = cursor.fetchall()
    return Here(int(horizon), int(cluster))


def _append_finished(log: Log, batch: int) -> int:
    now = here()
    # In another cluster, or in this one after it was set back, ids of transactions begin anew.
    elsewhere = log.cluster != now.cluster or log.position_xid > now.horizon
    values: dict[str, str | int] = {
        "xid": str(log.position_xid),
        "seq": log.position_seq,
        "horizon": str(now.horizon),
        "batch": batch,
    }
    with fast_cursor() as cursor:
        rows = cursor.execute(_ALL if elsewhere else _FINISHED, values, binary=True).fetchall()
    if len(rows) < batch:
        log.cluster, log.position_xid, log.position_seq = now.cluster, now.horizon, 0
    elif not elsewhere:
        log.position_xid, log.position_seq = int(rows[-1][1]), rows[-1][0]
    if rows or (timezone.now() - log.ran_at).total_seconds() > PULSE or elsewhere:
        _append(log, [(row[0], _hash(*row[2:])) for row in rows])
    if rows:
        _settle(log)
    return len(rows)


def _settle(log: Log) -> None:
    """Say from which leaf on every entry has a MAC, in a log of an earlier version once one has.

    A log that has said so before says no other number. Without the secret key, or with a file that
    cannot be read, nothing is said, and entries get their leaves all the same.
    """
    with suppress(NotConfigured, BoundaryUnreadable):
        if log.macs_from is not None or kept() is not None:
            return
        first = first_leaf(log)
        if first is not None:
            settle(log, first)
            log.save(update_fields=["macs_from", "macs_from_mac"])


def _hash(at: datetime, kind: str, actor: bytes, subject: bytes, data: bytes) -> bytes:
    return leaf_hash(entry_leaf(at=at, kind=kind, actor=actor, subject=subject, data=data))


def _append(log: Log, leaves: Sequence[tuple[int | None, bytes]]) -> None:
    """Append leaves (the entry, and the hash), and store the tiles and the edge of the tree."""
    frontier = Frontier.from_bytes(bytes(log.frontier))
    first, hashes = frontier.size, [leaf for _entry, leaf in leaves]
    frontier.extend(hashes)
    _write_leaves(first, leaves)
    _write_tiles(grown_tiles(first, hashes, tile_data))
    log.frontier, log.size, log.ran_at = frontier.to_bytes(), frontier.size, timezone.now()
    log.save(
        update_fields=[
            "frontier",
            "size",
            "position_xid",
            "position_seq",
            "cluster",
            "ran_at",
        ]
    )


def _write_leaves(first: int, leaves: Sequence[tuple[int | None, bytes]]) -> None:
    if not leaves:
        return
    into = "COPY ledger_leaf (index, entry_id, hash) FROM STDIN (FORMAT binary)"
    with fast_cursor() as cursor, cursor.copy(into) as copy:
        copy.set_types(["int8", "int8", "bytea"])
        for index, (entry, leaf) in enumerate(leaves, first):
            copy.write_row((index, entry, leaf))


def _write_tiles(tiles: Iterable[tuple[int, int, bytes]]) -> None:
    rows = list(tiles)
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_TILE, rows)


def tile_data(level: int, index: int) -> bytes:
    """Return the hashes of a tile as far as it has grown. Empty if there is none yet."""
    tile = HashTile.objects.filter(level=level, index=index).values_list("data", flat=True).first()
    return b"" if tile is None else bytes(tile)


def grown_tiles(
    size: int, hashes: Sequence[bytes], read: Callable[[int, int], bytes]
) -> Iterator[tuple[int, int, bytes]]:
    """Yield each tile (level, index, bytes) that changes when these leaves follow `size` others.

    `read` returns what a tile has so far.
    """
    level, added = 0, list(hashes)
    while added:
        index, offset = divmod(level_size(level, size), WIDTH)
        before = read(level, index)[: offset * HASH_BYTES] if offset else b""
        data, added = before + b"".join(added), []
        for start in range(0, len(data), TILE_BYTES):
            part = data[start : start + TILE_BYTES]
            yield level, index, part
            if len(part) == TILE_BYTES:
                added.append(tile_root(split_hashes(part)))
            index += 1
        level += 1
