"""Corrections of a partner, and its removal."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import transaction

from kinward.access import Actor, Permission
from kinward.exchanges.models import Exchange
from kinward.exchanges.services import PURPOSE, check_minutes, partners
from kinward.exchanges.sync import SyncRunning
from kinward.ground.errors import Invalid
from kinward.ground.locks import exclusive
from kinward.ground.secrets import open_text, seal_text
from kinward.ledger.api import kinds, record
from kinward.matching.api import delete_empty_bank


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What changes of a partner. `config` replaces the parameters it names; "" removes one."""

    config: Mapping[str, Any] = {}
    credentials: Mapping[str, str] | None = None
    minutes: int | None = None
    opinions: bool | None = None


@contextmanager
def _without_sync(exchange: Exchange) -> Iterator[None]:
    """Keep syncs of an exchange out of a block. Raises `SyncRunning`."""
    with exclusive(f"exchange:{exchange.name}") as mine:
        if not mine:
            raise SyncRunning(exchange.name)
        yield


def change_exchange(*, exchange: Exchange, changes: Changes, actor: Actor) -> Exchange:
    """Correct a partner. With another configuration its list is read anew from its beginning.

    Raises `Invalid` if nothing changes, or if the partner cannot be reached in this way, and
    `SyncRunning`.
    """
    actor.must(Permission.RUN_EXCHANGES)
    with _without_sync(exchange), transaction.atomic():
        row = Exchange.objects.select_for_update(no_key=True).get(pk=exchange.pk)
        changed = _change(row, changes)
        if not changed:
            raise Invalid("Name what to change, such as `--config` or `--credentials`.")
        row.save()
        fact = kinds.ExchangeChanged(fields=changed)
        record(actor=actor, subject=str(row), fact=fact)
    return row


def _change(row: Exchange, changes: Changes) -> list[str]:
    """Change an exchange in memory. Returns the names of what changed."""
    credentials = changes.credentials
    if credentials is None:
        credentials = json.loads(open_text(row.credentials, PURPOSE))
    config = {key: value for key, value in {**row.config, **changes.config}.items() if value != ""}
    partners().connect(
        name=row.name,
        api=row.api,
        extension=row.extension,
        config=config,
        credentials=credentials,
    )
    changed = []
    if changes.credentials is not None:
        row.credentials = seal_text(json.dumps(dict(credentials)), PURPOSE)
        changed.append("credentials")
    if config != row.config:
        # Another list: what it does not give leaves the bank when it has been read to its end.
        row.config, row.checkpoint, row.began_at = config, None, None
        changed.append("config")
    if changes.minutes is not None:
        row.minutes = check_minutes(changes.minutes)
        changed.append("minutes")
    if changes.opinions is not None:
        row.opinions = changes.opinions
        changed.append("opinions")
    return changed


def remove_exchange(*, exchange: Exchange, actor: Actor) -> bool:
    """Remove a partner and its credentials. Its bank keeps its hashes, and still matches.

    Returns whether there is still a bank: one that has never had a hash is deleted. Raises
    `SyncRunning`.
    """
    actor.must(Permission.RUN_EXCHANGES)
    with _without_sync(exchange), transaction.atomic():
        bank, subject = exchange.bank, str(exchange)
        exchange.delete()
        record(actor=actor, subject=subject, fact=kinds.ExchangeRemoved())
        return not delete_empty_bank(bank=bank, actor=actor)
