"""The editions of the guidelines: each proposed by one person and decided by another."""

from django.db import models

from kinward.access import Permission
from kinward.access.api import PROPOSED, TwoPeople


class Edition(TwoPeople):
    """One document of guidelines at a version, which never changes, and what it would have done.

    The edition approved last is in force.
    """

    permission = Permission.CHANGE_GUIDELINES
    words = PROPOSED

    name = models.CharField(max_length=60)
    version = models.CharField(max_length=40)
    text = models.TextField()
    why = models.TextField()
    counted = models.BigIntegerField(default=0)  # cases simulated so far
    total = models.BigIntegerField(default=0)
    simulation = models.JSONField(null=True)

    class Meta(TwoPeople.Meta):
        constraints = (
            *TwoPeople.Meta.constraints,
            models.UniqueConstraint(fields=("name", "version"), name="guidelines_version_once"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
