"""Single sign-on: the identity that a provider vouches for, and the role that its groups give.

An identity is a provider's issuer and subject. It is never matched with an account by a name or an
address, because whoever can choose those at the provider could take an account over.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from secrets import token_urlsafe
from typing import Final

import msgspec
from django.db import transaction

from kinward.access.actor import Actor
from kinward.access.appointments import appoint, change_role
from kinward.access.models import Staff, StaffIdentity
from kinward.access.services import NameTaken
from kinward.access.staff import (
    LastAdministrator,
    add_person,
    lock_staff,
    put_role,
    resume_staff,
    suspend_staff,
)
from kinward.ground.errors import Forbidden, KinwardError
from kinward.ledger.api import kinds, record

ACTOR: Final = Actor.system("sso")


class NoRole(KinwardError):
    """The groups that your provider names give you no role in this console."""

    code = "sso.no_role"
    status = 403


class IdentityTaken(KinwardError):
    """This identity belongs to another staff account, or this account has another identity."""

    code = "sso.identity_taken"
    status = 409


class Identity(msgspec.Struct, frozen=True):
    """Whom a provider vouches for. `groups` is None if it said nothing of groups."""

    issuer: str
    subject: str
    name: str
    groups: Sequence[str] | None


def role_of(groups: Sequence[str], roles: Mapping[str, str]) -> str | None:
    """Return the role of the first group in the order of the mapping; None without one.

    >>> role_of(["all", "safety"], {"leads": "senior reviewer", "safety": "reviewer"})
    'reviewer'
    """
    return next((role for group, role in roles.items() if group in groups), None)


def admit_identity(identity: Identity, roles: Mapping[str, str]) -> Staff:
    """Return the account of an identity with the role that its groups give; create a missing one.

    Where a role counts among two people, a present holder confirms it first, as on every road.
    Whose groups give no role is suspended, until they do again. Raises `NoRole`, or `NameTaken` if
    an account that is not linked has the name. A suspension or an end by a person stays.
    """
    if identity.groups is None:
        raise NoRole("It named no groups at all.")
    role, linked = role_of(identity.groups, roles), _linked(identity)
    if role is not None:
        return _create(identity, role) if linked is None else _give_role(linked, role)
    if linked is not None:
        _suspend(linked)
    raise NoRole


@transaction.atomic
def _create(identity: Identity, role: str) -> Staff:
    first = not Staff.objects.exists()
    try:
        staff = add_person(username=identity.name, password=token_urlsafe(32), added_by=str(ACTOR))
    except NameTaken as error:
        raise NameTaken(
            f"{identity.name!r} is on the staff already. Sign in there, and link the account."
        ) from error
    staff.set_unusable_password()
    staff.save(update_fields=["password"])
    fact = kinds.StaffCreated(role=role, invited_by=str(ACTOR))
    record(actor=ACTOR, subject=str(staff.actor), fact=fact)
    _link(identity, staff, ACTOR)
    appoint(lock_staff(staff.username), role, ACTOR, first=first)
    return Staff.objects.get(pk=staff.pk)


@transaction.atomic
def _give_role(linked: StaffIdentity, role: str) -> Staff:
    staff = linked.staff
    if linked.suspended and not staff.is_active and staff.ended_at is None:
        resume_staff(username=staff.username, actor=ACTOR)
    if linked.suspended:
        StaffIdentity.objects.filter(pk=linked.pk).update(suspended=False)
    if staff.ended_at is None and change_role(username=staff.username, role=role, actor=ACTOR):
        # The groups give the former role no more, whenever somebody confirms the new one.
        put_role(lock_staff(staff.username), "", ACTOR)
    return Staff.objects.get(pk=staff.pk)


@transaction.atomic
def _suspend(linked: StaffIdentity) -> None:
    if not linked.staff.is_active:
        return  # by a person, whose word stays
    with suppress(LastAdministrator), transaction.atomic():
        suspend_staff(username=linked.staff.username, actor=ACTOR)
        StaffIdentity.objects.filter(pk=linked.pk).update(suspended=True)


@transaction.atomic
def link_identity(identity: Identity, staff: Staff) -> None:
    """Link an identity to the account of whoever is signed in. Idempotent.

    Raises `IdentityTaken`, or `Forbidden` for somebody who is not active.
    """
    if not staff.is_active:
        raise Forbidden
    linked = _linked(identity)
    if linked is not None and linked.staff_id == staff.pk:
        return
    if linked is not None or StaffIdentity.objects.filter(staff=staff).exists():
        raise IdentityTaken
    _link(identity, staff, staff.actor)


def has_identity(staff: Staff) -> bool:
    """Return whether an account is linked to an identity."""
    return StaffIdentity.objects.filter(staff=staff).exists()


def _linked(identity: Identity) -> StaffIdentity | None:
    known = StaffIdentity.objects.select_related("staff")
    return known.filter(issuer=identity.issuer, subject=identity.subject).first()


def _link(identity: Identity, staff: Staff, actor: Actor) -> None:
    StaffIdentity.objects.create(issuer=identity.issuer, subject=identity.subject, staff=staff)
    fact = kinds.StaffLinked(issuer=identity.issuer)
    record(actor=actor, subject=str(staff.actor), fact=fact)
