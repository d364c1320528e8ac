"""The rows of who joins: invitations, stored as hashes only, and roles that wait for a colleague.

They stand above the protocol of two people, which itself stands on `models`. The face imports
them, so Django knows them as soon as any room above does.
"""

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from kinward.access.actor import Actor, ActorKind
from kinward.access.agreement import TwoPeopleAskedAnywhere, barred_of
from kinward.access.glass import Person
from kinward.access.models import ApiKey, Staff
from kinward.access.permissions import Permission
from kinward.access.purposes import PROVISION
from kinward.access.roles import ROLES, counting

_BY_ONE: Final = Q(asked_by__isnull=False, operator="") | (Q(asked_by=None) & ~Q(operator=""))


def provisioner(name: str) -> Actor:
    """Return the key of a provider as an actor, which may ask for roles until it is revoked."""
    live = ApiKey.objects.filter(name=name, revoked_at=None, scopes__contains=[PROVISION])
    key = Actor.key(name)
    return key.granted(Permission.MANAGE_STAFF) if live.exists() else key


class StaffInvitation(models.Model):
    """A link by which somebody joins the staff. Only its hash is stored.

    The first administrator chooses a name: then `username` is empty. An operator who invites by a
    command is no row of the staff: then `operator` is the actor's name, and `asked_by` is none.
    """

    username = models.CharField(max_length=150, blank=True)
    roles = ArrayField(models.CharField(max_length=20, choices=[(role, role) for role in ROLES]))
    email = models.EmailField(blank=True)
    digest = models.BinaryField(unique=True)
    asked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    operator = models.CharField(max_length=200, default="")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # it was taken, withdrawn or replaced

    class Meta:
        constraints = (
            models.UniqueConstraint(
                Lower("username"), condition=Q(ended_at=None), name="access_one_open_invitation"
            ),
            models.CheckConstraint(
                condition=_BY_ONE,
                name="access_invited_by_one",
            ),
        )

    def __str__(self) -> str:
        return f"invitation:{self.username}"

    @property
    def asker(self) -> str:
        """The name of who invited."""
        return self.asked_by.username if self.asked_by else self.operator


class Appointment(TwoPeopleAskedAnywhere):
    """One more role for somebody, without effect before a present holder of its power confirms it.

    The roles with power that takes two people need it. Otherwise one administrator could make
    their own second person.
    """

    permission = Permission.MANAGE_STAFF  # for asking

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="appointments")
    role = models.CharField(max_length=20, choices=[(role, role) for role in ROLES])

    class Meta(TwoPeopleAskedAnywhere.Meta):
        constraints = (
            *TwoPeopleAskedAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("staff", "role"),
                condition=Q(state="asked", went_ahead_at=None),
                name="access_one_appointment_asked",
            ),
            models.CheckConstraint(
                condition=_BY_ONE,
                name="access_appointed_by_one",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("asked", "refused")) | ~Q(decided_by=F("staff")),
                name="access_nobody_appoints_themselves",
            ),
        )

    def __str__(self) -> str:
        return f"appointment:{self.id}"

    @property
    def powers(self) -> frozenset[Permission]:
        """The powers that this role gives and that take two people: who decides has them all."""
        return counting([self.role])

    @property
    def requester(self) -> Person:
        """Who asked: also the key of a provider, which asks no more once it is revoked."""
        kind, _, name = self.operator.partition(":")
        return provisioner(name) if kind == ActorKind.KEY else super().requester

    @property
    def barred(self) -> list[int]:
        """Who asked, also by a command or by a key of theirs, and who would get the role."""
        return [*super().barred, *self._owner, self.staff_id]

    @property
    def _owner(self) -> list[int]:
        """Who answers for the key that asked, if a key did."""
        kind, _, name = self.operator.partition(":")
        key = ApiKey.objects.filter(name=name).first() if kind == ActorKind.KEY else None
        return barred_of(Actor.operator(key.owner)) if key else []


class FactorReset(TwoPeopleAskedAnywhere):
    """A request to remove a lost second factor: two people, and a time in which its owner is told.

    Nothing is removed before `not_before`, whoever agrees.
    """

    permission = Permission.MANAGE_STAFF

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="factor_resets")
    why = models.TextField()
    not_before = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta(TwoPeopleAskedAnywhere.Meta):
        constraints = (
            *TwoPeopleAskedAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("staff",),
                condition=Q(done_at=None) & ~Q(state="refused"),
                name="access_one_factor_reset_open",
            ),
            models.CheckConstraint(
                condition=_BY_ONE,
                name="access_reset_asked_by_one",
            ),
            models.CheckConstraint(
                condition=Q(done_at=None)
                | (
                    Q(done_at__gte=F("not_before"))
                    & ~Q(state="refused")
                    & (~Q(state="asked") | Q(went_ahead_at__isnull=False))
                ),
                name="access_reset_by_two_and_not_before",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("asked", "refused")) | ~Q(decided_by=F("staff")),
                name="access_nobody_resets_themselves",
            ),
        )

    def __str__(self) -> str:
        return f"factor-reset:{self.id}"

    @property
    def barred(self) -> list[int]:
        """Who asked, also by a command, and whose factor it is."""
        return [*super().barred, self.staff_id]
