"""Entries that wait for the end of their transaction. Nothing that asks for them is sooner."""

import contextlib
from collections.abc import Callable

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, connection, transaction

from kinward.access.actor import Actor
from kinward.ground.postgres import base, write_late
from kinward.ledger.models import Entry
from kinward.ledger.services import record
from tests.support.ledgers import Done, forge_entry

pytestmark = pytest.mark.django_db(transaction=True)


def say(number: int) -> None:
    record(actor=Actor.system("test"), subject="thing:1", fact=Done(n=number))


def said() -> list[int]:
    return [entry.data["n"] for entry in Entry.objects.order_by("pk")]


def counted() -> int:
    """The entries that PostgreSQL has, by a way that nothing of ours hears of."""
    ((count,),) = connection.connection.execute("SELECT count(*) FROM ledger_entry").fetchall()
    return int(count)


def by_cursor() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (data ->> 'n')::int FROM \"ledger_entry\" ORDER BY seq")
        return [number for (number,) in cursor.fetchall()]


def in_capitals() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (data ->> 'n')::int FROM LEDGER_ENTRY ORDER BY seq")
        return [number for (number,) in cursor.fetchall()]


@pytest.mark.parametrize("read", [said, by_cursor, in_capitals])
def test_a_transaction_reads_what_it_recorded(read: Callable[[], list[int]]) -> None:
    with transaction.atomic():
        say(1)
        say(2)
        assert counted() == 0, "they wait"
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        assert counted() == 0
        assert read() == [1, 2]
        say(3)
    assert said() == [1, 2, 3]


def test_what_a_savepoint_takes_back_is_not_recorded() -> None:
    with transaction.atomic():
        say(1)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            say(2)
            with transaction.atomic():
                say(3)
            say(4)
            raise ZeroDivisionError
        say(5)
        with transaction.atomic():
            say(6)
    assert said() == [1, 5, 6]


@pytest.mark.parametrize("ends", ["close", "connect"])
def test_nothing_waits_for_the_next_transaction(ends: str) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say(1)
        raise ZeroDivisionError
    with transaction.atomic():
        say(2)
        getattr(connection, ends)()
    with pytest.raises(InterfaceError), transaction.atomic():
        connection.close()
        say(3)
    with transaction.atomic():
        say(7)
    assert said() == [7]


@pytest.mark.parametrize("subject", ["x" * 300, "\ud800", "a\0b"])
@pytest.mark.parametrize("alone", [True, False])
def test_a_transaction_whose_entry_cannot_be_written_does_not_commit(
    subject: str, alone: bool
) -> None:
    """Neither if the database refuses it, nor if nothing reaches the database."""
    with pytest.raises((DatabaseError, ValueError)), transaction.atomic():
        forge_entry("test.done", "thing:1", {"n": 0})
        if not alone:
            say(1)
        record(actor=Actor.system("test"), subject=subject, fact=Done())
    assert counted() == 0
    assert connection.get_autocommit(), "the connection serves the next one"
    with transaction.atomic():
        say(2)
    assert said() == [2]


@pytest.mark.parametrize("subject", ["x" * 300, "a\0b"])
def test_whoever_goes_on_after_a_failure_cannot_commit(subject: str) -> None:
    with pytest.raises((DatabaseError, ValueError)), transaction.atomic():
        forge_entry("test.done", "thing:1", {"n": 0})
        record(actor=Actor.system("test"), subject=subject, fact=Done())
        with contextlib.suppress(DatabaseError, ValueError):
            said()
        connection.set_rollback(False)
    assert counted() == 0


def test_what_fails_in_a_savepoint_takes_no_more_than_that() -> None:
    with transaction.atomic():
        say(1)
        with contextlib.suppress(DatabaseError), transaction.atomic():
            say(2)
            record(actor=Actor.system("test"), subject="x" * 300, fact=Done())
        say(3)
    assert said() == [1, 3]


@pytest.mark.parametrize(
    "statement", ["COMMIT", "SELECT 1; COMMIT; BEGIN", "/* */ COMMIT", "SAVEPOINT a"]
)
def test_no_statement_ends_a_transaction_before_its_entries_are_there(statement: str) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say(1)
        with connection.cursor() as cursor:
            cursor.execute(statement)
        assert counted() == 1
        raise ZeroDivisionError


def test_what_sql_takes_back_is_not_recorded() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SAVEPOINT a")
        say(1)
        cursor.execute("ROLLBACK TO a")
        say(2)
    assert said() == [2]


def test_so_many_wait_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MOST", 3)
    with transaction.atomic():
        for number in range(4):
            say(number)
        assert counted() == 3
    assert said() == [0, 1, 2, 3]


def test_rows_of_two_kinds_keep_their_order() -> None:
    written: list[object] = []
    with transaction.atomic():
        write_late(1, written.extend, "a_table")
        write_late(2, written.extend, "a_table")
        assert written == []
        write_late(3, lambda rows: written.append(list(rows)), "another")
        assert written == [1, 2]
    assert written == [1, 2, [3]]
    assert isinstance(connection.connection, psycopg.Connection)
