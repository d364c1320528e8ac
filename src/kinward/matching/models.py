"""Banks, their hashes, and the checks of uploaded content."""

import uuid
from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from kinward.ground.fields import AddressField
from kinward.ground.text import MAX_ID
from kinward.matching.confidence import Confidence
from kinward.matching.hashlists import MAX_LABEL, MAX_REFERENCE
from kinward.matching.kinds import Pdq
from kinward.matching.layout import RADIUS
from kinward.people.api import Account

CONFIDENCES = [(value.value, value.value) for value in Confidence]


class Role(StrEnum):
    """What a hit on a bank means."""

    LIVE = "live"  # a match
    SHADOW = "shadow"  # recorded for staff, without any consequence
    NEGATIVE = "negative"  # what looks like this is no match, once two people agreed


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
    role = models.CharField(max_length=10, default=Role.LIVE)
    distance = models.PositiveSmallIntegerField(default=RADIUS)  # bits; farther is no hit
    enabled_ratio = models.FloatField(default=1.0)  # the share of lookups that ask this bank
    # Hashes of a negative bank silence matches up to this id: two people agreed to those.
    silences_upto = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    role__in=[role.value for role in Role],
                    distance__lte=RADIUS,
                    enabled_ratio__gte=0,
                    enabled_ratio__lte=1,
                ),
                name="matching_bank_rules",
            ),
            models.CheckConstraint(
                condition=Q(role=Role.NEGATIVE.value) | Q(silences_upto=0),
                name="matching_only_negative_silences",
            ),
        )

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


class Withdrawal(models.Model):
    """Hashes that left a bank at once without a person's word. Kept for a day."""

    bank = models.ForeignKey(
        Bank, on_delete=models.CASCADE, related_name="withdrawals", db_index=False
    )
    at = models.DateTimeField(auto_now_add=True)
    hashes = models.PositiveBigIntegerField()

    class Meta:
        indexes = (models.Index(fields=("bank", "at"), name="matching_withdrawal_window"),)


class WithdrawalAllowance(models.Model):
    """A person's word that so many more hashes may leave a bank until a time."""

    bank = models.OneToOneField(
        Bank, on_delete=models.CASCADE, primary_key=True, related_name="withdrawal_allowance"
    )
    hashes = models.PositiveBigIntegerField()
    until = models.DateTimeField()
    allowed_by = models.CharField(max_length=200)


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
        """Return the hashes in force: not removed, no false positive, in no disabled bank.

        What a hit on one means depends on its bank: see `rules`.
        """
        return self.filter(removed=False, false_positive=False, bank__disabled=False)

    def silencing(self) -> "BankedHashes":
        """Return the live hashes that silence matches: two people agreed to them."""
        return self.live().filter(bank__role=Role.NEGATIVE, pk__lte=models.F("bank__silences_upto"))


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
    ip = AddressField(null=True)
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


class QuietHit(models.Model):
    """A hit of a checked file that had no consequence: on a shadow bank, or silenced.

    `silenced_by`: the hash of a negative bank that silenced it; none for a hit on a shadow bank.
    """

    hash = models.ForeignKey(BankedHash, on_delete=models.CASCADE, related_name="+")
    check_made = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="+")
    silenced_by = models.ForeignKey(
        BankedHash, on_delete=models.CASCADE, null=True, related_name="+"
    )
    distance = models.PositiveSmallIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("hash", "check_made"), name="matching_quiet_once"),
        )


class HashHit(models.Model):
    """An account hit a banked hash, and when it last did. Only matches are counted."""

    hash = models.ForeignKey(
        BankedHash, on_delete=models.CASCADE, related_name="hits", db_index=False
    )
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("hash", "account"), name="matching_hit_once"),
        )
        indexes = (models.Index(fields=("hash", "-at"), name="matching_hit_window"),)


class Flood(models.Model):
    """The flood guard of one banked hash. Its row lock orders the hits on that hash.

    It holds from `began_at` until a person settles it. The row exists from the first match on.
    """

    hash = models.OneToOneField(
        BankedHash, on_delete=models.CASCADE, primary_key=True, related_name="flood"
    )
    began_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=200, default="")
    right = models.BooleanField(null=True)  # what the person said of the hash

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by="", right=None)
                | Q(settled_at__isnull=False, right__isnull=False) & ~Q(settled_by=""),
                name="matching_flood_settled_by_somebody",
            ),
        )
        indexes = (
            models.Index(
                fields=("began_at",),
                condition=Q(began_at__isnull=False, settled_at=None),
                name="matching_floods_open",
            ),
        )

    def __str__(self) -> str:
        return f"hash:{self.pk}"

    @property
    def holds(self) -> bool:
        """Whether hits on the hash wait for a person."""
        return self.began_at is not None and self.settled_at is None
