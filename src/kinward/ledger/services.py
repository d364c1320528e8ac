"""The one verb of the ledger: record."""

import json
import os
from datetime import UTC, datetime
from typing import Final, Protocol

from django.db import connection

from kinward.ground.errors import KinwardError
from kinward.ledger.kinds import Fact
from kinward.ledger.leaves import SALT_BYTES, commit, committed_data
from kinward.ledger.models import Entry
from kinward.ledger.words import set_apart

# As SQL, because the ORM took three quarters of the time of a busy transaction to build it.
_COLUMNS: Final = (
    *("at", "actor", "kind", "subject", "actor_salt", "subject_salt", "data_salt"),
    *("actor_commitment", "subject_commitment", "data_commitment"),
)
_INSERT: Final = f"""
INSERT INTO ledger_entry ({", ".join(_COLUMNS)}, data)
VALUES ({"%s, " * len(_COLUMNS)}%s) RETURNING seq
"""  # noqa: S608


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


def record(*, actor: Named, subject: str, fact: Fact) -> Entry:
    """Write an entry, in the caller's transaction. It waits for no other writer.

    The sequencer gives it its place in the log after the transaction has ended. `actor` is an
    `Actor`: a person of the staff, a key, an account, a rule, an operator or a room. `subject` is
    `<noun>:<id>`. `fact` is one of `ledger.kinds`, and never holds content. Its words
    are kept apart.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction
    kind, data = fact.kind, set_apart(fact)
    by, at = f"{actor.kind}:{actor.name}", datetime.now(UTC)
    salts = os.urandom(3 * SALT_BYTES)
    of_actor, of_subject, of_data = (
        salts[start : start + SALT_BYTES] for start in range(0, len(salts), SALT_BYTES)
    )
    entry = Entry(
        at=at,
        actor=by,
        kind=kind,
        subject=subject,
        data=data,
        actor_salt=of_actor,
        subject_salt=of_subject,
        data_salt=of_data,
        actor_commitment=commit("actor", by, of_actor),
        subject_commitment=commit("subject", subject, of_subject),
        data_commitment=commit("data", committed_data(at, data), of_data),
    )
    values = [getattr(entry, column) for column in _COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [*values, json.dumps(data)])
        entry.pk = cursor.fetchone()[0]
    return entry
