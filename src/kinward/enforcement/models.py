"""The actions, and what the platform answered to each; sanctions, strikes, blocked identifiers."""

import uuid

from django.db import models
from django.db.models import Q

from kinward.casebook.api import Case
from kinward.ground.text import MAX_ID
from kinward.people.api import Account


class Effect(models.TextChoices):
    """What an action does to its target."""

    QUARANTINE = "quarantine"
    REMOVE = "remove"
    RESTRICT = "restrict"
    SUSPEND = "suspend"
    TERMINATE = "terminate"
    RESTORE = "restore"
    NOTIFY = "notify"


class Target(models.TextChoices):
    """What an action is about."""

    CONTENT = "content"
    ACCOUNT = "account"
    NOTICE = "notice"  # something to tell the account holder; notices do not supersede each other


class ActionState(models.TextChoices):
    """Where an action stands."""

    PENDING = "pending"  # a job is at work on it, or will be
    DELIVERED = "delivered"  # the platform accepted it
    PARKED = "parked"  # given up after days; a person must look, and can replay it
    SUPERSEDED = "superseded"  # taken back before it was delivered


class Action(models.Model):
    """One effect on one target, asked for by a case or a birthday. `number` orders them."""

    number = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=uuid.uuid4)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+", null=True)
    notice = models.JSONField(null=True)
    standing = models.JSONField(null=True)  # how the account stands from this action on
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="actions")
    effect = models.CharField(max_length=12, choices=Effect.choices)
    target_kind = models.CharField(max_length=8, choices=Target.choices)
    target = models.CharField(max_length=MAX_ID)
    state = models.CharField(
        max_length=12, choices=ActionState.choices, default=ActionState.PENDING
    )
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    answer_status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("case", "effect", "target_kind", "target"),
                condition=Q(target_kind="content"),
                name="enforcement_once",
            ),
        )
        indexes = (
            models.Index(fields=("state", "number"), name="enforcement_state"),
            models.Index(
                fields=("account", "target_kind", "target", "number"), name="enforcement_target"
            ),
        )

    def __str__(self) -> str:
        return f"action:{self.id}"

    @property
    def type(self) -> str:
        """The webhook's event type, such as `account.suspend`."""
        return f"{self.target_kind}.{self.effect}"


class Removal(models.Model):
    """One case keeps some bytes, and so each copy of them, removed."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    began_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "sha256"), name="enforcement_removal_once"),
        )
        indexes = (
            models.Index(
                fields=("sha256",), condition=Q(ended_at=None), name="enforcement_removed"
            ),
        )


class SanctionKind(models.TextChoices):
    """What a sanction takes from an account."""

    RESTRICT = "restrict"
    SUSPEND = "suspend"
    TERMINATE = "terminate"


class Sanction(models.Model):
    """What one case took from an account. How it stands follows from all sanctions that hold."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="sanctions")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=SanctionKind.choices)
    capabilities = models.JSONField(default=list)
    began_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=80, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("case", "account"),
                condition=Q(ended_at=None),
                name="enforcement_one_sanction",
            ),
            models.CheckConstraint(
                condition=~Q(kind="terminate") | Q(until=None), name="enforcement_end_is_the_end"
            ),
        )
        indexes = (
            models.Index(
                fields=("until",),
                condition=Q(ended_at=None, until__isnull=False),
                name="enforcement_due",
            ),
        )

    def __str__(self) -> str:
        return f"sanction:{self.id}"


class Strike(models.Model):
    """That a verdict counted against an account, up to a day, unless it was taken back."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="strikes")
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="+")
    clause = models.CharField(max_length=10)
    count = models.PositiveSmallIntegerField()
    given_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True)


class BlockedIdentifier(models.Model):
    """A keyed hash of something that a terminated account had: no new account may have it."""

    digest = models.BinaryField(db_index=True)
    kind = models.CharField(max_length=10)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    blocked_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "digest"), name="enforcement_blocked_once"),
        )
