"""The ledger's entries, and the words of some of them.

A trigger (migration 0002) refuses every update, delete and truncate of an entry.
"""

from django.db import models


class Entry(models.Model):
    """One decision, act or look."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    kind = models.CharField(max_length=80)
    subject = models.CharField(max_length=200)
    data = models.JSONField()
    previous = models.BinaryField()
    digest = models.BinaryField()

    class Meta:
        ordering = ("seq",)
        indexes = (
            models.Index(fields=("subject", "seq"), name="ledger_subject"),
            models.Index(fields=("kind", "seq"), name="ledger_kind"),
        )

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} {self.subject} by {self.actor}"


class Words(models.Model):
    """What a person typed for an entry, which holds the digest. Erased, the entry stays."""

    digest = models.CharField(max_length=64, primary_key=True)
    salt = models.BinaryField()
    text = models.TextField()

    def __str__(self) -> str:
        return f"words:{self.digest}"
