"""The one verb of the ledger: record."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from django.db import connection
from psycopg.types.json import Jsonb

from kinward.ground.errors import KinwardError
from kinward.ground.postgres import write_late
from kinward.ledger.authenticity import mac_of
from kinward.ledger.cursors import fast_cursor
from kinward.ledger.kinds import Fact
from kinward.ledger.leaves import SALT_BYTES, commit, committed_data
from kinward.ledger.models import Words
from kinward.ledger.words import set_apart

_COLUMNS: Final = {
    "at": "timestamptz",
    "actor": "varchar",
    "kind": "varchar",
    "subject": "varchar",
    "actor_salt": "bytea",
    "subject_salt": "bytea",
    "data_salt": "bytea",
    "actor_commitment": "bytea",
    "subject_commitment": "bytea",
    "data_commitment": "bytea",
    "mac": "bytea",
    "data": "jsonb",
}
_INTO: Final = f"ledger_entry ({', '.join(_COLUMNS)})"
_VALUES: Final = ", ".join(["%s"] * len(_COLUMNS))
_INSERT: Final = f"INSERT INTO {_INTO} VALUES ({_VALUES})"  # noqa: S608
_KEEP: Final = """
INSERT INTO ledger_words (digest, salt, text)
SELECT * FROM unnest(%s::varchar[], %s::bytea[], %s::text[])
"""
_COPY: Final = f"COPY {_INTO} FROM STDIN (FORMAT binary)"


class Named(Protocol):
    """Who did something. The ledger names them `kind:name`."""

    @property
    def kind(self) -> str:
        """What kind of actor it is."""

    @property
    def name(self) -> str:
        """Which one of that kind."""


class OutsideTransaction(KinwardError):
    """A ledger entry must be written in the transaction that it records."""

    code = "ledger.outside_transaction"


def record(*, actor: Named, subject: str, fact: Fact) -> None:
    """Write an entry, in the caller's transaction. It waits for no other writer.

    All entries of a transaction are written together, at its end or before it reads the ledger.
    The sequencer gives each its place in the log afterwards. `actor` is an `Actor`: a person of
    the staff, a key, an account, a rule, an operator or a room. `subject` is `<noun>:<id>`. `fact`
    is one of `ledger.kinds`, and never holds content. Its words are kept apart.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction
    write_late(_row(datetime.now(UTC), actor, subject, fact), _write, "ledger_")


def _write(said: Sequence[tuple[list[Any], list[Words]]]) -> None:
    """Write rows, and the words of each. One alone takes less as an INSERT."""
    words = [one for _, its in said for one in its]
    with fast_cursor() as cursor:
        if words:
            kept = zip(*((one.digest, one.salt, one.text) for one in words), strict=True)
            cursor.execute(_KEEP, [list(column) for column in kept])
        if len(said) == 1:
            cursor.execute(_INSERT, said[0][0])
            return
        with cursor.copy(_COPY) as copy:
            copy.set_types(list(_COLUMNS.values()))
            for row, _ in said:
                copy.write_row(row)


def _row(at: datetime, by: Named, subject: str, fact: Fact) -> tuple[list[Any], list[Words]]:
    """Return the values of an entry's columns, in their order, and its words to keep."""
    actor = f"{by.kind}:{by.name}"
    data, words = set_apart(fact)
    salts = os.urandom(3 * SALT_BYTES)
    of_actor, of_subject, of_data = (
        salts[start : start + SALT_BYTES] for start in range(0, len(salts), SALT_BYTES)
    )
    told = committed_data(at, data)
    commitments = (
        commit("actor", actor, of_actor),
        commit("subject", subject, of_subject),
        commit("data", told, of_data),
    )
    row = [
        *(at, actor, fact.kind, subject, of_actor, of_subject, of_data),
        *commitments,
        mac_of(told["at"], fact.kind, *commitments),
        Jsonb(data),
    ]
    return row, words
