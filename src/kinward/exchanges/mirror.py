"""A partner's entries in our bank: which hashes each entry gives, and what leaves with it."""

import hashlib
import json
from typing import Any, Final

import msgspec
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from kinward.exchanges.bounds import Reading
from kinward.exchanges.models import Exchange, Signal, Sync
from kinward.exchanges.services import partners, without_secrets
from kinward.ground.text import storable
from kinward.matching.api import ListedHash, extend, withdraw_hashes

MAX_KEY: Final = 400
_MEET: Final = """
INSERT INTO exchanges_signal (exchange_id, generation, key, banked_id)
SELECT %s, %s, key, banked_id FROM unnest(%s::text[], %s::bigint[]) AS met (key, banked_id)
ON CONFLICT (exchange_id, key, banked_id) DO UPDATE SET generation = EXCLUDED.generation
"""


@transaction.atomic
def take(exchange: Exchange, run: Sync, api: Any, delta: Any, reading: Reading) -> None:
    """Bank one part of a sync together with its checkpoint."""
    live: dict[str, list[ListedHash]] = {}
    gone: list[str] = []
    unusable = 0
    for key, value in delta.updates.items():
        try:
            merged = None if value is None else api.fetch_value_merge(None, value)
            rows, bad = ([], 0) if merged is None else _signals(exchange, api, key, merged)
        except Exception as error:
            reading.skip(error, key)
            continue
        name = _key(key)
        if merged is None:
            gone.append(name)
            continue
        live[name] = rows
        unusable += bad
        if bad:
            reading.doubtful.add(key)
    doubtful = {_key(key) for key in reading.take_doubtful()}
    run.added += _put(exchange, run, live, doubtful)
    run.removed += _remove(exchange, run, gone)
    run.entries += len(delta.updates)
    run.save(update_fields=["entries", "added", "removed"])
    exchange.checkpoint = partners().checkpoint_to_json(delta.checkpoint)
    exchange.skipped = _skipped_of(exchange, reading)
    Exchange.objects.filter(pk=exchange.pk).update(
        checkpoint=exchange.checkpoint,
        progress_at=timezone.now(),
        unusable=F("unusable") + unusable,
        skipped=exchange.skipped,
    )


def _signals(exchange: Exchange, api: Any, key: Any, value: Any) -> tuple[list[ListedHash], int]:
    found: tuple[list[ListedHash], int] = partners().signals(api, exchange.extension, key, value)
    return found


def _skipped_of(exchange: Exchange, reading: Reading) -> dict[str, Any]:
    skipped = reading.skipped
    skipped.examples = [
        (without_secrets(exchange, name), without_secrets(exchange, why))
        for name, why in skipped.examples
    ]
    built: dict[str, Any] = msgspec.to_builtins(skipped)
    return built


def _key(key: Any) -> str:
    text = json.dumps(key) if isinstance(key, tuple) else str(key)
    if len(text) <= MAX_KEY and storable(text) == text:
        return text
    return f"sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def _put(
    exchange: Exchange, run: Sync, live: dict[str, list[ListedHash]], doubtful: set[str]
) -> int:
    """Bank the hashes of entries by key, and withdraw those the entries no longer have.

    `doubtful`: entries of which something could not be read. They keep what they had.
    """
    listed = [row for rows in live.values() for row in rows]
    added, ids = extend(run.addition, listed)
    met = {
        (name, ids[row.kind, row.value])
        for name, rows in live.items()
        for row in rows
        if (row.kind, row.value) in ids  # what says too little is left out
    }
    known = Signal.objects.filter(exchange=exchange, key__in=set(live) | doubtful)
    pairs = list(known.values_list("pk", "key", "banked_id"))
    met |= {(name, banked_id) for _, name, banked_id in pairs if name in doubtful}
    old = [pk for pk, name, banked_id in pairs if (name, banked_id) not in met]
    with connection.cursor() as cursor:
        names, banked = [name for name, _ in met], [banked_id for _, banked_id in met]
        cursor.execute(_MEET, [exchange.pk, exchange.generation, names, banked])
    run.removed += forget(exchange, run, old)
    return added


def _remove(exchange: Exchange, run: Sync, keys: list[str]) -> int:
    if not keys:
        return 0
    rows = Signal.objects.filter(exchange=exchange, key__in=keys)
    return forget(exchange, run, list(rows.values_list("pk", flat=True)))


def forget(exchange: Exchange, run: Sync, signal_ids: list[int]) -> int:
    """Delete signals. A hash without a signal leaves the bank. Returns how many left.

    Raises `RemovesTooMuch`.
    """
    if not signal_ids:
        return 0
    rows = Signal.objects.filter(pk__in=signal_ids)
    hashes = set(rows.values_list("banked", flat=True))
    rows.delete()
    still = Signal.objects.filter(exchange=exchange, banked__in=hashes)
    leaving = hashes - set(still.values_list("banked", flat=True))
    return withdraw_hashes(exchange.bank, leaving, apart_from=run.addition)
