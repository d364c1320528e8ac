"""The hash chain, pure: each entry's digest covers its content and its predecessor's digest."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kinward.ledger.leaves import canonical

GENESIS = bytes(32)


def digest(
    *,
    previous: bytes,
    seq: int,
    at: datetime,
    actor: str,
    kind: str,
    subject: str,
    data: Mapping[str, Any],
) -> bytes:
    """Return the SHA-256 (32 bytes) of the predecessor's digest and the entry as canonical JSON.

    Canonical JSON has sorted keys and no white space, and the time in UTC with microseconds.
    """
    at_text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    content = [seq, at_text, actor, kind, subject, data]
    return hashlib.sha256(previous + canonical(content)).digest()
