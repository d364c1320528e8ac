"""The days of an account, which are those of its own time zone."""

from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo


def local_day(zone: str, now: datetime | None = None) -> date:
    """Return the day in a time zone (IANA; empty = UTC), now or at a moment with a zone."""
    return (now or datetime.now(UTC)).astimezone(_zone(zone)).date()


def day_begins(day: date, zone: str) -> datetime:
    """Return the moment (UTC) at which a day begins in a time zone (IANA; empty = UTC)."""
    return datetime.combine(day, time(), _zone(zone)).astimezone(UTC)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError):  # a zone that this machine's database no longer has
        return UTC
