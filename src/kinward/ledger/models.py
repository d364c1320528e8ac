"""The tables of the ledger.

Triggers (migrations 0002 and 0003) let all of them only grow, but for the words of some entries.
"""

from typing import Any

from django.db import models

from kinward.ledger.fields import AnyJson, CurrentTransaction, TransactionIdField


class Entry(models.Model):
    """One decision, act or look. `seq` is its number: later ones are greater, some are missing.

    Of two entries that wait for one lock, the later has the greater number. Each value has a salt,
    and a commitment to both that stays when value and salt are erased. `mac` is Kinward's, and none
    is older (`authenticity`). An entry of the former chain has a digest instead, which covers all
    of it and the `previous` digest.
    """

    seq = models.BigAutoField(primary_key=True)
    xid = TransactionIdField(null=True, db_default=CurrentTransaction())
    at = models.DateTimeField()
    actor = models.CharField(max_length=200, null=True)
    kind = models.CharField(max_length=80)
    subject = models.CharField(max_length=200, null=True)
    data: Any = models.JSONField(null=True, decoder=AnyJson)
    actor_salt = models.BinaryField(null=True)
    subject_salt = models.BinaryField(null=True)
    data_salt = models.BinaryField(null=True)
    actor_commitment = models.BinaryField(null=True)
    subject_commitment = models.BinaryField(null=True)
    data_commitment = models.BinaryField(null=True)
    mac = models.BinaryField(null=True)
    previous = models.BinaryField(null=True)
    digest = models.BinaryField(null=True)

    class Meta:
        ordering = ("seq",)
        indexes = (
            models.Index(fields=("subject", "seq"), name="ledger_subject"),
            models.Index(fields=("kind", "seq"), name="ledger_kind"),
            models.Index(
                fields=("xid", "seq"),
                condition=models.Q(xid__isnull=False),
                name="ledger_unsequenced",
            ),
            models.Index(
                fields=("seq",), condition=models.Q(digest__isnull=False), name="ledger_chained"
            ),
        )

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} {self.subject} by {self.actor}"


class Leaf(models.Model):
    """A leaf of the log, counted from 0. Without an entry it is the head of the former chain."""

    index = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(
        Entry, on_delete=models.DO_NOTHING, null=True, related_name="leaf", db_constraint=False
    )
    hash = models.BinaryField()

    class Meta:
        ordering = ("index",)

    def __str__(self) -> str:
        return f"leaf {self.index}"


class HashTile(models.Model):
    """A hash tile of the log: up to 256 hashes. It only grows: a partial one is its beginning."""

    id = models.BigAutoField(primary_key=True)
    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    data = models.BinaryField()

    class Meta:
        db_table = "ledger_tile"
        constraints = (models.UniqueConstraint(fields=("level", "index"), name="ledger_tile_once"),)

    def __str__(self) -> str:
        return f"tile {self.level}/{self.index}"


class Log(models.Model):
    """The one row of the log: its tree, how far entries are sequenced, and what was signed last.

    Every entry up to the position (a transaction, and a number in it) has its leaf. `cluster`: the
    database system in which transaction ids count. `generation`: it grows with each restore, and
    the origin with it, because another tree may have been shown under the one before. `macs_from`:
    the leaf from which on every entry has a MAC (`boundary`).
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    origin = models.CharField(max_length=255)
    generation = models.PositiveIntegerField(default=1)
    chained = models.BigIntegerField()  # entries of the former chain
    chain_head = models.BinaryField()
    frontier = models.BinaryField()
    size = models.BigIntegerField(default=0)
    position_xid = TransactionIdField()
    position_seq = models.BigIntegerField()
    cluster = models.BigIntegerField()
    ran_at = models.DateTimeField()
    signed_size = models.BigIntegerField(default=0)
    signed_root = models.BinaryField(default=b"")
    signed_at = models.DateTimeField(null=True)
    note = models.BinaryField(default=b"")  # the signed checkpoint that is shown
    vkey = models.CharField(max_length=400, default="")
    macs_from = models.BigIntegerField(null=True)
    macs_from_mac = models.BinaryField(default=b"")

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="ledger_log_one"),)

    def __str__(self) -> str:
        return f"{self.origin} of {self.size}"


class SignedTree(models.Model):
    """A checkpoint that was signed. The last one of each hour is kept."""

    id = models.BigAutoField(primary_key=True)
    origin = models.CharField(max_length=255)
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.BinaryField()
    vkey = models.CharField(max_length=400)
    at = models.DateTimeField()

    class Meta:
        ordering = ("size",)
        constraints = (
            models.UniqueConstraint(fields=("origin", "size"), name="ledger_signed_once"),
        )

    def __str__(self) -> str:
        return f"{self.origin} of {self.size}"


class LogRotation(models.Model):
    """A change of the key that signs the log: an entry, and the checkpoint that both keys signed.

    Until there is that checkpoint, the key before signs. `size`, `root` and `note` are its own.
    """

    id = models.BigAutoField(primary_key=True)
    origin = models.CharField(max_length=255)
    before = models.CharField(max_length=400)  # verifier keys
    after = models.CharField(max_length=400)
    entry = models.BigIntegerField(null=True)  # the number of its entry
    size = models.BigIntegerField(null=True)
    root = models.BinaryField(default=b"")
    note = models.BinaryField(default=b"")
    at = models.DateTimeField(auto_now_add=True)
    handed_over_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("after",), name="ledger_key_comes_once"),)

    def __str__(self) -> str:
        return f"rotation:{self.pk}"


class CosignedTree(models.Model):
    """A checkpoint with the cosignatures of witnesses. `is_met`: they are as many as agreed.

    The newest one is kept, and of each hour the last one with enough of them.
    """

    id = models.BigAutoField(primary_key=True)
    origin = models.CharField(max_length=255)
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.BinaryField()
    is_met = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("size",)
        constraints = (
            models.UniqueConstraint(fields=("origin", "size"), name="ledger_cosigned_once"),
        )

    def __str__(self) -> str:
        return f"{self.origin} of {self.size}"


class WitnessWord(models.Model):
    """What a witness said last. `size`: the largest tree that it cosigned. `problem`: "" if none.

    `alarming`: it claims to have seen another history of this log.
    """

    id = models.BigAutoField(primary_key=True)
    origin = models.CharField(max_length=255)
    witness = models.CharField(max_length=255)
    size = models.BigIntegerField()
    problem = models.CharField(max_length=500, default="")
    alarming = models.BooleanField(default=False)
    asked_at = models.DateTimeField()
    cosigned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("origin", "witness"), name="ledger_one_word"),
        )

    def __str__(self) -> str:
        return f"{self.witness} of {self.origin}"


class HolderWord(models.Model):
    """How far a holder outside has received the log. `size`: the largest tree that arrived there.

    `tried`: the tree of the last attempt. `failures`: attempts since one succeeded.
    `alarming`: it holds another history of this log.
    """

    id = models.BigAutoField(primary_key=True)
    origin = models.CharField(max_length=255)
    holder = models.CharField(max_length=20)
    size = models.BigIntegerField(default=0)
    tried = models.BigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, default="")
    alarming = models.BooleanField(default=False)
    tried_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("origin", "holder"), name="ledger_one_holder"),
        )

    def __str__(self) -> str:
        return f"{self.holder} of {self.origin}"


class StampedTree(models.Model):
    """A checkpoint with the time that a timestamp authority gave it (RFC 3161).

    `response`: what the authority answered about the text of the checkpoint. `at`: its time.
    """

    id = models.BigAutoField(primary_key=True)
    origin = models.CharField(max_length=255)
    size = models.BigIntegerField()
    root = models.BinaryField()
    response = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("size",)
        constraints = (
            models.UniqueConstraint(fields=("origin", "size"), name="ledger_stamped_once"),
        )

    def __str__(self) -> str:
        return f"{self.origin} of {self.size}"


class Words(models.Model):
    """What a person typed for an entry, which holds the digest. Erased, the entry stays."""

    digest = models.CharField(max_length=64, primary_key=True)
    salt = models.BinaryField()
    text = models.TextField()

    def __str__(self) -> str:
        return f"words:{self.digest}"
