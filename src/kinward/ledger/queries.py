"""Queries of the ledger: the entries about a subject, and how far the log has come."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from kinward.ledger.authenticity import written_here
from kinward.ledger.models import Entry, Leaf, Log

LATE: Final = timedelta(seconds=60)  # after this an entry without its signed place is an alarm

# Only transactions that this cluster has begun: an id from before a restore may be a greater one.
_WAITING: Final = """
SELECT e.at FROM ledger_entry e
WHERE e.xid IS NOT NULL AND (e.xid, e.seq) > (%s::xid8, %s)
  AND e.xid < pg_snapshot_xmax(pg_current_snapshot())
  AND NOT EXISTS (SELECT FROM ledger_leaf l WHERE l.entry_id = e.seq)
ORDER BY e.xid, e.seq LIMIT 1
"""


def entries_about(*subjects: str) -> list[Entry]:
    """Return all entries about these subjects that Kinward wrote, oldest first."""
    return written_here(Entry.objects.filter(subject__in=subjects).order_by("seq"))


def unsequenced_since() -> datetime | None:
    """Return when the first entry was written that has no place in the log yet, if any."""
    log = Log.objects.first()
    position = (0, 0) if log is None else (log.position_xid, log.position_seq)
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [str(position[0]), position[1]])
        row = cursor.fetchone()
    return None if row is None else row[0]


def unsigned_since() -> datetime | None:
    """Return when the first entry was written whose place is not signed yet, if any."""
    log = Log.objects.first()
    if log is None or log.signed_size >= log.size:
        return None
    leaf = Leaf.objects.select_related("entry").filter(index=log.signed_size).first()
    return log.ran_at if leaf is None or leaf.entry is None else leaf.entry.at


def is_late(now: datetime | None = None) -> str:
    """Return what the log is late with: `sequenced` or `signed`. Empty if nothing is."""
    now = now or timezone.now()
    for what, since in (("sequenced", unsequenced_since()), ("signed", unsigned_since())):
        if since is not None and now - since > LATE:
            return what
    return ""


def log_size() -> int:
    """Return how many leaves the log has."""
    return Log.objects.values_list("size", flat=True).first() or 0


def signed_checkpoint() -> bytes:
    """Return the checkpoint that is shown, a signed note. Empty if there is none yet."""
    note = Log.objects.values_list("note", flat=True).first()
    return b"" if note is None else bytes(note)
