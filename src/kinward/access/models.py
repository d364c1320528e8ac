"""Staff accounts, and API keys, which are stored as hashes only."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models

from kinward.access.actor import Actor, ActorKind
from kinward.access.permissions import Permission
from kinward.access.roles import ROLES


class Staff(AbstractUser):
    """A person who works in the console."""

    role = models.CharField(max_length=20, choices=[(role, role) for role in ROLES])

    REQUIRED_FIELDS = ["role"]

    @property
    def actor(self) -> Actor:
        """This person as an actor, with their role's permissions while they are active."""
        allowed = ROLES.get(self.role, frozenset()) if self.is_active else frozenset()
        return Actor(ActorKind.STAFF, self.username, allowed)

    def may(self, permission: Permission) -> bool:
        """Return whether this person has a permission."""
        return self.actor.may(permission)

    def must(self, permission: Permission) -> None:
        """Raise `Forbidden` unless this person has a permission."""
        self.actor.must(permission)


class ApiKey(models.Model):
    """A key for the platform's calls. Its secret is shown once and stored as a hash."""

    name = models.CharField(max_length=80, unique=True)
    digest = models.BinaryField(unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> Actor:
        """This key as an actor. The gate checks its scopes."""
        return Actor.key(self.name)


class Refusal(models.Model):
    """How many calls the gate refused for one reason in one minute."""

    minute = models.DateTimeField()
    reason = models.CharField(max_length=60)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("minute", "reason"), name="access_refusal_once"),
        )

    def __str__(self) -> str:
        return f"{self.reason} {self.minute:%H:%M}"
