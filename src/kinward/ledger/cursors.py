"""A cursor below Django's, for the few statements of the ledger that every act waits for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from kinward.ground.postgres import write_waiting


@contextmanager
def fast_cursor() -> Iterator[psycopg.Cursor[Any]]:
    """Give a cursor of psycopg, in the transaction of Django's connection.

    Django's writes each value into the text of a statement: half of the time of an entry. Raises
    Django's errors. `execute(..., binary=True)` reads bytes and times without a parser.
    """
    write_waiting()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor
