"""Queries for pages: banks, their additions and their hashes."""

from django.db.models import Count, Q, QuerySet

from kinward.matching.models import Addition, Bank, BankedHash, BankVersion

LIVE = Q(hashes__removed=False, hashes__false_positive=False)


def current_version() -> int:
    """Return the number of the latest change to any bank."""
    return BankVersion.objects.values_list("version", flat=True).first() or 0


def list_banks() -> QuerySet[Bank]:
    """Return all banks by name, each with `live`, the number of its live hashes."""
    return Bank.objects.annotate(live=Count("hashes", filter=LIVE)).order_by("name")


def kinds_of(bank: Bank) -> dict[str, int]:
    """Count the live hashes of a bank by kind."""
    rows = BankedHash.objects.filter(bank=bank, removed=False, false_positive=False)
    return dict(rows.values_list("kind").annotate(count=Count("pk")).order_by("kind"))


def additions_of(bank: Bank) -> QuerySet[Addition]:
    """Return the additions to a bank, newest first, without empty ones. `count`: their hashes."""
    counted = Addition.objects.filter(bank=bank).annotate(count=Count("hashes"))
    return counted.filter(count__gt=0).order_by("-added_at")


def list_hashes(bank: Bank, kind: str, after: int, count: int) -> list[BankedHash]:
    """Return a page of a bank's hashes, including false positives. `after`: the last id seen."""
    rows = BankedHash.objects.filter(bank=bank, removed=False, pk__gt=after)
    if kind:
        rows = rows.filter(kind=kind)
    return list(rows.select_related("addition").order_by("pk")[:count])
