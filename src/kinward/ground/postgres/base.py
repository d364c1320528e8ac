"""The database's connection. Django looks for it under this name."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db.backends.postgresql import base

MOST: Final = 1000  # rows that wait

Write = Callable[[Sequence[Any]], None]


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that writes some rows late, so that one statement writes many.

    Nobody else sees a difference, since a transaction shows nothing before it commits. Nor does
    the transaction: the rows are there before each statement that names their tables, each
    savepoint and the commit. With a savepoint, or all of it, go the rows that waited since.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waiting: list[Any] = []
        self._tables = ""
        self._write: Write | None = None
        self.execute_wrappers.append(self._before_statement)

    def write_late(self, row: Any, by: Write, tables: str) -> None:
        """Hold a row back: `ground.postgres.write_late` has the meaning of each."""
        if self._waiting and (by, tables) != (self._write, self._tables):
            self.write_waiting()
        self._write, self._tables = by, tables
        self._waiting.append(row)
        if len(self._waiting) >= MOST:
            self.write_waiting()

    def write_waiting(self) -> None:
        """Write the rows that wait. If that fails, this transaction cannot commit."""
        if not self._waiting or self._write is None:
            return
        rows, self._waiting = self._waiting, []
        try:
            self._write(rows)
        except BaseException:
            self.needs_rollback = True
            raise

    def _before_statement(
        self, execute: Callable[..., Any], sql: Any, parameters: Any, many: bool, context: Any
    ) -> Any:
        if self._waiting and self._tables in str(sql):
            self.write_waiting()
        return execute(sql, parameters, many, context)

    def savepoint(self) -> str | None:
        """Write the rows that wait, and begin a savepoint."""
        self.write_waiting()
        return super().savepoint()

    def savepoint_rollback(self, sid: str) -> None:
        """Roll back to a savepoint. Rows that wait are younger, and go with it."""
        self._waiting.clear()
        super().savepoint_rollback(sid)

    def commit(self) -> None:
        """Write the rows that wait, and commit. If they cannot be written, nothing is."""
        try:
            self.write_waiting()
        except BaseException:
            self.rollback()
            raise
        super().commit()

    def rollback(self) -> None:
        """Roll back. Rows that wait go with their transaction."""
        self._waiting.clear()
        super().rollback()

    def close(self) -> None:
        """Close the connection. Rows that wait go with their transaction."""
        self._waiting.clear()
        super().close()
