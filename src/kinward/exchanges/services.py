"""Services for exchanges: add a partner, and sync its bank."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import ModuleType
from typing import Any, Final
from urllib.parse import quote, quote_plus

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.exchanges.models import Exchange, Signal, Sync
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.locks import exclusive
from kinward.ground.secrets import open_text, seal_text
from kinward.ground.text import storable
from kinward.ledger.api import kinds, record
from kinward.matching.api import (
    BankedHash,
    ListedHash,
    announce_new_hashes,
    begin_addition,
    create_bank,
    extend,
    withdraw_hashes,
)

log = structlog.get_logger(__name__)

PURPOSE: Final = "exchange"
MAX_PROBLEM: Final = 300
MAX_KEY: Final = 400
_MEET: Final = """
INSERT INTO exchanges_signal (exchange_id, generation, key, banked_id)
SELECT %s, %s, key, banked_id FROM unnest(%s::text[], %s::bigint[]) AS met (key, banked_id)
ON CONFLICT (exchange_id, key, banked_id) DO UPDATE SET generation = EXCLUDED.generation
"""


class ExchangeExists(KinwardError):
    """An exchange with this name exists already."""

    code = "exchange.exists"
    status = 409


class SyncFailed(KinwardError):
    """The partner could not be read to the end. What was read is kept; the next sync resumes."""

    code = "exchange.sync_failed"
    status = 502


class SyncRunning(KinwardError):
    """This exchange is being synced already."""

    code = "exchange.sync_running"
    status = 409


@transaction.atomic
def add_exchange(
    *,
    name: str,
    api: str,
    confidence: str,
    config: Mapping[str, Any],
    credentials: Mapping[str, str],
    extension: str = "",
    opinions: bool = False,
    minutes: int = 60,
    actor: Actor,
) -> Exchange:
    """Add a partner and its bank. Nothing is fetched yet.

    Raises `ExchangeExists`, or `Invalid` if the configuration or the credentials are wrong.
    """
    actor.must(Permission.RUN_EXCHANGES)
    if not 1 <= minutes <= 7 * 24 * 60:
        raise Invalid("A sync is due every 1 to 10,080 minutes.")
    _partners().connect(
        name=name, api=api, extension=extension, config=config, credentials=credentials
    )
    try:
        with transaction.atomic():
            exchange = Exchange(
                name=name,
                api=api,
                extension=extension,
                config=dict(config),
                credentials=seal_text(json.dumps(dict(credentials)), PURPOSE),
                bank=create_bank(
                    name=name, confidence=confidence, description=f"From {api}", actor=actor
                ),
                opinions=opinions,
                minutes=minutes,
            )
            exchange.save(force_insert=True)
    except IntegrityError as error:
        raise ExchangeExists(f"{name!r} exists already.") from error
    record(actor=actor, subject=str(exchange), fact=kinds.ExchangeAdded(api=api, opinions=opinions))
    return exchange


def _partners() -> ModuleType:
    """Import the interfaces of partners, which the gate and the pages must not load."""
    from kinward.exchanges import partners

    return partners


def get_exchange(name: str) -> Exchange:
    """Return an exchange by name, with its bank. Raises `NotFound`."""
    try:
        return Exchange.objects.select_related("bank").get(name=name)
    except Exchange.DoesNotExist as error:
        raise NotFound(
            f"There is no exchange {name!r}. `kinward exchange status` shows them."
        ) from error


def connected(exchange: Exchange) -> Any:
    """Return the interface of the exchange's partner."""
    return _partners().connect(
        name=exchange.name,
        api=exchange.api,
        extension=exchange.extension,
        config=exchange.config,
        credentials=json.loads(open_text(exchange.credentials, PURPOSE)),
    )


def sync_exchange(exchange: Exchange, *, actor: Actor) -> Iterator[Sync]:
    """Sync an exchange with its partner, and yield the progress.

    A part is banked in one transaction with the checkpoint from which the next sync resumes. Raises
    `SyncFailed` if the partner fails, `SyncRunning` if another process syncs this exchange.
    """
    actor.must(Permission.RUN_EXCHANGES)
    with exclusive(f"exchange:{exchange.name}") as mine:
        if not mine:
            raise SyncRunning(exchange.name)
        run = _begin(exchange, actor)
        try:
            yield from _read(exchange, run)
        except GeneratorExit:
            raise
        except Exception as error:
            text = storable(f"{type(error).__name__}: {error}")
            problem = _without_secrets(exchange, text)[:MAX_PROBLEM]
            Exchange.objects.filter(pk=exchange.pk).update(problem=problem)
            log.warning("exchange.failed", exchange=exchange.name, problem=problem)
            raise SyncFailed(problem) from None
        _finish(exchange, run, actor)
        yield run


def _without_secrets(exchange: Exchange, text: str) -> str:
    """Remove the credentials from an error's text: some partners have them in the address."""
    for secret in json.loads(open_text(exchange.credentials, PURPOSE)).values():
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            text = text.replace(form, "…") if form else text
    return text


@transaction.atomic
def _begin(exchange: Exchange, actor: Actor) -> Sync:
    exchange.refresh_from_db()
    addition = begin_addition(
        bank=exchange.bank, provenance=f"{exchange.api}: {exchange.name}", actor=actor
    )
    Exchange.objects.filter(pk=exchange.pk).update(began_at=timezone.now(), unusable=0)
    return Sync.objects.create(exchange=exchange, addition=addition)


def _read(exchange: Exchange, run: Sync) -> Iterator[Sync]:
    api = connected(exchange)
    checkpoint = _partners().checkpoint_from_json(api, exchange.checkpoint)
    if checkpoint is not None and checkpoint.is_stale():
        checkpoint = None
    if checkpoint is None:
        # A full sync: hashes that it does not meet again are withdrawn at its end.
        exchange.full, exchange.generation = True, exchange.generation + 1
        exchange.save(update_fields=["full", "generation"])
    for delta in api.fetch_iter((), checkpoint):
        _take(exchange, run, api, delta)
        yield run
    if exchange.full:
        yield from _drop_unmet(exchange, run)


@transaction.atomic
def _take(exchange: Exchange, run: Sync, api: Any, delta: Any) -> None:
    """Bank one part of a sync together with its checkpoint."""
    live: dict[str, list[ListedHash]] = {}
    gone: list[str] = []
    unusable = 0
    for key, value in delta.updates.items():
        name = _key(key)
        merged = None if value is None else api.fetch_value_merge(None, value)
        if merged is None:
            gone.append(name)
            continue
        live[name], bad = _partners().signals(api, exchange.extension, key, merged)
        unusable += bad
    run.added += _put(exchange, run, live)
    run.removed += _remove(exchange, gone)
    run.entries += len(delta.updates)
    run.save(update_fields=["entries", "added", "removed"])
    exchange.checkpoint = _partners().checkpoint_to_json(delta.checkpoint)
    Exchange.objects.filter(pk=exchange.pk).update(
        checkpoint=exchange.checkpoint,
        progress_at=timezone.now(),
        unusable=F("unusable") + unusable,
    )


def _key(key: Any) -> str:
    text = json.dumps(key) if isinstance(key, tuple) else str(key)
    if len(text) <= MAX_KEY and storable(text) == text:
        return text
    return f"sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def _put(exchange: Exchange, run: Sync, live: dict[str, list[ListedHash]]) -> int:
    """Bank the hashes of entries by key, and withdraw those the entries no longer have."""
    listed = [row for rows in live.values() for row in rows]
    added, ids = extend(run.addition, listed)
    met = {(name, ids[row.kind, row.value]) for name, rows in live.items() for row in rows}
    known = Signal.objects.filter(exchange=exchange, key__in=live)
    pairs = known.values_list("pk", "key", "banked_id")
    old = [pk for pk, name, banked_id in pairs if (name, banked_id) not in met]
    with connection.cursor() as cursor:
        names, banked = [name for name, _ in met], [banked_id for _, banked_id in met]
        cursor.execute(_MEET, [exchange.pk, exchange.generation, names, banked])
    _forget(exchange, old)
    return added


def _remove(exchange: Exchange, keys: list[str]) -> int:
    if not keys:
        return 0
    rows = Signal.objects.filter(exchange=exchange, key__in=keys)
    return _forget(exchange, list(rows.values_list("pk", flat=True)))


def _forget(exchange: Exchange, signal_ids: list[int]) -> int:
    """Delete signals. A hash without a signal leaves the bank. Returns how many left."""
    if not signal_ids:
        return 0
    rows = Signal.objects.filter(pk__in=signal_ids)
    hashes = set(rows.values_list("banked", flat=True))
    rows.delete()
    still = Signal.objects.filter(exchange=exchange, banked__in=hashes)
    return withdraw_hashes(exchange.bank, hashes - set(still.values_list("banked", flat=True)))


def _drop_unmet(exchange: Exchange, run: Sync) -> Iterator[Sync]:
    """End a full sync: delete the signals that it did not meet again."""
    unmet = Signal.objects.filter(exchange=exchange, generation__lt=exchange.generation)
    while chosen := list(unmet.values_list("pk", flat=True)[:5000]):
        with transaction.atomic():
            run.removed += _forget(exchange, chosen)
            run.save(update_fields=["removed"])
        yield run
    exchange.full = False
    exchange.save(update_fields=["full"])


@transaction.atomic
def _finish(exchange: Exchange, run: Sync, actor: Actor) -> None:
    Exchange.objects.filter(pk=exchange.pk).update(finished_at=timezone.now(), problem="")
    if run.added:
        announce_new_hashes()
    record(
        actor=actor,
        subject=str(exchange),
        fact=kinds.ExchangeSynced(entries=run.entries, added=run.added, removed=run.removed),
    )


@transaction.atomic
def set_exchange_enabled(*, exchange: Exchange, enabled: bool, actor: Actor) -> None:
    """Enable or disable the regular sync with a partner."""
    actor.must(Permission.RUN_EXCHANGES)
    Exchange.objects.filter(pk=exchange.pk).update(enabled=enabled)
    fact = kinds.ExchangeEnabled() if enabled else kinds.ExchangeDisabled()
    record(actor=actor, subject=str(exchange), fact=fact)


def due() -> list[Exchange]:
    """Return the exchanges whose next sync is due, and those whose last sync was cut off."""
    now = timezone.now()
    return [
        exchange
        for exchange in Exchange.objects.filter(enabled=True)
        if exchange.began_at is None
        or exchange.began_at + timedelta(minutes=exchange.minutes) <= now
        or (exchange.finished_at or exchange.began_at)
        < exchange.began_at
        <= now - timedelta(minutes=5)
    ]


def live_hashes(exchange: Exchange) -> int:
    """Count the live hashes in the bank of an exchange."""
    return BankedHash.objects.filter(Q(bank=exchange.bank), removed=False).count()
