"""What the adapters of age signals could not read, kept for the doctor."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from kinward.ground.text import printable
from kinward.people.models import UnreadSignal

MAX_FOR_SOURCE: Final = 50  # rows: an answer full of new fields fills no table
MAX_WORDS: Final = 60  # characters
RECENT_DAYS: Final = 30


def note_unread(source: str, words: str) -> None:
    """Keep what an adapter did not know, once a day, in the caller's transaction.

    `words` may be a stranger's: what cannot be printed is replaced, and the rest is cut.
    """
    words = printable(words)[:MAX_WORDS]
    today = _today()
    rows = UnreadSignal.objects.filter(source=source)
    if rows.filter(words=words, last_on=today).exists():
        return
    if rows.filter(words=words).update(last_on=today) or rows.count() >= MAX_FOR_SOURCE:
        return
    UnreadSignal.objects.bulk_create(
        [UnreadSignal(source=source, words=words, first_on=today, last_on=today)],
        ignore_conflicts=True,
    )


def unread_signals() -> list[UnreadSignal]:
    """Return what was not read in the last `RECENT_DAYS`, by source."""
    since = _today() - timedelta(days=RECENT_DAYS)
    return list(UnreadSignal.objects.filter(last_on__gte=since).order_by("source", "first_on"))


def _today() -> date:
    return datetime.now(UTC).date()
