"""Entries to test the ledger with, and somebody who gets round its triggers."""

import os
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from kinward.access.actor import Actor
from kinward.ledger.kinds import Fact
from kinward.ledger.leaves import SALT_BYTES, commit, committed_data
from kinward.ledger.models import Entry
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
            record(actor=Actor.system("test"), subject=subject, fact=fact)
            numbers.append(Entry.objects.latest("pk").pk)
    return numbers


def forge_entry(
    kind: str,
    subject: str,
    data: Any,
    mac: bytes | None = None,
    *,
    actor: str = "staff:somebody",
    **more: Any,
) -> Entry:
    """Write an entry with salts and commitments that fit, as a stranger with SQL would."""
    at, salts = datetime.now(UTC), [os.urandom(SALT_BYTES) for _ in range(3)]
    return Entry.objects.create(
        at=at,
        kind=kind,
        actor=actor,
        subject=subject,
        data=data,
        actor_salt=salts[0],
        subject_salt=salts[1],
        data_salt=salts[2],
        actor_commitment=commit("actor", actor, salts[0]),
        subject_commitment=commit("subject", subject, salts[1]),
        data_commitment=commit("data", committed_data(at, data), salts[2]),
        mac=mac,
        **more,
    )


def past_the_triggers(statement: str, *values: int | bytes | str | datetime | None) -> None:
    """Run a statement as somebody who owns the database, without its triggers."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, list(values))
        cursor.execute("SET LOCAL session_replication_role = origin")
