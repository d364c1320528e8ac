"""Statements that put many rows in at once, where the ORM would be most of the work."""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection

from kinward.matching.hashlists import ListedHash
from kinward.matching.models import Addition

# A hash that is there is left alone; a removed one comes back, as the list has it now.
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

# One look into the index for each: a join would hash every value of the table instead.
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
    """Put hashes, each of which is there once, into a bank; how many are new or back again."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD,
            [
                addition.pk,
                addition.bank_id,
                version,
                [str(each.kind) for each in hashes],
                [each.value for each in hashes],
                [each.reference for each in hashes],
                [each.label for each in hashes],
            ],
        )
        return int(cursor.rowcount)


def find_rows(bank_id: int, pairs: Iterable[tuple[str, bytes]]) -> dict[tuple[str, bytes], int]:
    """The ids of those of these (kind, value) that a bank has, also removed ones."""
    wanted = list(set(pairs))
    with connection.cursor() as cursor:
        kinds, values = [str(kind) for kind, _ in wanted], [value for _, value in wanted]
        cursor.execute(_FIND, [kinds, values, bank_id])
        return {(kind, bytes(value)): pk for pk, kind, value in cursor.fetchall()}
