"""Single sign-on: the identity that a provider vouches for, and the roles that its groups give.

An identity is a provider's issuer and subject. It is never matched with an account by a name or an
address, because whoever can choose those at the provider could take an account over.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

import msgspec
from django.db import transaction

from kinward.access.actor import Actor
from kinward.access.appointments import appoint, is_waiting, resume_staff, settle_roles
from kinward.access.groups import SSO, roles_by_groups
from kinward.access.models import Staff, StaffIdentity
from kinward.access.provisioned import ProvisionedPerson
from kinward.access.provisioning import settle_at_sign_in
from kinward.access.services import NameTaken
from kinward.access.staff import (
    LastAdministrator,
    add_without_password,
    listed,
    lock_staff,
    suspend_staff,
)
from kinward.ground.errors import Forbidden, KinwardError
from kinward.ledger.api import kinds, record


class NoRole(KinwardError):
    """The groups that your provider names give you no role in this console."""

    code = "sso.no_role"
    status = 403


class IdentityTaken(KinwardError):
    """This identity belongs to another staff account, or this account has another identity."""

    code = "sso.identity_taken"
    status = 409


class Identity(msgspec.Struct, frozen=True):
    """Whom a provider vouches for. `groups` is None if it said nothing of groups.

    `external_id` is what the provider calls the person in SCIM, or empty.
    """

    issuer: str
    subject: str
    name: str
    groups: Sequence[str] | None
    external_id: str = ""


def admit_identity(identity: Identity, roles: Mapping[str, str]) -> Staff:
    """Return the account of an identity with the roles that its groups give; create a missing one.

    Where a role counts among two people, a present holder confirms it first, as on every road.
    Whose groups give no role is suspended, until they do again. Raises `NoRole`, or `NameTaken` if
    an account that is not linked has the name. A suspension or an end by a person stays. Whom the
    provider added by SCIM has the roles that SCIM's groups give, whatever the token says.
    """
    linked = _linked(identity)
    person = _provisioned(identity, linked)
    if person is not None:
        return _admit_provisioned(identity, person)
    if identity.groups is None:
        raise NoRole("It named no groups at all.")
    given = roles_by_groups(identity.groups, roles)
    if given:
        return _create(identity, given) if linked is None else _give_roles(linked, given)
    if linked is not None:
        _suspend(linked)
    raise NoRole


@transaction.atomic
def _create(identity: Identity, roles: Collection[str]) -> Staff:
    first = not Staff.objects.exists()
    try:
        staff = add_without_password(username=identity.name, added_by=str(SSO))
    except NameTaken as error:
        raise NameTaken(
            f"{identity.name!r} is on the staff already. Sign in there, and link the account."
        ) from error
    fact = kinds.StaffCreated(role=listed(roles), invited_by=str(SSO))
    record(actor=SSO, subject=str(staff.actor), fact=fact)
    _link(identity, staff, SSO)
    appoint(lock_staff(staff.username), roles, SSO, first=first)
    return Staff.objects.get(pk=staff.pk)


@transaction.atomic
def _give_roles(linked: StaffIdentity, roles: Collection[str]) -> Staff:
    staff = linked.staff
    if linked.suspended and not staff.is_active and staff.ended_at is None:
        resume_staff(username=staff.username, actor=SSO)
    if linked.suspended:
        StaffIdentity.objects.filter(pk=linked.pk).update(suspended=False)
    if staff.ended_at is None:
        settle_roles(username=staff.username, roles=roles, actor=SSO)
    return Staff.objects.get(pk=staff.pk)


@transaction.atomic
def _suspend(linked: StaffIdentity) -> None:
    if not linked.staff.is_active:
        return  # by a person, whose word stays
    with suppress(LastAdministrator), transaction.atomic():
        suspend_staff(username=linked.staff.username, actor=SSO)
        StaffIdentity.objects.filter(pk=linked.pk).update(suspended=True)


def _provisioned(identity: Identity, linked: StaffIdentity | None) -> ProvisionedPerson | None:
    """Return whom the provider added by SCIM as this identity, also if they were deleted."""
    people = ProvisionedPerson.objects.select_related("staff")
    if linked is not None:
        return people.filter(staff=linked.staff_id).first()
    return people.filter(issuer=identity.issuer, subject=identity.external_id or None).first()


def _admit_provisioned(identity: Identity, person: ProvisionedPerson) -> Staff:
    """Return the account of somebody whom the provider added, with what SCIM's groups give now."""
    if person.deleted_at is not None or not person.active:
        raise NoRole("Your provider has ended your access.")
    with transaction.atomic():
        staff = lock_staff(person.staff.username)
        if _linked(identity) is None:
            if has_identity(staff):
                raise IdentityTaken
            _link(identity, staff, SSO)
        settle_at_sign_in(person)
    staff.refresh_from_db()
    if not staff.roles and not is_waiting(staff):
        raise NoRole
    return staff


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


def is_of_provider(staff: Staff) -> bool:
    """Return whether somebody signs in by the provider: linked to it, or added by it."""
    return has_identity(staff) or ProvisionedPerson.objects.filter(staff=staff).exists()


def _linked(identity: Identity) -> StaffIdentity | None:
    known = StaffIdentity.objects.select_related("staff")
    return known.filter(issuer=identity.issuer, subject=identity.subject).first()


def _link(identity: Identity, staff: Staff, actor: Actor) -> None:
    StaffIdentity.objects.create(issuer=identity.issuer, subject=identity.subject, staff=staff)
    fact = kinds.StaffLinked(issuer=identity.issuer)
    record(actor=actor, subject=str(staff.actor), fact=fact)
