"""Entries to test the ledger with, and somebody who gets round its triggers."""

from django.db import connection, transaction

from kinward.access.actor import Actor
from kinward.ledger.kinds import Fact
from kinward.ledger.services import record


class Done(Fact, frozen=True):
    kind = "test.done"
    n: int = 0
    t: str = "ä"


def write(count: int, *, together: bool = False) -> list[int]:
    """Write entries, each in a transaction of its own or all in one; return their numbers."""
    if together:
        with transaction.atomic():
            return write(count)
    numbers = []
    for number in range(count):
        with transaction.atomic():
            fact = Done(n=number)
            subject = f"thing:{number % 3}"
            numbers.append(record(actor=Actor.system("test"), subject=subject, fact=fact))
    return numbers


def past_the_triggers(statement: str, *values: int | bytes | str | None) -> None:
    """Run a statement as somebody who owns the database, without its triggers."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, list(values))
        cursor.execute("SET LOCAL session_replication_role = origin")
