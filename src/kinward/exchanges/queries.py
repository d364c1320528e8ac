"""Reading exchanges: how each of them is."""

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from kinward.exchanges.models import Exchange

WAITING = Q(
    bank__hashes__opinions__isnull=False, bank__hashes__opinions__sent_at=None, opinions=True
)


def exchange_health() -> QuerySet[Exchange]:
    """All exchanges by name, each with `waiting`, how many opinions are still to be sent."""
    return (
        Exchange.objects.select_related("bank")
        .annotate(waiting=Count("bank__hashes__opinions", filter=WAITING))
        .order_by("name")
    )


def overdue_exchanges() -> list[Exchange]:
    """The exchanges that have been read in none of the last three times that they were due."""
    now = timezone.now()
    return [
        each
        for each in Exchange.objects.filter(enabled=True)
        if each.began_at
        and (now - (each.finished_at or each.began_at)).total_seconds() > 3 * 60 * each.minutes
    ]
