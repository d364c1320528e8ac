"""Quiet hits: what a shadow bank would have matched, and what a negative bank silenced."""

from collections.abc import Iterable

import msgspec
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from kinward.ground.locks import wait_for
from kinward.matching.lookup import Quiet
from kinward.matching.models import Bank, BankedHash, Check, QuietHit, Role
from kinward.matching.services import LOOKING_UP, count_as_new


class Counts(msgspec.Struct, frozen=True):
    """How often a bank was quiet: hits, and the accounts and content items that they are about."""

    hits: int
    accounts: int
    contents: int


def record_quiet(check: Check, quiet: Iterable[Quiet]) -> None:
    """Record what stayed quiet at a check. Idempotent: a hash has one quiet hit at a check.

    A later look-up of the same check says why the hit is quiet now.
    """
    QuietHit.objects.bulk_create(
        (
            QuietHit(
                hash_id=hit.match.hash,
                check_made=check,
                silenced_by_id=hit.silenced_by or None,
                distance=hit.match.distance,
            )
            for hit in quiet
        ),
        update_conflicts=True,
        unique_fields=["hash", "check_made"],
        update_fields=["silenced_by", "distance"],
    )


def renew_silenced() -> int:
    """Make the hashes count as new that nothing silences any more. Returns how many.

    Uploads that are under way are waited for, so that none of them stays silenced.
    """
    wait_for(LOOKING_UP)
    with transaction.atomic():
        silenced = QuietHit.objects.filter(silenced_by__isnull=False)
        over = silenced.exclude(silenced_by__in=BankedHash.objects.silencing())
        hashes = list(over.values_list("hash", flat=True).distinct())
        if not hashes:
            return 0
        over.delete()
        count_as_new(BankedHash.objects.filter(pk__in=hashes))
    return len(hashes)


def quiet_hits(bank: Bank) -> QuerySet[QuietHit]:
    """Return a bank's quiet hits, newest first: those on it, or those that it silenced."""
    of = Q(silenced_by__bank=bank) if bank.role == Role.NEGATIVE else Q(hash__bank=bank)
    if bank.role != Role.NEGATIVE:
        of &= Q(silenced_by=None)
    rows = QuietHit.objects.filter(of).order_by("-pk")
    return rows.select_related("hash__bank", "check_made__account", "silenced_by")


def count_quiet(bank: Bank) -> Counts:
    """Count a bank's quiet hits."""
    counted = quiet_hits(bank).order_by().select_related(None)
    return Counts(
        **counted.aggregate(
            hits=Count("pk"),
            accounts=Count("check_made__account", distinct=True),
            contents=Count("check_made__content_id", distinct=True),
        )
    )


def silenced_hits(bank: Bank) -> int:
    """Count the hits on a bank that negative banks silenced."""
    return QuietHit.objects.filter(hash__bank=bank, silenced_by__isnull=False).count()
