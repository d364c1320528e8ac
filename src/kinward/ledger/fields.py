"""The columns of the ledger that Django does not know."""

import json
from typing import Any

from django.db import models


class AnyJson(json.JSONDecoder):
    """Reads what PostgreSQL takes for JSON. What Python cannot read stays a text, and fits nothing.

    Such as a number of five thousand digits, or three thousand lists, each in another.
    """

    def decode(self, text: str, *given: Any) -> Any:
        """Return the value, or the text itself."""
        try:
            return super().decode(text, *given)
        except (ValueError, RecursionError):
            return text


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
