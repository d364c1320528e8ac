"""SQL for many hashes at once, where the ORM would take most of the time."""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection

from kinward.matching.hashlists import ListedHash
from kinward.matching.models import Addition

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
