"""The number of each change to banks, by which every process learns of it."""

from typing import Final

from django.db.models import F

from kinward.ground.jobs import enqueue_once
from kinward.matching.models import Bank, BankVersion, Role

# The job that makes hashes count as new once nothing silences.
RENEW: Final = "matching.renew_silenced"


def next_version() -> int:
    """Return a new number for a change to banks. Its row lock orders changes by commit."""
    BankVersion.objects.get_or_create(pk=1)
    BankVersion.objects.filter(pk=1).update(version=F("version") + 1)
    return BankVersion.objects.get(pk=1).version


def renew_if_negative(bank: Bank) -> None:
    """Have what a negative bank silenced looked for again, after the bank has changed."""
    if Bank.objects.filter(pk=bank.pk, role=Role.NEGATIVE).exists():
        enqueue_once(RENEW)
