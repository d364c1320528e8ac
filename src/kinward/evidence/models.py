"""The table of the vault. A case's transaction seals ciphertext into it; a job may move it."""

import uuid

from django.db import models
from django.db.models import Q

from kinward.access import Permission
from kinward.access.api import TwoPeopleAnywhere
from kinward.casebook.api import Case
from kinward.ground.text import MAX_ID
from kinward.matching.api import Check


class Evidence(models.Model):
    """One sealed file of one case."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    # None for an excerpt of a chat, which is text and needs no check.
    check_made = models.ForeignKey(Check, on_delete=models.PROTECT, null=True, related_name="+")
    content_id = models.CharField(max_length=MAX_ID)
    sha256 = models.CharField(max_length=64)
    md5 = models.CharField(max_length=32, default="")  # of an excerpt
    size = models.BigIntegerField()
    moving = models.BooleanField(default=False)
    decodable = models.BooleanField(default=True)
    ciphertext = models.BinaryField(null=True)
    location = models.CharField(max_length=400, default="")  # in the store, once it is there
    sealed_sha256 = models.CharField(max_length=64, default="")  # of the ciphertext
    wrapped_key = models.BinaryField(null=True)
    key_id = models.CharField(max_length=400)
    mac = models.BinaryField(default=b"")  # over all above: see `authenticity`
    sealed_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    hold_reference = models.CharField(max_length=200, default="")
    hold_ended_at = models.DateTimeField(null=True)  # of the latest legal hold, if it ended
    destroyed_at = models.DateTimeField(null=True)
    scrubbed_at = models.DateTimeField(null=True)
    damaged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("case", "content_id", "sha256"), name="evidence_once_per_case"
            ),
            models.CheckConstraint(
                condition=Q(destroyed_at=None) | Q(wrapped_key=None, ciphertext=None),
                name="evidence_destroyed_is_gone",
            ),
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=False)
                | Q(ciphertext__isnull=False)
                | ~Q(location=""),
                name="evidence_is_somewhere",
            ),
        )
        indexes = (
            models.Index(
                fields=("sealed_at",), condition=Q(ciphertext__isnull=False), name="evidence_here"
            ),
            models.Index(
                fields=("expires_at",), condition=Q(destroyed_at=None), name="evidence_due"
            ),
        )

    def __str__(self) -> str:
        return f"evidence:{self.id}"

    @property
    def is_excerpt(self) -> bool:
        """Whether this is an excerpt of a chat, and not a checked file."""
        return self.check_made_id is None


class HoldEnding(TwoPeopleAnywhere):
    """A request to lift the legal hold of a case, by its reference."""

    permission = Permission.HOLD_EVIDENCE
    words = {"approved": "lifted"}
    breakable = False  # what it keeps is destroyed a week later

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=200)
    why = models.TextField()

    class Meta(TwoPeopleAnywhere.Meta):
        constraints = (
            *TwoPeopleAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("case",),
                condition=Q(state="asked", went_ahead_at=None),
                name="evidence_one_hold_ending",
            ),
        )

    def __str__(self) -> str:
        return f"hold_ending:{self.id}"
