"""Compare a batch of rows with their entries, and a batch of entries with their rows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connection, transaction
from django.db.models import Q

from kinward.ledger.api import (
    REMOVED,
    Counterpart,
    Entry,
    Heard,
    Stranger,
    Told,
    each_written,
    kinds,
    lost_words,
    unsaid_values,
)
from kinward.reconciliation.gaps import Gap, What, gaps_of, gaps_of_group, hear

CHUNK: Final = 1000
MOST: Final = 2**63 - 1  # of an id


@contextmanager
def snapshot() -> Iterator[None]:
    """Read rows and entries as of one moment. Within a caller's transaction, as it reads anyway."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def compare_rows(counterpart: Counterpart, rows: Sequence[Any]) -> list[Gap]:
    """Return what differs between rows and all entries about them."""
    told = _told(counterpart, rows)
    if counterpart.group is not None:  # one row for each key stands for all that share it
        rows = list({counterpart.key_of_row(row): row for row in rows}.values())
    return [
        gap
        for row in rows
        for gap in _gaps(counterpart, row, told.get(counterpart.key_of_row(row), {}))
    ]


def _gaps(counterpart: Counterpart, row: Any, told: Told) -> Iterable[Gap]:
    if counterpart.group is None:
        return gaps_of(counterpart, row, told)
    rows = sorted(counterpart.group(row), key=lambda one: one.pk)
    return gaps_of_group(counterpart, rows, told) if rows else ()


def _told(counterpart: Counterpart, rows: Sequence[Any]) -> dict[str, dict[str, Heard]]:
    """Return what the ledger says of each row, by its key. Keeps only the newest of each kind.

    An entry that Kinward did not write says nothing.
    """
    wanted = {counterpart.key_of_row(row) for row in rows}
    told: dict[str, dict[str, Heard]] = defaultdict(dict)
    entries = Entry.objects.filter(
        kind__in=[fact.kind for fact in counterpart.facts],
        subject__in={counterpart.subject(row) for row in rows},
    )
    for entry in each_written(entries.order_by("pk")):
        key = _key(counterpart, entry)
        if key in wanted:
            hear(told[key], entry, keep=counterpart.group is not None)
    return told


def compare_entries(counterpart: Counterpart, entries: Iterable[Any]) -> list[Gap]:
    """Return the rows that entries name and that are not there, and entries that name none.

    Kinward wrote the entries. Another step names those that it did not write.
    """
    by_key: dict[str, Any] = {}
    found: list[Gap] = []
    for entry in entries:
        if entry.subject is None or entry.data is None:
            continue  # it spoke of somebody who was erased, and their rows are gone
        key = _key(counterpart, entry)
        if key is None:
            what, subject = What.UNREADABLE, entry.subject
            found.append(Gap(counterpart.name, subject, subject, what, entry.kind))
        elif key:
            by_key[key] = entry
    there = existing(counterpart, list(by_key))
    missing = {key: entry for key, entry in by_key.items() if key not in there}
    removed = _removed(counterpart, missing)
    return found + [
        Gap(
            counterpart.name,
            entry.subject,
            key,
            What.NO_ROW,
            rule=REMOVED if removed.get(key, -1) >= entry.pk else "",
        )
        for key, entry in missing.items()
    ]


def _key(counterpart: Counterpart, entry: Any) -> str | None:
    """Return what an entry has in common with its row; None if it says nothing of the kind."""
    try:
        return counterpart.key_of_entry(entry)
    except (KeyError, TypeError, AttributeError):
        return None


def existing(counterpart: Counterpart, keys: Sequence[str]) -> set[str]:
    """Return those of some keys for which there is a row."""
    if counterpart.find is not None:
        return set(counterpart.find(keys))
    field, model = counterpart.field, counterpart.model
    values = list(filter(None, (_value(counterpart, key) for key in keys)))
    rows = model._default_manager.filter(**{f"{field}__in": values})
    return {str(value) for value in rows.values_list(field, flat=True)}


def rows_of(counterpart: Counterpart, keys: Sequence[str]) -> list[Any]:
    """Return the rows of some keys; none where keys are found in another way."""
    if counterpart.find is not None or not counterpart.field:
        return []
    values = list(filter(None, (_value(counterpart, key) for key in keys)))
    return list(queryset(counterpart, all_rows=True).filter(**{f"{counterpart.field}__in": values}))


def queryset(counterpart: Counterpart, *, all_rows: bool = False) -> Any:
    """Return the rows of a counterpart, in the order of their keys."""
    where = Q() if all_rows else counterpart.where
    rows = counterpart.model._default_manager.filter(where)
    return rows.select_related(*counterpart.related).defer(*counterpart.defer).order_by("pk")


def _value(counterpart: Counterpart, key: str) -> Any:
    """Return a key as a value of its column; None for what cannot be one."""
    name = counterpart.field
    try:
        meta = counterpart.model._meta
        field = meta.pk if name == "pk" else meta.get_field(name)
        value = field.to_python(key)  # type: ignore[union-attr]
    except FieldDoesNotExist:
        return key  # a column of another table
    except (ValidationError, ValueError):
        return None
    return None if isinstance(value, int) and abs(value) > MOST else value


def _removed(counterpart: Counterpart, missing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the newest entry, by its key, that says that a row was removed."""
    if not (missing and counterpart.gone):
        return {}
    entries = Entry.objects.filter(
        kind__in=[fact.kind for fact in counterpart.gone],
        subject__in={entry.subject for entry in missing.values()},
    )
    ordered = each_written(entries.order_by("pk"))
    return {key: entry.pk for entry in ordered if (key := _key(counterpart, entry))}


def unknown_kinds() -> list[Gap]:
    """Return the kinds of entries that this version does not know."""
    others = Entry.objects.exclude(kind__in=list(kinds.KINDS)).order_by()
    names = others.values_list("kind", flat=True).distinct()[:100]
    return [Gap("ledger", kind, kind, What.UNKNOWN, kind) for kind in names]


def gone_from_the_ledger() -> Iterator[Gap]:
    """Yield what no erasure took from entries: values, and words that people typed."""
    if wrong := unsaid_values():
        yield Gap("ledger", "ledger", "values", What.CHECK, detail=wrong)
    for number in lost_words(CHUNK):
        subject = f"entry:{number}"
        yield Gap("ledger", subject, subject, What.CHECK, detail="Its words are gone.")


def name_stranger(stranger: Stranger) -> Gap:
    """Return the difference that an entry is not one that Kinward wrote."""
    subject = f"entry:{stranger.number}"
    return Gap("ledger", subject, subject, What.STRANGER, stranger.kind)
