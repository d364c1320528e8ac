"""Services for exchanges: add a partner, reach it, switch it, and say which sync is due."""

import json
from collections.abc import Mapping
from datetime import timedelta
from types import ModuleType
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.exchanges.models import Exchange
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.secrets import masked, open_text, seal_text
from kinward.ledger.api import kinds, record
from kinward.matching.api import (
    BankedHash,
    create_bank,
)

PURPOSE: Final = "exchange"


class ExchangeExists(KinwardError):
    """An exchange with this name exists already."""

    code = "exchange.exists"
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
    check_minutes(minutes)
    partners().connect(
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


def check_minutes(minutes: int) -> int:
    """Return the minutes between two syncs. Raises `Invalid`."""
    if not 1 <= minutes <= 7 * 24 * 60:
        raise Invalid("A sync is due every 1 to 10,080 minutes.")
    return minutes


def partners() -> ModuleType:
    """Import the interfaces of partners, which the gate and the pages must not load."""
    from kinward.exchanges import partners as interfaces

    return interfaces


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
    return partners().connect(
        name=exchange.name,
        api=exchange.api,
        extension=exchange.extension,
        config=exchange.config,
        credentials=json.loads(open_text(exchange.credentials, PURPOSE)),
    )


def without_secrets(exchange: Exchange, text: str) -> str:
    """Remove the credentials from an error's text: some partners have them in the address."""
    credentials = json.loads(open_text(exchange.credentials, PURPOSE))
    return masked(text, [secret for secret in credentials.values() if secret])


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
