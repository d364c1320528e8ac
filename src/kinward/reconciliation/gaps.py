"""What differs between one row and the entries about it."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

import msgspec

from kinward.ledger.api import Counterpart, Heard, Mark, Told, says


class What(StrEnum):
    """The kind of a difference."""

    NO_ENTRY = "no entry"  # the row says what no entry says
    NOT_IN_ROW = "not in the row"  # an entry says what the row does not say
    OTHER = "other"  # both say it, and differ in a field
    TWICE = "twice"  # several entries say what happens once
    NO_ROW = "no row"  # the row of an entry is not there
    UNREADABLE = "unreadable"  # an entry lacks what its kind says
    UNKNOWN = "unknown"  # an entry of a kind that this version does not know
    STRANGER = "not by Kinward"  # an entry that Kinward did not write
    CHECK = "check"  # a check of the room says what differs


class Gap(msgspec.Struct, frozen=True):
    """A difference: of a row or an entry, with the kind and the field or the words that tell it.

    `rule` names what explains it; "" if nothing does.
    """

    counterpart: str
    subject: str
    key: str
    what: What
    kind: str = ""
    detail: str = ""
    rule: str = ""

    @property
    def named(self) -> tuple[str, str, str, str, str]:
        """What tells it from other differences."""
        return self.counterpart, self.key, self.what.value, self.kind, self.detail


def gaps_of(counterpart: Counterpart, row: Any, told: Told) -> Iterator[Gap]:
    """Yield what differs between a row and the entries about it."""
    make = partial(_gap, counterpart, row)
    for mark in counterpart.marks:
        heard = [told[fact.kind] for fact in mark.facts if fact.kind in told]
        happened = mark.happened(row)
        if not heard:
            if happened:
                yield make(What.NO_ENTRY, mark.facts[0].kind, rule=_explained(mark, row))
            continue
        newest = max((one.newest for one in heard), key=lambda entry: entry.pk)
        if happened is False:
            yield make(What.NOT_IN_ROW, newest.kind)
            continue
        if mark.once and sum(one.count for one in heard) > 1:
            yield make(What.TWICE, newest.kind)
        if happened:
            yield from (make(What.OTHER, newest.kind, name) for name in _other(mark, row, newest))
    yield from _checked(counterpart, row, told)


def gaps_of_group(counterpart: Counterpart, rows: Sequence[Any], told: Told) -> Iterator[Gap]:
    """Yield what differs between rows that share a key and the entries about them.

    Each row that says something has one entry, and a row that cannot tell has one at most. They are
    compared in their order.
    """
    make = partial(_gap, counterpart, rows[0])
    for mark in counterpart.marks:
        saying = [row for row in rows if mark.happened(row)]
        heard = [told[fact.kind] for fact in mark.facts if fact.kind in told]
        entries = [entry for one in heard for entry in one.entries]
        most = sum(mark.happened(row) is not False for row in rows)
        if len(entries) < len(saying):
            rule = _explained(mark, saying[-1])
            yield make(What.NO_ENTRY, mark.facts[0].kind, rule=rule)
        elif len(entries) > most and not mark.more:
            yield make(What.NOT_IN_ROW, entries[-1].kind)
        elif len(entries) == len(saying):
            saying.sort(key=mark.at or _pk)
            entries.sort(key=_pk)
            for row, entry in zip(saying, entries, strict=True):
                for name in _other(mark, row, entry):
                    yield _gap(counterpart, row, What.OTHER, entry.kind, name)
    for row in rows:
        yield from _checked(counterpart, row, told)


def _gap(
    counterpart: Counterpart, row: Any, what: What, kind: str = "", detail: str = "", rule: str = ""
) -> Gap:
    subject, key = counterpart.subject(row), counterpart.key_of_row(row)
    return Gap(counterpart.name, subject, key, what, kind, detail, rule)


def _checked(counterpart: Counterpart, row: Any, told: Told) -> Iterator[Gap]:
    blank = any(heard.newest.data is None for heard in told.values())
    if blank and not counterpart.checks_blank:
        return  # it spoke of somebody who was erased
    try:
        for check in counterpart.checks:
            for words in check(row, told):
                yield _gap(counterpart, row, What.CHECK, detail=words)
    except (KeyError, TypeError, IndexError):  # a forged entry ends no run
        yield _gap(counterpart, row, What.UNREADABLE)


def _explained(mark: Mark, row: Any) -> str:
    return mark.explains(row) if mark.explains else ""


def _pk(row: Any) -> Any:
    return row.pk


def _other(mark: Mark, row: Any, entry: Any) -> Iterator[str]:
    """Yield the fields in which a row and its entry differ. Nobody can tell of erased values."""
    if mark.by is not None and (actor := mark.by(row)) and entry.actor not in (actor, None):
        yield "actor"
    if entry.data is None:
        return
    for field, value in mark.same.items():
        if field in entry.data and not says(entry.data[field], value(row)):
            yield field


def hear(told: dict[str, Heard], entry: Any, *, keep: bool) -> None:
    """Add an entry to what is told of a row, and `keep` it. Entries come oldest first."""
    heard = told.setdefault(entry.kind, Heard(0, entry))
    heard.count += 1
    heard.newest = entry
    if keep:
        heard.entries.append(entry)
