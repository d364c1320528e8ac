"""One sync with a partner: its feed is read part by part, within bounds, and may always resume."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.exchanges.bounds import FeedRepeats, Reading
from kinward.exchanges.mirror import forget, take
from kinward.exchanges.models import Exchange, Signal, Sync
from kinward.exchanges.services import connected, partners, without_secrets
from kinward.ground.errors import KinwardError
from kinward.ground.locks import exclusive
from kinward.ground.text import storable
from kinward.ledger.api import kinds, record
from kinward.matching.api import announce_new_hashes, begin_addition, check_withdrawal

log = structlog.get_logger(__name__)

MAX_PROBLEM: Final = 300
PART: Final = 5000  # signals that are looked at or deleted at a time


class SyncFailed(KinwardError):
    """The partner could not be read to the end. What was read is kept; the next sync resumes."""

    code = "exchange.sync_failed"
    status = 502


class SyncRunning(KinwardError):
    """This exchange is being synced already."""

    code = "exchange.sync_running"
    status = 409


def sync_exchange(exchange: Exchange, *, actor: Actor, full: bool = False) -> Iterator[Sync]:
    """Sync an exchange with its partner, and yield the progress.

    `full`: read the whole list anew instead of what changed. A part is banked in one transaction
    with the checkpoint from which the next sync resumes. Raises `SyncFailed` if the partner fails,
    a limit is reached or a removal needs a person's word, and `SyncRunning` if another process
    syncs this exchange.
    """
    actor.must(Permission.RUN_EXCHANGES)
    with exclusive(f"exchange:{exchange.name}") as mine:
        if not mine:
            raise SyncRunning(exchange.name)
        run = _begin(exchange, actor, full=full)
        try:
            yield from _read(exchange, run)
        except GeneratorExit:
            raise
        except Exception as error:
            problem = _problem_of(exchange, error)
            Exchange.objects.filter(pk=exchange.pk).update(problem=problem)
            log.warning("exchange.failed", exchange=exchange.name, problem=problem)
            raise SyncFailed(problem) from None
        _finish(exchange, run, actor)
        yield run


def _problem_of(exchange: Exchange, error: Exception) -> str:
    text = str(error) if isinstance(error, KinwardError) else f"{type(error).__name__}: {error}"
    return without_secrets(exchange, storable(text))[:MAX_PROBLEM]


@transaction.atomic
def _begin(exchange: Exchange, actor: Actor, *, full: bool) -> Sync:
    exchange.refresh_from_db()
    if full:
        exchange.checkpoint = None
        exchange.save(update_fields=["checkpoint"])
    addition = begin_addition(
        bank=exchange.bank, provenance=f"{exchange.api}: {exchange.name}", actor=actor
    )
    if not (exchange.full and exchange.checkpoint):  # a full sync that goes on keeps its count
        exchange.skipped = {}
    Exchange.objects.filter(pk=exchange.pk).update(
        began_at=timezone.now(), unusable=0, skipped=exchange.skipped
    )
    return Sync.objects.create(exchange=exchange, addition=addition)


def reading_of(exchange: Exchange, api: Any, *, ends: float | None = None) -> Reading:
    """Return the bounds of a sync, or of one opinion that is sent."""
    hosts = {_host_of(value) for value in exchange.config.values() if isinstance(value, str)}
    return Reading(address=getattr(api, "address", ""), named=frozenset(hosts - {""}), ends=ends)


def _host_of(text: str) -> str:
    try:
        return urlsplit(text).hostname or ""
    except ValueError:
        return ""


def _read(exchange: Exchange, run: Sync) -> Iterator[Sync]:
    api = connected(exchange)
    checkpoint = partners().checkpoint_from_json(api, exchange.checkpoint)
    if checkpoint is not None and checkpoint.is_stale():
        checkpoint = None
    if checkpoint is None:
        # A full sync: hashes that it does not meet again are withdrawn at its end.
        exchange.full, exchange.generation = True, exchange.generation + 1
        exchange.save(update_fields=["full", "generation"])
    reading = reading_of(exchange, api)
    reading.skipped = exchange.skips
    try:
        for delta in partners().pages_of(api, checkpoint, reading):
            reading.count_records(len(delta.updates))
            take(exchange, run, api, delta, reading)
            yield run
    except FeedRepeats:
        _rewind(exchange, api)
        raise
    finally:
        reading.close()
    if exchange.full:
        yield from _drop_unmet(exchange, run)


def _rewind(exchange: Exchange, api: Any) -> None:
    """Move a mark that leads in a circle back to the start of its span, which is read again."""
    mark = partners().checkpoint_from_json(api, exchange.checkpoint)
    if mark is not None and hasattr(api, "rewound"):
        rewound = partners().checkpoint_to_json(api.rewound(mark))
        Exchange.objects.filter(pk=exchange.pk).update(checkpoint=rewound)


def _drop_unmet(exchange: Exchange, run: Sync) -> Iterator[Sync]:
    """End a full sync: delete the signals that it did not meet again.

    Nothing is deleted if a record without a key was skipped: it may be about any of them. Raises
    `RemovesTooMuch`, with the number of all hashes that would leave, before any does.
    """
    unmet = Signal.objects.filter(exchange=exchange, generation__lt=exchange.generation)
    if exchange.skips.unnamed and unmet.exists():
        return
    check_withdrawal(exchange.bank, _leaving(exchange, run), apart_from=run.addition)
    while chosen := list(unmet.values_list("pk", flat=True)[:PART]):
        with transaction.atomic():
            run.removed += forget(exchange, run, chosen)
            run.save(update_fields=["removed"])
        yield run
    exchange.full = False
    exchange.save(update_fields=["full"])


def _leaving(exchange: Exchange, run: Sync) -> int:
    """Return how many hashes that were banked before this sync it did not meet again.

    In parts, because a plan for all of them at once goes by statistics that a sync outdates.
    """
    signals = Signal.objects.filter(exchange=exchange)
    unmet = signals.filter(generation__lt=exchange.generation).order_by("pk")
    leaving, after = set[int](), 0
    while rows := list(unmet.filter(pk__gt=after).values_list("pk", "banked")[:PART]):
        after = rows[-1][0]
        hashes = {banked for _, banked in rows}
        met = signals.filter(generation=exchange.generation, banked__in=hashes)
        gone = hashes - set(met.values_list("banked", flat=True))
        live = unmet.filter(banked__in=gone, banked__removed=False)
        leaving |= set(live.exclude(banked__addition=run.addition).values_list("banked", flat=True))
    return len(leaving)


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
