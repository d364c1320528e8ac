"""Which row stands for which kind of entry: each room declares it, in its `counterparts.py`.

A counterpart is a table with the marks that its rows leave in the ledger, in both directions: what
a row says has an entry, and what an entry says is in its row. `reconciliation` compares the two.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import models

from kinward.ledger.kinds import Fact
from kinward.ledger.models import Entry

Row = Any  # of the counterpart's model

REMOVED: Final = "removed"
PARTNER: Final = "partner"

# The rules that explain a difference, in words.
RULES: Final[Mapping[str, str]] = {
    REMOVED: "an entry says that the row was removed",
    PARTNER: "a partner's list has one entry for each sync, and not for each addition",
}


class Heard(msgspec.Struct):
    """What the ledger says of one row by one kind: how often, and last.

    `entries`: all of them, oldest first, where rows share a key. Otherwise none is kept.
    """

    count: int
    newest: Entry
    entries: list[Entry] = []


Told = Mapping[str, Heard]  # by the kind's name


def always(row: Row) -> bool:
    """Every row says so."""
    return True


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a row says, and the entry that says the same.

    `facts`: the kinds of which one says it. `happened`: whether the row says so, None if it cannot
    tell. `same`: fields of the newest such entry, with the row's own values. A field that an entry
    of an earlier version lacks is not compared. `by`: the actor; "" if anybody. `explains`: the
    name of a rule in `RULES` by which a row may lack its entry, or "". `at`: what puts rows that
    share a key in the order of their entries. `more`: there may be entries of rows that are gone.
    """

    facts: tuple[type[Fact], ...]
    happened: Callable[[Row], bool | None] = always
    same: Mapping[str, Callable[[Row], Any]] = {}
    by: Callable[[Row], str] | None = None
    once: bool = True
    explains: Callable[[Row], str] | None = None
    at: Callable[[Row], Any] | None = None
    more: bool = False


class Counterpart(msgspec.Struct, frozen=True, kw_only=True):
    """A table, and the marks of its rows in the ledger.

    `subject`: what entries about a row are about. `key` and `entry_key`: what a row and an entry
    have in common, if that is not the id in the subject. `field`: the column in which that id is;
    "" if an entry may be there without a row. `find`: instead, which of some keys have rows.
    `group`: all rows that share a row's key, if several do: each then has an entry of its own.
    `by_entries`: rows that `where` leaves out are compared where an entry names them. `gone`: kinds
    that say that a row was removed. `made`: the column with a row's own time. `checks`: what else
    differs, each as one sentence. `checks_blank`: they run even where an entry is blank.
    """

    name: str
    model: type[models.Model]
    marks: tuple[Mark, ...] = ()
    subject: Callable[[Row], str] = str
    key: Callable[[Row], str] | None = None
    entry_key: Callable[[Entry], str] | None = None
    field: str = "pk"
    also: tuple[type[Fact], ...] = ()  # kinds whose row must exist, and say no more
    related: tuple[str, ...] = ()
    defer: tuple[str, ...] = ()
    where: models.Q = models.Q()
    find: Callable[[Sequence[str]], Iterable[str]] | None = None
    group: Callable[[Row], Iterable[Row]] | None = None
    by_entries: bool = False
    gone: tuple[type[Fact], ...] = ()
    made: str = ""
    checks: tuple[Callable[[Row, Told], Iterable[str]], ...] = ()
    checks_blank: bool = False

    @property
    def facts(self) -> tuple[type[Fact], ...]:
        """Every kind that it compares."""
        named = [fact for mark in self.marks for fact in mark.facts]
        return tuple(dict.fromkeys([*named, *self.also, *self.gone]))

    def key_of_row(self, row: Row) -> str:
        """Return what a row has in common with its entries."""
        return id_of(self.subject(row)) if self.key is None else self.key(row)

    def key_of_entry(self, entry: Entry) -> str:
        """Return what an entry has in common with its row; "" for one that names none."""
        return id_of(entry.subject or "") if self.entry_key is None else self.entry_key(entry)


def id_of(subject: str) -> str:
    """Return the id in the name of a subject.

    >>> id_of("account:member-1:x")
    'member-1:x'
    """
    return subject.partition(":")[2]


def valid_ids(texts: Iterable[str]) -> set[UUID]:
    """Return those of some texts that are UUIDs: whoever plants an entry may write anything."""
    found = set()
    for text in texts:
        with suppress(ValueError):
            found.add(UUID(text))
    return found


def named(field: str) -> Callable[[Entry], str]:
    """Return the `entry_key` of entries that name their row in a field."""

    def key(entry: Entry) -> str:
        value = entry.data.get(field)
        return "" if value is None else str(value)

    return key


_counterparts: Final[dict[str, Counterpart]] = {}
_rowless: Final[dict[str, str]] = {}
_unrecorded: Final[dict[type[models.Model], str]] = {}


def declare(*counterparts: Counterpart) -> None:
    """Declare which rows stand for which entries. A name is declared once."""
    for counterpart in counterparts:
        known = _counterparts.setdefault(counterpart.name, counterpart)
        if known is not counterpart:
            raise ValueError(f"There are two counterparts named {counterpart.name!r}.")


def rowless(why: str, *facts: type[Fact]) -> None:
    """Say why no row stands for these kinds."""
    _rowless.update({fact.kind: why for fact in facts})


def unrecorded(why: str, *tables: type[models.Model]) -> None:
    """Say why the rows of these tables have no entries."""
    _unrecorded.update(dict.fromkeys(tables, why))


def counterparts() -> list[Counterpart]:
    """Return every counterpart, by its name."""
    return [_counterparts[name] for name in sorted(_counterparts)]


def rowless_kinds() -> Mapping[str, str]:
    """Return the kinds for which no row stands, each with the reason."""
    return _rowless


def unrecorded_tables() -> Mapping[type[models.Model], str]:
    """Return the tables whose rows have no entries, each with the reason."""
    return _unrecorded
