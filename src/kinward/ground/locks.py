"""Locks by name, held by a database session: when its process dies, they are free at once."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


def sharing(name: str) -> None:
    """Say that this transaction is under way, for whoever `wait_for`s such ones to end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_key(name)])


def wait_for(name: str) -> None:
    """Wait until every transaction that is `sharing` now has ended; later ones are not waited for.

    What was committed before this is seen by every later transaction.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_key(name)])


def in_turn(name: str) -> None:
    """Wait until no other transaction has this name, and have it until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_key(name)])


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)


@contextmanager
def exclusive(name: str) -> Iterator[bool]:
    """Try to hold a lock for the block; yields whether it is ours. Never waits."""
    key = _key(name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        row = cursor.fetchone()
        mine = bool(row and row[0])
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
