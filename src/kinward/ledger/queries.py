"""Queries of the ledger: the entries about a subject, and the proof that the chain is whole."""

from collections.abc import Callable

import msgspec
from django.db.models import QuerySet

from kinward.ledger.chain import GENESIS, digest
from kinward.ledger.models import Entry


class Verification(msgspec.Struct, frozen=True):
    """The result of a walk over the whole chain. `broken_at` numbers the first wrong entry."""

    entries: int
    head: str
    broken_at: int | None = None
    why: str = ""

    @property
    def ok(self) -> bool:
        return self.broken_at is None


def entries_about(*subjects: str) -> QuerySet[Entry]:
    """Return all entries about these subjects, oldest first."""
    return Entry.objects.filter(subject__in=subjects).order_by("seq")


def verify_ledger(progress: Callable[[int], None] = lambda walked: None) -> Verification:
    """Walk the chain from its first entry; `progress` is called with the count of entries so far.

    The walk proves that no entry was changed. To prove that none was cut off the end, compare the
    head with one that was recorded elsewhere.
    """
    previous, expected = GENESIS, 1
    for entry in Entry.objects.order_by("seq").iterator(chunk_size=5000):
        why = _fault(entry, expected, previous)
        if why:
            return Verification(expected - 1, previous.hex(), entry.seq, why)
        previous, expected = bytes(entry.digest), expected + 1
        if entry.seq % 5000 == 0:
            progress(entry.seq)
    return Verification(expected - 1, previous.hex())


def _fault(entry: Entry, expected: int, previous: bytes) -> str:
    if entry.seq != expected:
        return f"entry {expected} is missing"
    if bytes(entry.previous) != previous:
        return "it does not follow from the entry before it"
    content = digest(
        previous=previous,
        seq=entry.seq,
        at=entry.at,
        actor=entry.actor,
        kind=entry.kind,
        subject=entry.subject,
        data=entry.data,
    )
    return "" if content == bytes(entry.digest) else "its content does not match its digest"
