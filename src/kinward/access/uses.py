"""What keys are used for: counted in each process, and added up in the database by day."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final

import msgspec
from django.db import connection
from django.db.models import Count, Max, Min, Sum
from django.utils import timezone

from kinward.access.models import ApiKey, KeyUse
from kinward.access.purposes import ALL_SCOPES
from kinward.access.tally import Tally
from kinward.ground.errors import NotFound
from kinward.ledger.api import Entry, written_here

KEPT_FOR: Final = timedelta(days=400)  # longer than a key usually lives

# A key may be gone meanwhile, in a database that was restored.
_ADD: Final = """
INSERT INTO access_keyuse (day, key_id, endpoint, count, last_at)
SELECT %(day)s, id, %(endpoint)s, %(count)s, %(now)s FROM access_apikey WHERE id = %(key)s
ON CONFLICT (day, key_id, endpoint) DO UPDATE
SET count = access_keyuse.count + excluded.count,
    last_at = greatest(access_keyuse.last_at, excluded.last_at)
"""


class Calls(msgspec.Struct, frozen=True):
    """The calls of one endpoint by a key: how many, on which first and last day."""

    endpoint: str
    count: int
    first: date
    last: date


class Acts(msgspec.Struct, frozen=True):
    """The ledger entries of one kind by a key: how many, and the first and the last."""

    kind: str
    count: int
    first: datetime
    last: datetime


class Trace(msgspec.Struct, frozen=True):
    """What a key did, and what to look at if somebody else had it: a scope and a sentence each."""

    calls: list[Calls]
    acts: list[Acts]
    look_at: list[tuple[str, str]]


def _add(counts: Mapping[tuple[date, int, str], int]) -> None:
    now = timezone.now()
    with connection.cursor() as cursor:
        # In one order, so that two processes never wait for each other.
        for (day, key, endpoint), count in sorted(counts.items()):
            values: dict[str, Any] = {
                "day": day,
                "key": key,
                "endpoint": endpoint,
                "count": count,
                "now": now,
            }
            cursor.execute(_ADD, values)
    KeyUse.objects.filter(day__lt=now.date() - KEPT_FOR).delete()


@cache
def tally_uses() -> Tally[tuple[date, int, str]]:
    """Return this process's tally of calls, by day (UTC), key and endpoint."""
    return Tally(_add)


def count_use(key: ApiKey, endpoint: str) -> None:
    """Count a call of a key: in memory now, in the database within seconds."""
    tally_uses().count((timezone.now().date(), key.pk, endpoint))


def last_uses() -> dict[str, datetime]:
    """Return when each key was last used, to within seconds, by its name."""
    rows = KeyUse.objects.values_list("key__name").annotate(Max("last_at"))
    return dict(rows.order_by())


def trace_key(name: str) -> Trace:
    """Return what a key did, revoked or not. Raises `NotFound`."""
    key = ApiKey.objects.filter(name=name).first()
    if key is None:
        raise NotFound(f"There is no key named {name!r}.")
    calls = KeyUse.objects.filter(key=key).order_by("endpoint").values_list("endpoint")
    acts = Entry.objects.filter(actor=str(key.actor)).order_by("kind").values_list("kind")
    return Trace(
        [Calls(*row) for row in calls.annotate(Sum("count"), Min("day"), Max("day"))],
        [Acts(*row) for row in acts.annotate(Count("seq"), Min("at"), Max("at"))],
        [(scope, ALL_SCOPES[scope].leaked) for scope in key.scopes if scope in ALL_SCOPES],
    )


def entries_by_key(name: str) -> list[Entry]:
    """Return the ledger entries that a key caused, oldest first. Raises `NotFound`."""
    if not ApiKey.objects.filter(name=name).exists():
        raise NotFound(f"There is no key named {name!r}.")
    return written_here(Entry.objects.filter(actor=f"key:{name}").order_by("seq"))
