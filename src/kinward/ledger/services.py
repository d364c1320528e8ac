"""The one verb of the ledger: record."""

import math
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from psycopg.types.json import Jsonb

from kinward.ground.errors import KinwardError
from kinward.ground.postgres import NoTransaction, write_late
from kinward.ledger.authenticity import mac_of
from kinward.ledger.cursors import fast_cursor
from kinward.ledger.kinds import Fact
from kinward.ledger.leaves import SALT_BYTES, canonical, commit, committed_data
from kinward.ledger.models import Words
from kinward.ledger.words import set_apart

LARGE: Final = 1e16  # from here on a float is written with an exponent
_COLUMNS: Final = {
    "seq": "int8",
    "mac": "bytea",
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
    "data": "jsonb",
}
_INTO: Final = f"ledger_entry ({', '.join(_COLUMNS)})"
_VALUES: Final = ", ".join(["%s"] * len(_COLUMNS))
_INSERT: Final = f"INSERT INTO {_INTO} VALUES ({_VALUES})"  # noqa: S608
_NUMBERS: Final = "SELECT nextval('ledger_entry_seq_seq') FROM generate_series(1, %s)"
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
    said = _said(datetime.now(UTC), actor, subject, fact)
    try:
        write_late(said, _write, "ledger_")
    except NoTransaction:
        raise OutsideTransaction from None


class _Said(NamedTuple):
    """An entry that waits for its number: its time, kind and commitments, and its columns."""

    told: tuple[str, str, bytes, bytes, bytes]
    columns: list[Any]  # but for the number and the MAC, which are the first
    words: list[Words]


def _write(said: Sequence[_Said]) -> None:
    """Write entries with the numbers that follow, and the words of each. One is an INSERT."""
    words = [one for entry in said for one in entry.words]
    with fast_cursor() as cursor:
        if words:
            kept = zip(*((one.digest, one.salt, one.text) for one in words), strict=True)
            cursor.execute(_KEEP, [list(column) for column in kept])
        numbers = sorted(number for (number,) in cursor.execute(_NUMBERS, [len(said)]))
        rows = [
            [number, mac_of(number, *entry.told), *entry.columns]
            for number, entry in zip(numbers, said, strict=True)
        ]
        if len(rows) == 1:
            cursor.execute(_INSERT, rows[0])
            return
        with cursor.copy(_COPY) as copy:
            copy.set_types(list(_COLUMNS.values()))
            for row in rows:
                copy.write_row(row)


def _kept(value: Any) -> Any:
    """Return a value as `jsonb` gives it back: it knows no -0.0, and large floats as integers."""
    if isinstance(value, float) and (value == 0 or LARGE <= abs(value) < math.inf):
        return int(value)
    if isinstance(value, list):
        return [_kept(each) for each in value]
    if isinstance(value, dict):
        return {name: _kept(each) for name, each in value.items()}
    return value


def _said(at: datetime, by: Named, subject: str, fact: Fact) -> _Said:
    actor = f"{by.kind}:{by.name}"
    data, words = set_apart(fact)
    salts = os.urandom(3 * SALT_BYTES)
    of_actor, of_subject, of_data = (
        salts[start : start + SALT_BYTES] for start in range(0, len(salts), SALT_BYTES)
    )
    text = canonical(_kept(data))
    told = committed_data(at, msgspec.Raw(text))
    commitments = (
        commit("actor", actor, of_actor),
        commit("subject", subject, of_subject),
        commit("data", told, of_data),
    )
    columns = [
        *(at, actor, fact.kind, subject, of_actor, of_subject, of_data),
        *commitments,
        Jsonb(text, dumps=bytes),
    ]
    return _Said((told["at"], fact.kind, *commitments), columns, words)
