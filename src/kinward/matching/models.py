"""Banks and their hashes, and what was looked up."""

import uuid

from django.db import models

from kinward.matching.kinds import Confidence, HashKind
from kinward.people.models import Account

CONFIDENCES = [(value.value, value.value) for value in Confidence]
HASH_KINDS = [(value.value, value.value) for value in HashKind]


class Bank(models.Model):
    """A named set of hashes."""

    name = models.CharField(max_length=80, unique=True)
    description = models.TextField(default="")
    confidence = models.CharField(max_length=10, choices=CONFIDENCES)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Addition(models.Model):
    """One act of adding hashes to a bank: who, when, from where, and how sure."""

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="additions")
    provenance = models.CharField(max_length=200)
    confidence = models.CharField(max_length=10, choices=CONFIDENCES)
    added_by = models.CharField(max_length=200)
    added_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.bank} from {self.provenance}"


class BankVersion(models.Model):
    """A single row that counts changes to all banks; its lock puts them in order of commit."""

    version = models.BigIntegerField(default=0)


class BankedHash(models.Model):
    """A hash in a bank. A removed one stays as a row, so that every worker can see it go."""

    addition = models.ForeignKey(Addition, on_delete=models.PROTECT, related_name="hashes")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="hashes")
    kind = models.CharField(max_length=10, choices=HASH_KINDS)
    value = models.BinaryField()
    reference = models.CharField(max_length=200, default="")
    version = models.BigIntegerField()
    removed = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("bank", "kind", "value"), name="matching_hash_once"),
        )
        indexes = (
            models.Index(fields=("kind", "value"), name="matching_hash_value"),
            models.Index(fields=("version",), name="matching_hash_version"),
        )


class Check(models.Model):
    """One file that was checked, by its hashes; the bytes are not here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="checks")
    content_id = models.CharField(max_length=200)
    filename = models.CharField(max_length=255, default="")
    media_type = models.CharField(max_length=80, default="")
    size = models.BigIntegerField(null=True)
    frames = models.PositiveIntegerField(default=0)
    md5 = models.CharField(max_length=32, default="")
    sha1 = models.CharField(max_length=40, default="")
    sha256 = models.CharField(max_length=64, default="")
    pdq = models.CharField(max_length=64, default="")
    quality = models.PositiveSmallIntegerField(null=True)
    ip = models.GenericIPAddressField(null=True)
    port = models.PositiveIntegerField(null=True)
    uploaded_at = models.DateTimeField()
    public = models.BooleanField(null=True)
    matched = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("account", "content_id"), name="matching_check_content"),)
