"""The cache of sign-in, in a table that all machines share. A row is data and never code.

Django's own keeps pickles there, and who can write a row would run code in Kinward.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from random import random
from typing import Any, Final

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import BaseDatabaseCache
from django.db import connection
from psycopg import sql

CULLED: Final = 0.01  # of what is written: then what is over is deleted
MAX_KEY: Final = 255  # characters; a longer key is named by its SHA-256
MAX_VALUE: Final = 100_000  # characters of a value as JSON

_READ: Final = "SELECT value FROM {table} WHERE cache_key = %(key)s AND expires > now()"
_WRITE: Final = """
INSERT INTO {table} AS held (cache_key, value, expires) VALUES (%(key)s, %(value)s, %(until)s)
ON CONFLICT (cache_key) DO UPDATE SET value = EXCLUDED.value, expires = EXCLUDED.expires
"""
_ADD: Final = f"{_WRITE} WHERE held.expires <= now() RETURNING 1"
_TOUCH: Final = """
UPDATE {table} SET expires = %(until)s WHERE cache_key = %(key)s AND expires > now() RETURNING 1
"""
_DELETE: Final = "DELETE FROM {table} WHERE cache_key = %(key)s AND expires > now() RETURNING 1"
_CULL: Final = "DELETE FROM {table} WHERE expires <= now()"
_CLEAR: Final = "DELETE FROM {table}"
NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


class PlainCache(BaseDatabaseCache):
    """A cache of JSON values. `createcachetable` makes the table.

    A row that is no JSON, or longer than `MAX_VALUE`, counts as absent. Raises `TypeError` for a
    value that is no JSON.
    """

    _table: str

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """Return a value, or the default."""
        rows = self._run(_READ, key, version)
        if not rows or len(rows[0][0]) > MAX_VALUE:
            return default
        try:
            return json.loads(rows[0][0])
        except (ValueError, RecursionError):
            return default

    def set(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        """Write a value."""
        self._cull()
        self._run(_WRITE, key, version, value=_text(value), until=self._until(timeout))

    def add(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        """Write a value if there is none, and return whether. Of two at once, one succeeds."""
        self._cull()
        until = self._until(timeout)
        return bool(self._run(_ADD, key, version, value=_text(value), until=until))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Let a value live longer, and return whether there is one."""
        return bool(self._run(_TOUCH, key, version, until=self._until(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        """Delete a value, and return whether there was one."""
        return bool(self._run(_DELETE, key, version))

    def clear(self) -> None:
        """Delete all values."""
        self._run(_CLEAR, "", None)

    def _cull(self) -> None:
        if random() < CULLED:  # noqa: S311 - when to tidy up is no secret
            self._run(_CULL, "", None)

    def _until(self, timeout: Any) -> datetime:
        until = self.get_backend_timeout(timeout)
        return NEVER if until is None else datetime.fromtimestamp(max(until, 0), UTC)

    def _run(
        self, statement: str, key: str, version: int | None, **values: Any
    ) -> list[tuple[Any, ...]]:
        named = sql.SQL(statement).format(table=sql.Identifier(self._table))
        name = self.make_key(key, version=version)
        if len(name) > MAX_KEY:
            name = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        parameters: Mapping[str, Any] = {"key": name, **values}
        with connection.cursor() as cursor:
            cursor.execute(named.as_string(), parameters)
            return cursor.fetchall() if cursor.description else []


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
