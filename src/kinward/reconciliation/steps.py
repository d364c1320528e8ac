"""The steps of a comparison: rows of each counterpart, then entries of each of its kinds."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
from django.utils.module_loading import autodiscover_modules

from kinward.ledger.api import Counterpart, Entry, counterparts, strangers, written_here
from kinward.reconciliation.compare import (
    compare_entries,
    compare_rows,
    gone_from_the_ledger,
    name_stranger,
    queryset,
    rows_of,
    unknown_kinds,
)
from kinward.reconciliation.gaps import Gap

ROWS: Final = 200
ENTRIES: Final = 1000
UNKNOWN: Final = "unknown kinds"
STRANGERS: Final = "entries that Kinward did not write"


class Batch(msgspec.Struct):
    """What one batch came to. `after`: where the next one begins; "" if the step is over."""

    gaps: list[Gap]
    after: str = ""
    rows: int = 0
    entries: int = 0


class Step(msgspec.Struct, frozen=True):
    """The rows of a counterpart, or its entries of one kind. Its name tells how far a run is."""

    name: str
    counterpart: Counterpart | None = None
    kind: str = ""

    def batch(self, after: str, since: datetime | None) -> Batch:
        """Compare what follows `after`, in a bounded piece."""
        if self.name == STRANGERS:
            return _strangers(after, since)
        if self.counterpart is None:
            gone = gone_from_the_ledger() if since is None else ()
            return Batch([*unknown_kinds(), *gone])
        if self.kind:
            return _entries(self.counterpart, self.kind, after, since)
        return _rows(self.counterpart, after, since)


def gathered() -> list[Counterpart]:
    """Return every counterpart that a room declares. Loads the `counterparts.py` of each room.

    They are loaded here and not at the start, so that no door loads them.
    """
    autodiscover_modules("counterparts")
    return counterparts()


def steps() -> list[Step]:
    """Return every step, in the order in which a run takes them."""
    return [Step(UNKNOWN), Step(STRANGERS), *(step for one in gathered() for step in _of(one))]


def _of(counterpart: Counterpart) -> Iterator[Step]:
    yield Step(counterpart.name, counterpart)
    if counterpart.field or counterpart.find:
        for fact in counterpart.facts:
            yield Step(f"{counterpart.name}, {fact.kind}", counterpart, fact.kind)


def _strangers(after: str, since: datetime | None) -> Batch:
    found, last = strangers(int(after) if after else None, ENTRIES, since)
    following = "" if last is None else str(last)
    return Batch([name_stranger(one) for one in found], following)


def _rows(counterpart: Counterpart, after: str, since: datetime | None) -> Batch:
    if since is not None and not counterpart.made:
        return Batch([])  # those that changed have entries, or the next whole run finds them
    rows = queryset(counterpart)
    if since is not None:
        rows = rows.filter(**{f"{counterpart.made}__gte": since})
    if after:
        rows = rows.filter(pk__gt=after)
    batch = list(rows[:ROWS])
    gaps = compare_rows(counterpart, batch) if batch else []
    following = str(batch[-1].pk) if len(batch) == ROWS else ""
    return Batch(gaps, following, rows=len(batch))


def _entries(counterpart: Counterpart, kind: str, after: str, since: datetime | None) -> Batch:
    entries = Entry.objects.filter(kind=kind).order_by("pk")
    if since is not None:
        entries = entries.filter(at__gte=since)
    if after:
        entries = entries.filter(pk__gt=after)
    batch: list[Any] = list(entries[:ENTRIES])
    written = written_here(batch)
    gaps = compare_entries(counterpart, written) if written else []
    if written and (since is not None or counterpart.by_entries):
        keys = {counterpart.key_of_entry(entry) for entry in written} - {""}
        gaps += compare_rows(counterpart, rows_of(counterpart, sorted(keys)))
    following = str(batch[-1].pk) if len(batch) == ENTRIES else ""
    return Batch(gaps, following, entries=len(batch))
