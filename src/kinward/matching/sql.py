"""SQL for many hashes at once, where the ORM would take most of the time."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from django.db import connection
from django.utils import timezone

from kinward.matching.hashlists import ListedHash
from kinward.matching.models import Addition, Check

# An existing hash stays as it is. A removed one comes back with what the list says now.
_ADD: Final = """
INSERT INTO matching_bankedhash
    (addition_id, bank_id, kind, value, reference, label, version, removed, false_positive)
SELECT %s, %s, kind, value, reference, label, %s, false, false
FROM unnest(%s::text[], %s::bytea[], %s::text[], %s::text[]) AS listed (kind, value, reference, label)
ON CONFLICT (bank_id, kind, sha256(value)) DO UPDATE SET
    removed = false, version = EXCLUDED.version, addition_id = EXCLUDED.addition_id,
    reference = EXCLUDED.reference, label = EXCLUDED.label
WHERE matching_bankedhash.removed
"""  # noqa: E501

# LATERAL makes one index scan a hash. A plain join would hash every value of the table.
_FIND: Final = """
SELECT banked.id, listed.kind, listed.value
FROM unnest(%s::text[], %s::bytea[]) AS listed (kind, value)
CROSS JOIN LATERAL (
    SELECT id FROM matching_bankedhash
    WHERE bank_id = %s AND kind = listed.kind AND sha256(value) = sha256(listed.value)
    LIMIT 1
) AS banked
"""

# LATERAL here, too: one index scan a digest.
_FIND_LIVE: Final = """
SELECT asked.kind, asked.digest
FROM unnest(%s::text[], %s::bytea[]) AS asked (kind, digest)
CROSS JOIN LATERAL (
    SELECT FROM matching_bankedhash AS banked
    JOIN matching_bank AS bank ON bank.id = banked.bank_id AND NOT bank.disabled
    WHERE banked.kind = asked.kind AND sha256(banked.value) = asked.digest
        AND NOT banked.removed AND NOT banked.false_positive
    LIMIT 1
) AS live
"""

# Every row travels in one JSON text: arrays of each column cost psycopg ten times as much.
_RECORD: Final = """
WITH made AS (
    INSERT INTO matching_check (
        id, account_id, content_id, filename, media_type, size, frames, md5, sha1, sha256,
        signature, signature_kind, views, quality, ip, port, uploaded_at, public, matched,
        sent_to, created_at
    )
    SELECT
        id, account_id, content_id, filename, media_type, size, frames, md5, sha1, sha256,
        signature, signature_kind, views, quality, ip, port, uploaded_at, public, matched,
        ARRAY(SELECT json_array_elements_text(sent_to)), %s
    FROM json_to_recordset(%s::json) AS asked (
        id uuid, account_id bigint, content_id text, filename text, media_type text, size bigint,
        frames int, md5 text, sha1 text, sha256 text, signature bytea, signature_kind text,
        views bytea, quality smallint, ip inet, port int, uploaded_at timestamptz, public bool,
        matched bool, sent_to json
    )
    RETURNING id
)
INSERT INTO matching_unheld (check_made_id) SELECT id FROM made
"""

_COLUMNS: Final = (
    *("id", "account_id", "content_id", "filename", "media_type", "size", "frames"),
    *("md5", "sha1", "sha256", "signature", "signature_kind", "views", "quality"),
    *("ip", "port", "uploaded_at", "public", "matched", "sent_to"),
)


def add_rows(addition: Addition, version: int, hashes: Sequence[ListedHash]) -> int:
    """Insert distinct hashes into a bank. Returns how many are new or came back."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD,
            [
                addition.pk,
                addition.bank_id,
                version,
                [str(row.kind) for row in hashes],
                [row.value for row in hashes],
                [row.reference for row in hashes],
                [row.label for row in hashes],
            ],
        )
        return int(cursor.rowcount)


def find_rows(bank_id: int, pairs: Iterable[tuple[str, bytes]]) -> dict[tuple[str, bytes], int]:
    """Return the ids of the (kind, value) pairs that a bank has, including removed hashes."""
    wanted = list(set(pairs))
    with connection.cursor() as cursor:
        kinds, values = [str(kind) for kind, _ in wanted], [value for _, value in wanted]
        cursor.execute(_FIND, [kinds, values, bank_id])
        return {(kind, bytes(value)): pk for pk, kind, value in cursor.fetchall()}


def find_live(pairs: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Return those of the pairs of a kind and a value's SHA-256 that a bank in force has."""
    wanted = list(pairs)
    with connection.cursor() as cursor:
        cursor.execute(_FIND_LIVE, [[str(kind) for kind, _ in wanted], [d for _, d in wanted]])
        return [(kind, bytes(digest)) for kind, digest in cursor.fetchall()]


def record_rows(checks: Sequence[Check]) -> None:
    """Insert new checks, made now, each as one that is not packed into a block yet."""
    if not checks:
        return
    rows = [{name: _as_json(getattr(check, name)) for name in _COLUMNS} for check in checks]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [timezone.now(), msgspec.json.encode(rows).decode()])


def _as_json(value: object) -> object:
    """Return a value in a form that PostgreSQL reads from JSON: bytes as its own hex."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    return value
