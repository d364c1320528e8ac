"""Forget what entries say of a person: the values and their salts go, and the commitments stay.

The leaves do not change, so each proof holds as before. Without the salt nobody can test a guess
against a commitment. An entry of the former chain has a digest without a salt: of such an entry
every value goes, and whoever guesses all of them at once can still test that.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from django.db import connection

from kinward.ledger.authenticity import written_here
from kinward.ledger.kinds.erasure import AccountErased, ErasureReplayed
from kinward.ledger.models import Entry

# The fields that may hold the platform's id of an account. The target of an action on content has
# the id of content, which may be the same text.
FIELDS: Final = ("account", "adult", "guardian", "teen", "target", "to")

# Whoever can write to the database may have written data of another form.
_OBJECT: Final = "CASE jsonb_typeof(data) WHEN 'object' THEN data ELSE '{}' END"
_FIND: Final = f"""
WITH said AS (
  SELECT seq, digest IS NOT NULL AS chained, actor = %(actor)s AS by,
    subject = %(actor)s OR split_part(subject, ':', 2) = ANY(%(ids)s) AS about,
    EXISTS (
      SELECT FROM jsonb_each_text({_OBJECT}) AS field WHERE field.value = %(actor)s
        OR (
          field.key = ANY(%(fields)s) AND field.value = %(name)s
          AND NOT (field.key = 'target' AND coalesce(data ->> 'type', '') LIKE 'content.%%')
        )
        OR field.value = ANY(%(ids)s) OR split_part(field.value, ':', 2) = ANY(%(ids)s)
    ) AS within
  FROM ledger_entry
)
SELECT seq, chained OR coalesce(by, false), chained OR coalesce(about, false),
  chained OR coalesce(about, false) OR within, chained
FROM said WHERE by OR about OR within ORDER BY seq
"""  # noqa: S608
_WORDS: Final = f"""
DELETE FROM ledger_words WHERE digest IN (
  SELECT substr(field.value, 7) FROM ledger_entry, jsonb_each_text({_OBJECT}) AS field
  WHERE seq = ANY(%s) AND field.value LIKE 'words:%%'
)
"""  # noqa: S608
_FORGET: Final = """
UPDATE ledger_entry AS entry SET
  actor = CASE WHEN said.by THEN NULL ELSE actor END,
  actor_salt = CASE WHEN said.by THEN NULL ELSE actor_salt END,
  subject = CASE WHEN said.about THEN NULL ELSE subject END,
  subject_salt = CASE WHEN said.about THEN NULL ELSE subject_salt END,
  data = CASE WHEN said.within THEN NULL ELSE data END,
  data_salt = CASE WHEN said.within THEN NULL ELSE data_salt END
FROM unnest(%s::bigint[], %s::boolean[], %s::boolean[], %s::boolean[])
  AS said (seq, by, about, within)
WHERE entry.seq = said.seq
"""
_LOST: Final = f"""
SELECT DISTINCT entry.seq FROM ledger_entry AS entry, jsonb_each_text({_OBJECT}) AS field
WHERE field.value ~ '^words:[0-9a-f]{{64}}$'
  AND NOT EXISTS (SELECT FROM ledger_words WHERE digest = substr(field.value, 7))
ORDER BY entry.seq LIMIT %s
"""  # noqa: S608
_GONE: Final = """
SELECT coalesce(sum((actor IS NULL)::int + (subject IS NULL)::int + (data IS NULL)::int), 0)
FROM ledger_entry WHERE digest IS NULL AND (actor IS NULL OR subject IS NULL OR data IS NULL)
"""


class Said(msgspec.Struct, frozen=True):
    """Which values of an entry name a person: the actor, the subject, the data."""

    seq: int
    by: bool
    about: bool
    within: bool
    chained: bool


def find_said(*, name: str, ids: Sequence[str]) -> list[Said]:
    """Return what entries say of the account with this name, or of rows with these ids (UUIDs).

    It reads the whole ledger once. An entry about such a row loses its subject and its data, one
    by the account its actor, and one that names either in its data the data.
    """
    values: dict[str, Any] = {
        "actor": f"account:{name}",
        "name": name,
        "ids": list(ids),
        "fields": list(FIELDS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND, values)
        return [Said(*row) for row in cursor.fetchall()]


def count_values(said: Iterable[Said]) -> int:
    """Return how many values of the log go. Those of the former chain are not counted."""
    return sum(one.by + one.about + one.within for one in said if not one.chained)


def forget_said(said: Sequence[Said]) -> None:
    """Remove values, their salts and the words that people typed, in the caller's transaction.

    The database refuses it unless an entry of the same transaction says that a person is erased.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, [[one.seq for one in said if one.within]])
        columns = ("seq", "by", "about", "within")
        cursor.execute(_FORGET, [[getattr(one, name) for one in said] for name in columns])


def unsaid_values() -> str:
    """Return what is wrong with the values that are gone from the log: erasures say how many.

    An entry of an erasure loses nothing itself, so one that says no number is no erasure's.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GONE)
        gone = int(cursor.fetchone()[0])
    facts = Entry.objects.filter(kind__in=(AccountErased.kind, ErasureReplayed.kind))
    entries = list(facts)
    if any(_values_in(entry.data) is None for entry in entries):
        return "An entry of an erasure is blank or of another form, and no erasure writes such."
    said = sum(_values_in(entry.data) or 0 for entry in written_here(entries))
    return "" if said == gone else f"{gone} values are gone from it, and erasures say {said}."


def _values_in(data: Any) -> int | None:
    """Return how many values an erasure says that it took; None where it says no number."""
    count = data.get("values") if isinstance(data, dict) else None
    return count if isinstance(count, int) else None


def lost_words(most: int) -> list[int]:
    """Return the numbers of entries that have their data, and whose words somebody removed.

    An erasure takes words together with the data that is committed to them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOST, [most])
        return [number for (number,) in cursor.fetchall()]
