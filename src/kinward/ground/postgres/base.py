"""The database's connection. Django looks for it under this name."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db import InterfaceError
from django.db.backends.postgresql import base

MOST: Final = 1000  # rows that wait
# One statement that ends no transaction, and that names each table as everybody writes it.
_PLAIN: Final = re.compile(r'(?is)\s*(select|insert|update|delete|with)\b(?!.*(;|u&"))')

Write = Callable[[Sequence[Any]], None]


class NoTransaction(Exception):
    """A row was to wait for the end of a transaction, and there is none."""


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that writes some rows late, so that one statement writes many.

    Nobody else sees a difference, since a transaction shows nothing before it commits. Nor does
    the transaction: the rows are there before each statement that names their tables or is no
    plain one, and before each savepoint, its end, and the commit. With a savepoint, or all of it,
    go the rows that waited since. Whoever passes by Django, to psycopg's connection or with `copy`
    and `stream`, calls `write_waiting` first.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waiting: list[Any] = []
        self._tables = ""
        self._write: Write | None = None
        self._failed: BaseException | None = None
        self.execute_wrappers.append(self._before_statement)

    def write_late(self, row: Any, by: Write, tables: str) -> None:
        """Hold a row back: `ground.postgres.write_late` has the meaning of each."""
        if not self.in_atomic_block:
            raise NoTransaction
        if self.closed_in_transaction or self.connection is None:
            raise InterfaceError("The connection of this transaction was closed.")
        if self._waiting and (by, tables) != (self._write, self._tables):
            self.write_waiting()
        self._write, self._tables = by, tables
        self._waiting.append(row)
        if len(self._waiting) >= MOST:
            self.write_waiting()

    def write_waiting(self) -> None:
        """Write the rows that wait. If that fails, what they belong to cannot commit."""
        if not self._waiting or self._write is None:
            return
        rows, self._waiting = self._waiting, []
        try:
            self._write(rows)
        except BaseException as error:
            self._failed = error
            raise

    def _before_statement(
        self, execute: Callable[..., Any], sql: Any, parameters: Any, many: bool, context: Any
    ) -> Any:
        if self._waiting:
            text = str(sql)
            if not _PLAIN.match(text) or self._tables in text.lower():
                self.write_waiting()
        return execute(sql, parameters, many, context)

    def savepoint(self) -> str | None:
        """Write the rows that wait, and begin a savepoint."""
        self.write_waiting()
        return super().savepoint()

    def savepoint_commit(self, sid: str) -> None:
        """Write the rows that wait, and end a savepoint. What fails goes with the savepoint."""
        self.write_waiting()
        super().savepoint_commit(sid)

    def savepoint_rollback(self, sid: str) -> None:
        """Roll back to a savepoint. Rows that wait are younger, and go with it."""
        self._forget()
        super().savepoint_rollback(sid)

    def commit(self) -> None:
        """Write the rows that wait, and commit. If some could not be written, nothing is."""
        try:
            self.write_waiting()
            if self._failed is not None:
                raise self._failed
        except BaseException:
            self.rollback()
            raise
        super().commit()

    def rollback(self) -> None:
        """Roll back. Rows that wait go with their transaction."""
        self._forget()
        super().rollback()

    def connect(self) -> None:
        """Connect. Rows that waited on a lost connection went with its transaction."""
        self._forget()
        super().connect()

    def close(self) -> None:
        """Close the connection. Rows that wait go with their transaction."""
        self._forget()
        super().close()

    def _forget(self) -> None:
        self._waiting, self._failed = [], None
