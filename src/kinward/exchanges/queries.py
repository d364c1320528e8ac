"""Queries for pages: the health of exchanges."""

from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from kinward.exchanges.models import Exchange

WAITING = Q(
    bank__hashes__opinions__isnull=False, bank__hashes__opinions__sent_at=None, opinions=True
)


def exchange_health() -> QuerySet[Exchange]:
    """Return all exchanges by name, each with `waiting`, the number of opinions not sent yet."""
    return (
        Exchange.objects.select_related("bank")
        .annotate(waiting=Count("bank__hashes__opinions", filter=WAITING))
        .order_by("name")
    )


def overdue_exchanges() -> list[Exchange]:
    """Return the enabled exchanges without a finished sync in the last three intervals."""
    now = timezone.now()
    return [
        exchange
        for exchange in Exchange.objects.filter(enabled=True)
        if exchange.began_at
        and now - (exchange.finished_at or exchange.began_at)
        > 3 * timedelta(minutes=exchange.minutes)
    ]
