"""The columns of the ledger that Django does not know."""

from typing import Any

from django.db import models


class TransactionIdField(models.Field):  # type: ignore[type-arg]
    """The id of a database transaction (`xid8`), an int. Later transactions have greater ones."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        """Return the id as an int: psycopg reads it as a text."""
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> str | None:
        """Return the text from which PostgreSQL reads the id."""
        return None if value is None else str(int(value))


class CurrentTransaction(models.Func):
    """The id of the transaction that writes the row."""

    function = "pg_current_xact_id"
    output_field = TransactionIdField()
