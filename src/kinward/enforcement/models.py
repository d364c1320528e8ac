"""Actions with the platform's answers, removals, sanctions, strikes, blocked identifiers."""

import uuid

from django.db import models
from django.db.models import Q

from kinward.casebook.api import Case
from kinward.ground.text import MAX_ID
from kinward.people.api import Account


class Effect(models.TextChoices):
    """The effect of an action on its target."""

    QUARANTINE = "quarantine"
    REMOVE = "remove"
    RESTRICT = "restrict"
    SUSPEND = "suspend"
    TERMINATE = "terminate"
    RESTORE = "restore"
    NOTIFY = "notify"


class Target(models.TextChoices):
    """The kind of an action's target."""

    CONTENT = "content"
    ACCOUNT = "account"
    NOTICE = "notice"  # for the account holder; notices do not supersede each other


class ActionState(models.TextChoices):
    """The state of an action."""

    PENDING = "pending"  # a job delivers it, or will
    DELIVERED = "delivered"  # the platform accepted it
    PARKED = "parked"  # given up after days of trying; a person must look, and can replay it
    SUPERSEDED = "superseded"  # taken back before it was delivered


class Action(models.Model):
    """One effect on one target, issued for a case or a birthday. `number` orders the actions."""

    number = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=uuid.uuid4)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+", null=True)
    notice = models.JSONField(null=True)
    standing = models.JSONField(null=True)  # the account's, from this action on
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
    """A case keeps some bytes removed, and so every copy of them."""

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
    """The kind of a sanction."""

    RESTRICT = "restrict"
    SUSPEND = "suspend"
    TERMINATE = "terminate"


class Sanction(models.Model):
    """A sanction that one case imposed. All live sanctions together make the account's standing."""

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
    """A verdict that counts against an account until it expires or is taken back."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="strikes")
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="+")
    clause = models.CharField(max_length=10)
    count = models.PositiveSmallIntegerField()
    given_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True)


class BlockedIdentifier(models.Model):
    """A keyed hash of a terminated account's identifier, which no new account may have.

    It has no case once the account was erased. Then nothing lifts it, and nobody can tell whose it
    was.
    """

    digest = models.BinaryField(db_index=True)
    kind = models.CharField(max_length=10)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="+")
    blocked_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "digest"), name="enforcement_blocked_once"),
        )
