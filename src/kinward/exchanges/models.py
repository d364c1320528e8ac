"""Exchanges, the hashes of partners' entries, and opinions on them."""

import msgspec
from django.db import models

from kinward.exchanges.bounds import Skipped
from kinward.matching.api import Addition, Bank, BankedHash


class Exchange(models.Model):
    """A partner, how to reach it, and the progress of its sync.

    `full`: a full sync is under way. At its end, hashes that it did not meet again are withdrawn.
    """

    name = models.CharField(max_length=80, unique=True)
    api = models.CharField(max_length=80)
    extension = models.CharField(max_length=200, default="")  # a module with a TX_MANIFEST
    config = models.JSONField(default=dict)
    credentials = models.TextField(default="")  # sealed JSON
    bank = models.OneToOneField(Bank, on_delete=models.PROTECT, related_name="exchange")
    opinions = models.BooleanField(default=False)  # whether ours are sent to the partner
    minutes = models.PositiveIntegerField(default=60)  # from one sync to the next
    enabled = models.BooleanField(default=True)

    checkpoint = models.JSONField(null=True)
    generation = models.PositiveIntegerField(default=0)
    full = models.BooleanField(default=False)
    began_at = models.DateTimeField(null=True)
    progress_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    problem = models.TextField(default="")
    # Hashes of the last sync that could not be parsed, and a `bounds.Skipped` of its records.
    unusable = models.PositiveIntegerField(default=0)
    skipped = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"exchange:{self.name}"

    @property
    def skips(self) -> Skipped:
        """The records that the last sync could not read."""
        return msgspec.convert(self.skipped, Skipped)


class Signal(models.Model):
    """A link from a partner's entry to a banked hash. A hash without links leaves the bank.

    `key`: the partner's key of the entry. `generation`: the full sync that last met it.
    """

    # Without an index of its own, for the same reason as `BankedHash.bank`.
    exchange = models.ForeignKey(
        Exchange, on_delete=models.CASCADE, related_name="signals", db_index=False
    )
    key = models.CharField(max_length=400)
    banked = models.ForeignKey(BankedHash, on_delete=models.CASCADE, related_name="+")
    generation = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("exchange", "key", "banked"), name="exchanges_signal_once"
            ),
        )


class Sync(models.Model):
    """One sync with a partner, and its addition to the bank."""

    exchange = models.ForeignKey(Exchange, on_delete=models.CASCADE, related_name="syncs")
    addition = models.ForeignKey(Addition, on_delete=models.PROTECT, related_name="+")
    entries = models.PositiveBigIntegerField(default=0)
    added = models.PositiveBigIntegerField(default=0)
    removed = models.PositiveBigIntegerField(default=0)
    began_at = models.DateTimeField(auto_now_add=True)


class Opinion(models.Model):
    """An opinion on a partner's hash: seen, confirmed, or a false positive."""

    banked = models.ForeignKey(BankedHash, on_delete=models.CASCADE, related_name="opinions")
    kind = models.CharField(max_length=20)
    given_by = models.CharField(max_length=200)
    given_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=200, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("banked", "kind"), name="exchanges_opinion_once"),
        )

    def __str__(self) -> str:
        return f"opinion:{self.pk}"
