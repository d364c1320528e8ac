"""Comparisons of the tables with the ledger, and the differences that nothing explains."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull


class Run(models.Model):
    """One comparison. `step` and `after` are how far it has come, so that it resumes there.

    `since`: only what changed since then; None for everything. `problem`: why it stopped.
    """

    since = models.DateTimeField(null=True)
    began_at = models.DateTimeField(auto_now_add=True)
    moved_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=200, default="")
    after = models.CharField(max_length=200, default="")
    rows = models.BigIntegerField(default=0)
    entries = models.BigIntegerField(default=0)
    found = models.BigIntegerField(default=0)
    explained = models.JSONField(default=dict)
    problem = models.TextField(default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                IsNull(F("finished_at"), rhs=True),
                condition=Q(finished_at=None),
                name="reconciliation_one_run",
            ),
        )

    def __str__(self) -> str:
        return f"reconciliation:{self.pk}"


class Difference(models.Model):
    """A row and the ledger differ, and no rule explains it. It ends when it is not found again.

    `what` is one of `gaps.What`. `detail`: the field that differs, or what a check said.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    counterpart = models.CharField(max_length=80)
    subject = models.CharField(max_length=300)
    key = models.CharField(max_length=420)
    what = models.CharField(max_length=20)
    kind = models.CharField(max_length=80, default="")
    detail = models.CharField(max_length=300, default="")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="differences")
    found_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("counterpart", "key", "what", "kind", "detail"),
                condition=Q(ended_at=None),
                name="reconciliation_difference_once",
            ),
        )
        ordering = ("found_at", "id")

    def __str__(self) -> str:
        return f"difference:{self.id}"
