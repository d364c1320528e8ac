"""Which cases stand behind the hashes of our own bank."""

from django.db import models

from kinward.casebook.api import Case
from kinward.matching.api import BankedHash


class Backing(models.Model):
    """That a case stands behind a hash of our own bank, which stays for as long as one does."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    hash = models.ForeignKey(BankedHash, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "hash"), name="verdicts_backing_once"),
        )
