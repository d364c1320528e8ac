"""Which cases back the hashes of our own bank."""

from django.db import models

from kinward.casebook.api import Case
from kinward.matching.api import BankedHash


class Backing(models.Model):
    """A case backs a hash of our own bank. The hash stays while any case backs it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    hash = models.ForeignKey(BankedHash, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "hash"), name="verdicts_backing_once"),
        )
