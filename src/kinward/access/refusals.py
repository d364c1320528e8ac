"""Calls that were refused, by reason: counted in each process, and added up in the database."""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Final

import msgspec
import prometheus_client
import structlog
from django.db import DatabaseError, connection
from django.utils import timezone

from kinward.access.models import Refusal
from kinward.access.tally import Tally

log = structlog.get_logger(__name__)

KEPT_FOR: Final = timedelta(days=1)
BARS: Final = 12  # of five minutes each: the last hour
BAR: Final = timedelta(minutes=5)

REFUSED = prometheus_client.Counter("kinward_refused", "Calls that were refused", ["reason"])

_ADD: Final = """
INSERT INTO access_refusal (minute, reason, count) VALUES (%s, %s, %s)
ON CONFLICT (minute, reason) DO UPDATE SET count = access_refusal.count + excluded.count
"""


class RefusedLately(msgspec.Struct, frozen=True):
    """The refusals of one reason in the last hour: their number, and that of every five minutes."""

    reason: str
    count: int
    bars: list[int]


def _add(counts: Mapping[tuple[datetime, str], int]) -> None:
    with connection.cursor() as cursor:
        # In one order, so that two processes never wait for each other.
        for (minute, reason), count in sorted(counts.items()):
            cursor.execute(_ADD, [minute, reason[:60], count])
    Refusal.objects.filter(minute__lt=timezone.now() - KEPT_FOR).delete()


@cache
def tally_refusals() -> Tally[tuple[datetime, str]]:
    """Return this process's tally of refusals, by minute and reason."""
    return Tally(_add)


def count_refusal(reason: str) -> None:
    """Count a refused call under its error code: in the metrics now, in the console soon."""
    REFUSED.labels(reason).inc()
    tally_refusals().count((timezone.now().replace(second=0, microsecond=0), reason))


def count_refusal_of_page(reason: str) -> None:
    """Count a refusal in a process without a gate, which would write the tally. Does not block."""
    count_refusal(reason)
    if tally_refusals().due:
        threading.Thread(target=_write_apart, daemon=True).start()


def _write_apart() -> None:
    try:
        tally_refusals().write()
    except DatabaseError as error:  # the tally keeps what it has
        log.warning("refusals.not_written", error=str(error).split("\n")[0])
    finally:
        connection.close()


def refused_lately() -> list[RefusedLately]:
    """Return what was refused in the last hour, the most frequent reason first."""
    now = timezone.now()
    first = now - BARS * BAR
    bars: dict[str, list[int]] = {}
    for refusal in Refusal.objects.filter(minute__gt=first - timedelta(minutes=1)):
        place = min(BARS - 1, max(0, (refusal.minute - first) // BAR))
        bars.setdefault(refusal.reason, [0] * BARS)[place] += refusal.count
    lately = [RefusedLately(reason, sum(counts), counts) for reason, counts in bars.items()]
    return sorted(lately, key=lambda one: (-one.count, one.reason))
