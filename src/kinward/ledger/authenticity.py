"""Which entries Kinward wrote. Whoever may add rows to the table writes others, and none counts.

Each entry has a MAC (HMAC-SHA256, RFC 2104) by the secret key of its day, which the database does
not hold. It is over the number, the exact time, the kind and the commitments. These stay when the
values are erased, and each value has to fit its commitment. So nobody copies or moves an entry.

Entries from before the MACs have none. The log says at which leaf they end, with a MAC of its own,
and a file outside the database says so too (`boundary`).
"""

import hmac
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from django.db.models import QuerySet

from kinward.ground.config import Config, config
from kinward.ground.secrets import is_digest, mac_keys
from kinward.ledger.boundary import first_known, kept, said
from kinward.ledger.chain import digest
from kinward.ledger.leaves import exact_time, is_commitment
from kinward.ledger.merkle import leaf_hash
from kinward.ledger.models import Entry, Leaf, Log
from kinward.ledger.openings import commitments_of, leaf_of, values_of

FORMAT: Final = b"kinward.entry-mac/1\n"
NUMBER_BYTES: Final = 8
MAX_NUMBER: Final = 2**63 - 1
CHUNK: Final = 50  # entries that are read at once to find the first that counts


class _Derived:
    """The keys of the MACs, derived once for each configuration. A call costs a lookup."""

    chosen: Config | None = None
    all: Sequence[bytes] = ()
    remembers: bool = False  # this machine keeps where MACs begin


def mac_of(number: int, at: str, kind: str, actor: bytes, subject: bytes, data: bytes) -> bytes:
    """Return the MAC (32 bytes) of an entry, from its exact time (`exact_time`) and commitments.

    Raises `NotConfigured` without a secret key.
    """
    return hmac.digest(_keys()[0], _told(number, at, kind, actor, subject, data), "sha256")


def _told(number: int, at: str, kind: str, *commitments: bytes) -> bytes:
    name = number.to_bytes(NUMBER_BYTES, signed=True)
    return b"".join((FORMAT, name, *commitments, at.encode(), kind.encode()))


def _keys() -> Sequence[bytes]:
    chosen = config()
    if _Derived.chosen is not chosen:
        _Derived.all, _Derived.chosen = mac_keys("ledger"), chosen
        _Derived.remembers = False
    return _Derived.all


def _remember() -> None:
    """Let this machine keep where MACs begin, before somebody takes that from the log's row."""
    if _Derived.remembers and _Derived.chosen is config():
        return
    _keys()
    log = Log.objects.first()
    if log is not None:
        first_known(log)
        _Derived.remembers = kept() is not None


def written_here(entries: Iterable[Entry]) -> list[Entry]:
    """Return those of some entries that Kinward wrote, in their order.

    Whoever decides something by entries reads them through this.
    """
    _remember()
    told = list(entries)
    former = _former([entry for entry in told if entry.mac is None])
    return [
        entry
        for entry in told
        if (
            entry.pk in former and _stands(entry, former[entry.pk])
            if entry.mac is None
            else has_true_mac(entry) and _fits(entry)
        )
    ]


def each_written(entries: QuerySet[Entry], at_once: int = 1000) -> Iterator[Entry]:
    """Yield those of some ordered entries that Kinward wrote. Never holds more than `at_once`."""
    rest = entries.iterator(chunk_size=at_once)
    while part := list(islice(rest, at_once)):
        yield from written_here(part)


def first_written(entries: QuerySet[Entry]) -> Entry | None:
    """Return the first of some ordered entries that Kinward wrote. Reads a few at a time."""
    return next(each_written(entries, CHUNK), None)


def has_true_mac(entry: Entry) -> bool:
    """Return whether the MAC of an entry is that of its number, time, kind and commitments."""
    told = _told(entry.pk, exact_time(entry.at), entry.kind, *commitments_of(entry))
    return is_digest(bytes(entry.mac or b""), told, _keys())


def _fits(entry: Entry) -> bool:
    """Return whether each value that an entry has is the one that it is committed to."""
    return all(
        is_commitment(commitment, name, told, salt or b"")
        for name, told, salt, commitment in values_of(entry)
        if told is not None
    )


def fits_chain(entry: Entry) -> bool:
    """Return whether an entry of the former chain says what its digest covers, or all is erased."""
    if entry.actor is entry.subject is entry.data is None:
        return True
    try:
        expected = digest(
            previous=bytes(entry.previous or b""),
            seq=entry.seq,
            at=entry.at,
            actor=entry.actor or "",
            kind=entry.kind,
            subject=entry.subject or "",
            data=entry.data,
        )
    except (OverflowError, ValueError, TypeError, RecursionError):  # no entry of ours has it
        return False
    return hmac.compare_digest(expected, bytes(entry.digest or b""))


def _stands(entry: Entry, leaf: bytes | None) -> bool:
    """Return whether an entry from before the MACs says what its digest or its leaf is over."""
    if entry.digest is not None:
        return fits_chain(entry)
    return _fits(entry) and leaf in (None, leaf_hash(leaf_of(entry)))


def _former(entries: Sequence[Entry]) -> dict[int, bytes | None]:
    """Return those entries without a MAC that are from before the MACs: number, and leaf if any."""
    if not entries:
        return {}
    log = Log.objects.first()
    last = chained_to(log)
    of_chain = [e.pk for e in entries if e.digest is not None and 0 < e.pk <= last]
    chained: dict[int, bytes | None] = dict.fromkeys(of_chain)
    rest = [entry.pk for entry in entries if entry.digest is None]
    first = first_leaf(log)
    if first == 0 or not rest:
        return chained
    placed = Leaf.objects.filter(entry_id__in=rest)
    if first is None:
        return chained | dict.fromkeys(rest) | _leaves(placed)
    return chained | _leaves(placed.filter(index__lt=first))


def _leaves(placed: QuerySet[Leaf]) -> dict[int, bytes | None]:
    return {number: bytes(leaf) for number, leaf in placed.values_list("entry_id", "hash")}


def chained_to(log: Log | None) -> int:
    """Return the number of the last entry of the former chain, as far as the log can be believed.

    A database that was just upgraded has no log, or one whose row says nothing of MACs. Where the
    file says that a log had some, such a row is somebody else's.
    """
    upgraded = kept() is None and (log is None or log.macs_from is None)
    if log is None:
        return MAX_NUMBER if upgraded and not Leaf.objects.exists() else 0
    return log.chained if upgraded or said(log) is not None else 0


def first_leaf(log: Log | None) -> int | None:
    """Return from which leaf on every entry needs a MAC. None: no entry has one yet.

    Where neither the log nor the file says so any more, the first entry with a true MAC does.
    """
    if log is None:
        return 0
    known = first_known(log)
    return _first_with_mac() if known is None else known


def _first_with_mac() -> int | None:
    leaves = Leaf.objects.select_related("entry").filter(entry__mac__isnull=False)
    for leaf in leaves.order_by("index").iterator(chunk_size=CHUNK):
        if leaf.entry is not None and has_true_mac(leaf.entry):
            return leaf.index
    return None


class Stranger(NamedTuple):
    """An entry that Kinward did not write."""

    number: int
    kind: str


def strangers(
    after: int | None, most: int, since: datetime | None
) -> tuple[list[Stranger], int | None]:
    """Go over up to `most` entries with greater numbers, and find those that Kinward did not write.

    Returns them, and the last number, or None at the end. It looks at MACs and not at values:
    `verify_ledger` does that.
    """
    entries = Entry.objects.order_by("pk")
    if after is not None:  # somebody else's number may be negative
        entries = entries.filter(pk__gt=after)
    if since is not None:
        entries = entries.filter(at__gte=since)
    batch = list(entries.defer("actor", "subject", "data", "previous")[:most])
    former = _former([entry for entry in batch if entry.mac is None])
    found = [
        Stranger(entry.pk, entry.kind)
        for entry in batch
        if not (has_true_mac(entry) if entry.mac is not None else entry.pk in former)
    ]
    return found, batch[-1].pk if len(batch) == most else None


class Strangers:
    """Counts the entries that Kinward did not write, along a walk in the order of leaves."""

    def __init__(self, log: Log | None) -> None:
        self._first = first_leaf(log)
        self.numbers: list[int] = []  # the first of them
        self.count = 0

    def look_at(self, entry: Entry, index: int | None) -> None:
        """Look at an entry and its leaf's place, None without one. Its values fit already."""
        if entry.mac is not None:
            true = has_true_mac(entry)
        else:
            true = self._first is None or (index is not None and index < self._first)
        if not true:
            self.count += 1
            self.numbers = self.numbers or [entry.pk]
