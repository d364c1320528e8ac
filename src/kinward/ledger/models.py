"""The ledger's one table. A trigger (migration 0002) refuses every update, delete and truncate."""

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
