"""Editions of the guidelines, each proposed by one person and approved by another."""

from django.db import models

from kinward.access import Permission
from kinward.access.api import PROPOSED, TwoPeopleAnywhere


class Pinned(models.Model):
    """The document that this installation began with. It is in force until an edition is approved.

    There is at most one row, and it never changes.
    """

    text = models.TextField()
    pinned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(pk=1), name="guidelines_pinned_once"),
        )


class Edition(TwoPeopleAnywhere):
    """One version of the guidelines, which never changes, with its simulation over past cases.

    The edition that was approved last is in force.
    """

    permission = Permission.CHANGE_GUIDELINES
    words = PROPOSED

    name = models.CharField(max_length=60)
    version = models.CharField(max_length=40)
    text = models.TextField()
    base = models.CharField(max_length=101)  # the label of what was in force when it was proposed
    why = models.TextField()
    counted = models.BigIntegerField(default=0)  # cases simulated so far
    total = models.BigIntegerField(default=0)
    simulation = models.JSONField(null=True)

    class Meta(TwoPeopleAnywhere.Meta):
        constraints = (
            *TwoPeopleAnywhere.Meta.constraints,
            models.UniqueConstraint(fields=("name", "version"), name="guidelines_version_once"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
