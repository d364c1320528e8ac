"""Databases beside that of the tests, on the same server."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg import sql


def url_of(name: str, role: str = "") -> str:
    chosen = connection.settings_dict
    role = role or chosen["USER"]
    return f"postgresql://{role}@/{name}?host={chosen['HOST']}&port={chosen['PORT']}"


@contextmanager
def database(name: str, *, like: str = "template1", owner: str = "") -> Iterator[str]:
    """The URL of a database that starts as a copy of another, which nobody may be using."""
    new, other = sql.Identifier(name), sql.Identifier(like)
    of = sql.SQL(" OWNER {}").format(sql.Identifier(owner)) if owner else sql.SQL("")
    with psycopg.connect(url_of("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(new))
        admin.execute(sql.SQL("CREATE DATABASE {}{} TEMPLATE {}").format(new, of, other))
        yield url_of(name, owner)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(new))


@contextmanager
def roles(*names: str) -> Iterator[None]:
    """Roles that may log in, and nothing else. Drop their databases before the end of this."""
    with psycopg.connect(url_of("postgres"), autocommit=True) as admin:
        for name in names:
            admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        yield
        for name in names:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
