"""What an entry says, so that others can hold it against its leaf in the log."""

from typing import Any, NamedTuple

from kinward.ledger.leaves import canonical, committed_data, entry_leaf
from kinward.ledger.models import Entry, Leaf


def place_of(entry: Entry) -> dict[str, Any]:
    """Return what proves where an entry stands: its leaf and salts, or its digest in the chain."""
    if entry.digest is not None:
        before = bytes(entry.previous or b"")
        return {"previous": before.hex(), "sha256": bytes(entry.digest).hex()}
    return {"index": leaf_index(entry.seq), "proof": opening_of(entry)}


def leaf_index(entry: int) -> int | None:
    """Return the place of an entry in the log, from 0. None while it has none yet."""
    return Leaf.objects.filter(entry_id=entry).values_list("index", flat=True).first()


class Value(NamedTuple):
    """A value of an entry: what its commitment is over, None once it is erased, and its salt."""

    name: str
    told: Any
    salt: bytes | None
    commitment: bytes


def commitments_of(entry: Entry) -> tuple[bytes, bytes, bytes]:
    """Return the commitments to the actor, the subject and the data. Empty where one is missing."""
    return (
        bytes(entry.actor_commitment or b""),
        bytes(entry.subject_commitment or b""),
        bytes(entry.data_commitment or b""),
    )


def values_of(entry: Entry) -> tuple[Value, Value, Value]:
    """Return the actor, the subject and the data of an entry. Nobody has compared them yet."""
    data = None if entry.data is None else committed_data(entry.at, entry.data)
    to_actor, to_subject, to_data = commitments_of(entry)
    return (
        Value("actor", entry.actor, _bytes(entry.actor_salt), to_actor),
        Value("subject", entry.subject, _bytes(entry.subject_salt), to_subject),
        Value("data", data, _bytes(entry.data_salt), to_data),
    )


def leaf_of(entry: Entry) -> bytes:
    """Return the leaf of an entry, which is not of the former chain."""
    actor, subject, data = commitments_of(entry)
    return entry_leaf(at=entry.at, kind=entry.kind, actor=actor, subject=subject, data=data)


def opening_of(entry: Entry) -> dict[str, Any]:
    """Return the leaf of an entry as a text, and each value with its salt.

    A value is `[salt in hex, canonical JSON]`. What was erased is absent.
    """
    opened: dict[str, Any] = {"leaf": leaf_of(entry).decode()}
    for value in values_of(entry):
        if value.told is not None and value.salt is not None:
            opened[value.name] = [value.salt.hex(), canonical(value.told).decode()]
    return opened


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
