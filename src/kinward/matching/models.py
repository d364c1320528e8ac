"""Banks, their hashes, and the checks of uploaded content."""

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
    """The SHA-256 of bytes, computed by PostgreSQL. It indexes values of any length."""

    function = "sha256"
    output_field = models.BinaryField()


class Bank(models.Model):
    """A named set of hashes."""

    name = models.CharField(max_length=80, unique=True)
    description = models.TextField(default="")
    confidence = models.CharField(max_length=10, choices=CONFIDENCES)
    created_at = models.DateTimeField(auto_now_add=True)
    disabled = models.BooleanField(default=False)  # keeps its hashes but matches nothing

    def __str__(self) -> str:
        return self.name


class Addition(models.Model):
    """An addition of hashes to a bank: who, when, from where, and how sure."""

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="additions")
    provenance = models.CharField(max_length=200)
    confidence = models.CharField(max_length=10, choices=CONFIDENCES)
    added_by = models.CharField(max_length=200)
    added_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.bank} from {self.provenance}"


class BankVersion(models.Model):
    """A single row that counts changes to all banks. Its lock orders them by commit."""

    version = models.BigIntegerField(default=0)


class IndexSnapshot(models.Model):
    """A snapshot of the index on some machine. Its file is named by this id.

    The row is the only way to the file. A database restored from an older backup lacks the row, so
    a file that is newer than the database is never read.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    version = models.BigIntegerField()
    hashes = models.BigIntegerField()
    written_at = models.DateTimeField(auto_now_add=True)


class BankedHashes(models.QuerySet["BankedHash"]):
    """Queries for banked hashes."""

    def live(self) -> "BankedHashes":
        """Return the hashes that match: not removed, no false positive, in no disabled bank."""
        return self.filter(removed=False, false_positive=False, bank__disabled=False)


class BankedHash(models.Model):
    """A hash in a bank. A removed hash keeps its row, so that every process learns of the removal.

    `value`: the bytes of a hash, the UTF-8 of a URL or keyword in normal form, or the text that a
    partner sends for a kind that is carried and not computed here.
    """

    addition = models.ForeignKey(Addition, on_delete=models.PROTECT, related_name="hashes")
    # Without an index of its own: that of `matching_hash_once` begins with the bank, and a planner
    # that knows nothing of a table yet must not prefer a worse one.
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="hashes", db_index=False)
    kind = models.CharField(max_length=40)
    value = models.BinaryField()
    reference = models.CharField(max_length=MAX_REFERENCE, default="")
    # The list's own label, such as `A1` or `vic 2.0 US: 1`.
    label = models.CharField(max_length=MAX_LABEL, default="")
    version = models.BigIntegerField()
    removed = models.BooleanField(default=False)
    false_positive = models.BooleanField(default=False)  # marked by a person; it no longer matches

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
    """A check of one uploaded file: its hashes, without its bytes."""

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
    # The perceptual hash of its medium, and the kind of that hash.
    signature = models.BinaryField(default=b"")
    signature_kind = models.CharField(max_length=40, default="")
    # What else a viewer would show, as `views.pack_views` writes it.
    views = models.BinaryField(default=b"")
    quality = models.PositiveSmallIntegerField(null=True)  # of the signature, if its kind has one
    ip = models.GenericIPAddressField(null=True)
    port = models.PositiveIntegerField(null=True)
    uploaded_at = models.DateTimeField()
    public = models.BooleanField(null=True)
    # Ids of accounts.
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
        """The PDQ hash in hex; empty if the file is not an image."""
        return bytes(self.signature).hex() if self.signature_kind == Pdq.name else ""


class Unheld(models.Model):
    """A check that is not packed into a block yet."""

    check_made = models.OneToOneField(
        Check, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )


class HeldBlock(models.Model):
    """A block of uploaded content: records in one of the formats of `uploaded`."""

    format = models.PositiveSmallIntegerField(default=1)
    count = models.PositiveIntegerField()
    records = models.BinaryField()


class RetroRun(models.Model):
    """A run of new hashes against all uploaded content. Its progress lets it resume."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    since = models.BigIntegerField()  # hashes of a later bank version than this …
    upto = models.BigIntegerField()  # … up to this one
    hashes = models.BigIntegerField(default=0)
    block = models.BigIntegerField(default=0)  # the last block compared
    held = models.BigIntegerField(default=0)  # records compared so far
    found = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"retro:{self.id}"
