"""Banks and their hashes, and what was looked up."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from kinward.ground.text import MAX_ID
from kinward.matching.confidence import Confidence
from kinward.matching.hashlists import MAX_LABEL, MAX_REFERENCE
from kinward.matching.kinds import Pdq
from kinward.people.api import Account

CONFIDENCES = [(value.value, value.value) for value in Confidence]


class Sha256(models.Func):
    """The SHA-256 of bytes, as PostgreSQL computes it; values are found by it, however long."""

    function = "sha256"
    output_field = models.BinaryField()


class Bank(models.Model):
    """A named set of hashes."""

    name = models.CharField(max_length=80, unique=True)
    description = models.TextField(default="")
    confidence = models.CharField(max_length=10, choices=CONFIDENCES)
    created_at = models.DateTimeField(auto_now_add=True)
    disabled = models.BooleanField(default=False)  # keeps its hashes, and matches nothing

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


class IndexSnapshot(models.Model):
    """A snapshot of the index that some machine wrote: its file has this id, and this version.

    A database that was restored from before it does not know it, and so nobody reads its file.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    version = models.BigIntegerField()
    hashes = models.BigIntegerField()
    written_at = models.DateTimeField(auto_now_add=True)


class BankedHashes(models.QuerySet["BankedHash"]):
    """Banked hashes, and which of them match."""

    def live(self) -> "BankedHashes":
        """Those that match: not removed, not called wrong, and of no disabled bank."""
        return self.filter(removed=False, false_positive=False, bank__disabled=False)


class BankedHash(models.Model):
    """A hash in a bank. A removed one stays as a row, so that every worker can see it go.

    `value` is as the list has it: bytes of a hash, UTF-8 of a URL or keyword in normal form, or
    whatever a partner sends of a kind that is carried and not matched.
    """

    addition = models.ForeignKey(Addition, on_delete=models.PROTECT, related_name="hashes")
    # Without an index of its own: that of `matching_hash_once` begins with the bank, and a planner
    # that knows nothing of a table yet must not prefer a worse one.
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="hashes", db_index=False)
    kind = models.CharField(max_length=40)
    value = models.BinaryField()
    reference = models.CharField(max_length=MAX_REFERENCE, default="")
    # What the list calls it: A1, vic 2.0 US: 1.
    label = models.CharField(max_length=MAX_LABEL, default="")
    version = models.BigIntegerField()
    removed = models.BooleanField(default=False)
    false_positive = models.BooleanField(default=False)  # a person said so: it matches no more

    objects = BankedHashes.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint("bank", "kind", Sha256("value"), name="matching_hash_once"),
        )
        indexes = (
            models.Index("kind", Sha256("value"), name="matching_hash_value"),
            models.Index(fields=("version",), name="matching_hash_version"),
        )

    def __str__(self) -> str:
        return f"hash:{self.pk}"


class Check(models.Model):
    """One file that was checked, by its hashes; the bytes are not here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="checks")
    content_id = models.CharField(max_length=MAX_ID)
    filename = models.CharField(max_length=255, default="")
    media_type = models.CharField(max_length=80, default="")
    size = models.BigIntegerField(null=True)
    frames = models.PositiveIntegerField(default=0)
    md5 = models.CharField(max_length=32, default="")
    sha1 = models.CharField(max_length=40, default="")
    sha256 = models.CharField(max_length=64, default="")
    # What its medium is known by, and the kind of hash that this is.
    signature = models.BinaryField(default=b"")
    signature_kind = models.CharField(max_length=40, default="")
    quality = models.PositiveSmallIntegerField(null=True)  # of the signature, where its kind has it
    ip = models.GenericIPAddressField(null=True)
    port = models.PositiveIntegerField(null=True)
    uploaded_at = models.DateTimeField()
    public = models.BooleanField(null=True)
    # Accounts, by their ids.
    sent_to = ArrayField(models.CharField(max_length=MAX_ID), default=list)
    matched = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (
            models.Index(fields=("account", "content_id"), name="matching_check_content"),
            models.Index(
                fields=("sha256",), condition=~models.Q(sha256=""), name="matching_check_copies"
            ),
        )

    @property
    def pdq(self) -> str:
        """The PDQ hash of a picture, in hex; empty for what is none."""
        return bytes(self.signature).hex() if self.signature_kind == Pdq.name else ""


class Unheld(models.Model):
    """A check whose hashes are not in a block yet."""

    check_made = models.OneToOneField(
        Check, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )


class HeldBlock(models.Model):
    """What the platform holds, by its hashes: records in one of the formats that `held` reads."""

    format = models.PositiveSmallIntegerField(default=1)
    count = models.PositiveIntegerField()
    records = models.BinaryField()


class RetroRun(models.Model):
    """New hashes joined against everything held: how far it came, so that it goes on from there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    since = models.BigIntegerField()  # hashes of a later bank version than this …
    upto = models.BigIntegerField()  # … up to this one
    hashes = models.BigIntegerField(default=0)
    block = models.BigIntegerField(default=0)  # the last block that is done
    held = models.BigIntegerField(default=0)  # records compared so far
    found = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"retro:{self.id}"
