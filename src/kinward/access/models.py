"""Staff who sign in, and API keys, of which only a hash is kept."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models

from kinward.access.roles import NEEDED, ROLES
from kinward.errors import Forbidden


class Staff(AbstractUser):
    """A person who works in the console."""

    role = models.CharField(max_length=20, choices=[(role, role) for role in ROLES])

    REQUIRED_FIELDS = ["role"]

    @property
    def actor(self) -> str:
        """How the ledger names this person."""
        return f"staff:{self.username}"

    def may(self, permission: str) -> bool:
        """Whether this person's role has a permission of `kinward.access.roles`."""
        return self.is_active and permission in ROLES.get(self.role, frozenset())

    def must(self, permission: str, doing: str) -> None:
        """Raise `Forbidden` unless this person's role has a permission that doing so needs."""
        if not self.may(permission):
            raise Forbidden(f"{doing} needs the role of {NEEDED[permission]}.")


class ApiKey(models.Model):
    """A key that the platform calls with. The secret part is shown once and kept as a hash."""

    name = models.CharField(max_length=80, unique=True)
    digest = models.BinaryField(unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> str:
        """How the ledger names this key."""
        return f"key:{self.name}"
