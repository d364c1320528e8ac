"""Django's PostgreSQL, with rows that wait for the end of their transaction."""

from typing import Any, cast

from django.db import connection

from kinward.ground.postgres.base import DatabaseWrapper, NoTransaction, Write

__all__ = ("NoTransaction", "write_late", "write_waiting")


def write_late(row: Any, by: Write, tables: str) -> None:
    """Write a row with others of this transaction: before it commits, or a statement needs them.

    `by` writes several in their order. A statement needs them if it names `tables`, a part of a
    table's name, in any way. What cannot be written ends the transaction. Raises `NoTransaction`.
    """
    cast("DatabaseWrapper", connection).write_late(row, by, tables)


def write_waiting() -> None:
    """Write the rows that wait, for a statement that does not go through Django."""
    cast("DatabaseWrapper", connection).write_waiting()
