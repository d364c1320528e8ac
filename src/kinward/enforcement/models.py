"""The actions, and what the platform answered to each."""

import uuid

from django.db import models

from kinward.people.models import Account


class Effect(models.TextChoices):
    """What an action does to its target."""

    QUARANTINE = "quarantine"
    REMOVE = "remove"
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
    case_id = models.UUIDField(db_index=True, null=True)
    notice = models.JSONField(null=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="actions")
    effect = models.CharField(max_length=12, choices=Effect.choices)
    target_kind = models.CharField(max_length=8, choices=Target.choices)
    target = models.CharField(max_length=200)
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
                fields=("case_id", "effect", "target_kind", "target"), name="enforcement_once"
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
