"""Reading banks: what is in them, who put it there, and what came of it."""

from django.db.models import Count, Q, QuerySet

from kinward.matching.models import Addition, Bank, BankedHash, BankVersion

LIVE = Q(hashes__removed=False, hashes__false_positive=False)


def current_version() -> int:
    """The number of the last change to any bank."""
    return BankVersion.objects.values_list("version", flat=True).first() or 0


def list_banks() -> QuerySet[Bank]:
    """All banks by name, each with `live`, how many hashes match."""
    return Bank.objects.annotate(live=Count("hashes", filter=LIVE)).order_by("name")


def kinds_of(bank: Bank) -> dict[str, int]:
    """How many live hashes of each kind a bank has."""
    rows = BankedHash.objects.filter(bank=bank, removed=False, false_positive=False)
    return dict(rows.values_list("kind").annotate(count=Count("pk")).order_by("kind"))


def additions_of(bank: Bank) -> QuerySet[Addition]:
    """What was added to a bank, the latest first; of readings that added nothing, nothing."""
    counted = Addition.objects.filter(bank=bank).annotate(count=Count("hashes"))
    return counted.filter(count__gt=0).order_by("-added_at")


def list_hashes(bank: Bank, kind: str, after: int, count: int) -> list[BankedHash]:
    """A page of a bank's hashes: those that match, and those that were called wrong."""
    rows = BankedHash.objects.filter(bank=bank, removed=False, pk__gt=after)
    if kind:
        rows = rows.filter(kind=kind)
    return list(rows.select_related("addition").order_by("pk")[:count])
