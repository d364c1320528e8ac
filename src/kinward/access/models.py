"""Staff accounts, API keys (stored as hashes only), refusals, and what an operator did alone."""

import uuid
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from kinward.access.actor import Actor, ActorKind
from kinward.access.permissions import Permission
from kinward.access.roles import ROLES, permissions_of

SESSION: Final = "kinward.access.session"


class Staff(AbstractUser):
    """A person who works in the console."""

    # None before the first is confirmed. Each once, in the order in which they are declared.
    roles = ArrayField(
        models.CharField(max_length=20, choices=[(role, role) for role in ROLES]),
        default=list,
        db_default=[],
    )
    added_by = models.CharField(max_length=200, blank=True)  # an actor
    ended_at = models.DateTimeField(null=True)  # for good; who is suspended is only not active
    power_lost_at = models.DateTimeField(null=True)  # the last suspension, end or loss of a role
    seen_at = models.DateTimeField(null=True)  # the last request, to within some minutes
    sign_outs = models.IntegerField(default=0)  # a session from before the last one is over

    REQUIRED_FIELDS = []

    class Meta(AbstractUser.Meta):
        abstract = False
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(is_active=False), name="access_ended_stays_ended"
            ),
        )

    def get_session_auth_hash(self) -> str:
        """Return what a session keeps, and loses its sign-in by when it differs."""
        return self._session_hash(settings.SECRET_KEY)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield what sessions keep that were signed with an earlier secret."""
        return map(self._session_hash, settings.SECRET_KEY_FALLBACKS)

    def _session_hash(self, secret: str | bytes) -> str:
        told = f"{self.password}:{self.sign_outs}"
        return salted_hmac(SESSION, told, secret=secret, algorithm="sha256").hexdigest()

    @property
    def state(self) -> str:
        """Active, suspended or ended."""
        if self.is_active:
            return "active"
        return "ended" if self.ended_at else "suspended"

    @property
    def actor(self) -> Actor:
        """This person as an actor, with what all their roles allow while they are active."""
        allowed = permissions_of(self.roles) if self.is_active else frozenset()
        return Actor(ActorKind.STAFF, self.username, allowed)

    def may(self, permission: Permission) -> bool:
        """Return whether this person has a permission."""
        return self.actor.may(permission)

    def must(self, permission: Permission) -> None:
        """Raise `Forbidden` unless this person has a permission."""
        self.actor.must(permission)


class ApiKey(models.Model):
    """A key for the platform's calls. Its secret is shown once and stored as a hash.

    A key from before purposes has none, no owner, and no day on which it expires.
    """

    name = models.CharField(max_length=80, unique=True)
    digest = models.BinaryField(unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    purposes = ArrayField(models.CharField(max_length=20), default=list)
    # A person, or a service.
    owner = models.CharField(max_length=150, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    # The secret before a rotation, and until when it is valid beside the new one.
    previous_digest = models.BinaryField(null=True, unique=True)
    previous_until = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    # Somebody else had it.
    compromised = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> Actor:
        """This key as an actor. The gate checks its scopes."""
        return Actor.key(self.name)


class KeyUse(models.Model):
    """How often a key called one endpoint on one day."""

    day = models.DateField()
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="uses")
    endpoint = models.CharField(max_length=120)  # a line of the table of routes
    count = models.BigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("day", "key", "endpoint"), name="access_use_once"),
        )

    def __str__(self) -> str:
        return f"{self.endpoint} {self.day}"


class StaffIdentity(models.Model):
    """Whom a provider of single sign-on knows a member of the staff as."""

    staff = models.OneToOneField(Staff, on_delete=models.PROTECT, related_name="identity")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    suspended = models.BooleanField(default=False)  # because the groups gave no role any more

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("issuer", "subject"), name="access_identity_once"),
        )

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"


class RecentAttempts(models.Model):
    """When attempts to sign in were made within a day, by the key of their budget."""

    key = models.CharField(max_length=120, primary_key=True)
    times = ArrayField(models.DateTimeField())
    last = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key


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


class BrokenGlass(models.Model):
    """A request for what takes two people that one operator carried out alone, and its review.

    `request`: the request's name in the ledger, `about`: the same in words. Nobody reviews what
    they did themselves.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    operator = models.CharField(max_length=200)  # an actor
    request = models.CharField(max_length=200)
    about = models.CharField(max_length=400, default="")
    reason = models.TextField()
    at = models.DateTimeField(auto_now_add=True)
    reviewed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    justified = models.BooleanField(null=True)
    note = models.TextField(default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(reviewed_by=None, reviewed_at=None, justified=None, note="")
                | (
                    Q(reviewed_by__isnull=False, reviewed_at__isnull=False)
                    & Q(justified__isnull=False)
                    & ~Q(note="")
                ),
                name="access_glass_reviewed_whole",
            ),
            models.CheckConstraint(
                condition=Q(operator__startswith="operator:") & ~Q(reason=""),
                name="access_glass_by_an_operator",
            ),
        )

    def __str__(self) -> str:
        return f"glass:{self.id}"
