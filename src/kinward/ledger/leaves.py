"""The leaf of an entry: what the log's tree is made of. Pure.

A leaf holds no value, only commitments: HMAC-SHA256 keyed with a salt of 32 random bytes. Whoever
has a value and its salt can prove that the entry says so. Once both are erased nobody can even
guess, and the leaf stays as it was. Its time is cut to the hour; the exact time is in the data.
"""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

SALT_BYTES: Final = 32
ENTRY: Final = b"kinward.entry/1\n"
CHAIN: Final = b"kinward.chain/1\n"

# Writes a value as canonical JSON: sorted keys, no white space, UTF-8.
canonical: Final = msgspec.json.Encoder(order="deterministic").encode


def commit(name: str, value: Any, salt: bytes) -> bytes:
    """Return the commitment (32 bytes) to the value of a field, with the field's own salt.

    The value is written as `canonical` JSON.
    """
    return hmac.digest(salt, name.encode() + b"\0" + canonical(value), "sha256")


def is_commitment(told: bytes, name: str, value: Any, salt: bytes) -> bool:
    """Return whether that is the commitment to a value, whatever JSON the value is."""
    try:
        return hmac.compare_digest(commit(name, value, salt), told)
    except (OverflowError, ValueError, TypeError, RecursionError):  # no entry of ours has it
        return False


def committed_data(at: datetime, data: Mapping[str, Any] | msgspec.Raw) -> dict[str, Any]:
    """Return what the commitment to the data is over: the exact time in UTC, and the fact.

    `data`: the fact, or what `canonical` made of it.
    """
    return {"at": exact_time(at), "fact": data}


def exact_time(at: datetime) -> str:
    """Return a moment in UTC to the microsecond, always with 27 characters."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)  # an entry that is written now has it
    return utc.isoformat(timespec="microseconds")[:26] + "Z"


def entry_leaf(*, at: datetime, kind: str, actor: bytes, subject: bytes, data: bytes) -> bytes:
    """Return the leaf of an entry, from the commitments to its values."""
    utc = at.astimezone(UTC)
    hour = f"{utc.year:04}-{utc.month:02}-{utc.day:02}T{utc.hour:02}:00:00Z"
    return ENTRY + canonical([hour, kind, actor.hex(), subject.hex(), data.hex()])


def chain_leaf(entries: int, head: bytes) -> bytes:
    """Return the first leaf of a log that begins where the former chain of digests ended."""
    return CHAIN + canonical([entries, head.hex()])
