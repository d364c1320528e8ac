"""What an entry says, so that others can hold it against its leaf in the log."""

from typing import Any

import msgspec

from kinward.ledger.leaves import committed_data, entry_leaf
from kinward.ledger.models import Entry, Leaf

_encode = msgspec.json.Encoder(order="deterministic").encode


def place_of(entry: Entry) -> dict[str, Any]:
    """Return what proves where an entry stands: its leaf and salts, or its digest in the chain."""
    if entry.digest is not None:
        before = bytes(entry.previous or b"")
        return {"previous": before.hex(), "sha256": bytes(entry.digest).hex()}
    return {"index": leaf_index(entry.seq), "proof": opening_of(entry)}


def leaf_index(entry: int) -> int | None:
    """Return the place of an entry in the log, from 0. None while it has none yet."""
    return Leaf.objects.filter(entry_id=entry).values_list("index", flat=True).first()


def opening_of(entry: Entry) -> dict[str, Any]:
    """Return the leaf of an entry as a text, and each value with its salt.

    A value is `[salt in hex, canonical JSON]`. What was erased is absent.
    """
    leaf = entry_leaf(
        at=entry.at,
        kind=entry.kind,
        actor=bytes(entry.actor_commitment or b""),
        subject=bytes(entry.subject_commitment or b""),
        data=bytes(entry.data_commitment or b""),
    )
    opened: dict[str, Any] = {"leaf": leaf.decode()}
    values = {
        "actor": (entry.actor, entry.actor_salt),
        "subject": (entry.subject, entry.subject_salt),
        "data": (entry.data, entry.data_salt),
    }
    for name, (value, salt) in values.items():
        if value is not None and salt is not None:
            told = committed_data(entry.at, value) if name == "data" else value
            opened[name] = [bytes(salt).hex(), _encode(told).decode()]
    return opened
