"""The editions of the guidelines: each proposed by one person and decided by another."""

import uuid

from django.db import models
from django.db.models import F, Q

from kinward.access.models import Staff


class EditionState(models.TextChoices):
    """Where an edition stands. The one approved last is in force."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


class Edition(models.Model):
    """One document of guidelines at a version, which never changes, and what it would have done."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=60)
    version = models.CharField(max_length=40)
    text = models.TextField()
    why = models.TextField()
    state = models.CharField(
        max_length=10, choices=EditionState.choices, default=EditionState.PROPOSED
    )
    proposed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+", null=True)
    decided_at = models.DateTimeField(null=True)
    counted = models.BigIntegerField(default=0)  # cases simulated so far
    total = models.BigIntegerField(default=0)
    simulation = models.JSONField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("name", "version"), name="guidelines_version_once"),
            models.CheckConstraint(
                condition=~Q(state="approved")
                | (Q(decided_by__isnull=False) & ~Q(decided_by=F("proposed_by"))),
                name="guidelines_two_people",
            ),
        )
        ordering = ("-proposed_at",)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
