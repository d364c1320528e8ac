"""SCIM: the provider of single sign-on adds people to the staff, gives them groups, and ends them.

It reaches only the people that it added, or that single sign-on added before. Their groups give a
role by the same setting as at a sign-in, and by the same rules: a present holder confirms what
counts among two people, and the last administrator stays.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.appointments import is_waiting, resume_staff, settle_roles
from kinward.access.groups import SSO, roles_by_groups, roles_of_groups
from kinward.access.joining import provisioner
from kinward.access.models import Staff, StaffIdentity
from kinward.access.permissions import Permission
from kinward.access.provisioned import ProvisionedGroup, ProvisionedPerson
from kinward.access.services import NameTaken
from kinward.access.staff import (
    add_without_password,
    end_staff,
    lock_all,
    suspend_staff,
)
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotConfigured, NotFound
from kinward.ground.locks import in_turn
from kinward.ground.names import visible
from kinward.ledger.api import kinds, record

MAX_PEOPLE: Final = 5000  # who have not been deleted …
MAX_GROUPS: Final = 100
MAX_MEMBERS: Final = 500  # … and those of one group …
MAX_MEMBERSHIPS: Final = 10_000  # … and of all groups together, since one answer may have all
MAX_ID: Final = 255
MAX_NAME: Final = 150
LOCK: Final = "access.provisioning"


class TooManyProvisioned(KinwardError):
    """The provider added too much. Let it send only the people who work with Kinward."""

    code = "scim.too_many"
    status = 409


class PersonIn(msgspec.Struct, frozen=True):
    """What the provider says of a person. `active` is None if it says nothing of that."""

    user_name: str
    external_id: str
    active: bool | None = None


class GroupIn(msgspec.Struct, frozen=True):
    """What the provider says of a group. Members that Kinward does not know are left out."""

    name: str
    external_id: str = ""
    members: frozenset[UUID] = frozenset()


def provisioned_people() -> QuerySet[ProvisionedPerson]:
    """Return the people whom the provider added and has not deleted, the oldest first."""
    rows = ProvisionedPerson.objects.filter(issuer=provider(), deleted_at=None)
    return rows.select_related("staff").prefetch_related("groups").order_by("made_at", "id")


def provisioned_groups() -> QuerySet[ProvisionedGroup]:
    """Return the provider's groups, the oldest first."""
    rows = ProvisionedGroup.objects.filter(issuer=provider())
    return rows.prefetch_related("people").order_by("made_at", "id")


def provider() -> str:
    """Return the provider that SCIM speaks for. Raises `NotConfigured`."""
    issuer = config().sso_issuer
    if not issuer:
        raise NotConfigured("SCIM needs single sign-on: set KINWARD_SSO_ISSUER.")
    return issuer


def take_turn() -> str:
    """Wait until no other call of the provider is being carried out. Returns the provider.

    The caller locks accounts next, before the first ledger entry.
    """
    issuer = provider()
    in_turn(LOCK)
    return issuer


@transaction.atomic
def provision_person(*, given: PersonIn, actor: Actor) -> ProvisionedPerson:
    """Add a person without a role. Their groups give some.

    Raises `NameTaken`, `TooManyProvisioned`, or `Invalid` for what cannot be read.
    """
    actor.must(Permission.MANAGE_STAFF)
    issuer = take_turn()
    lock_all(())
    _check_person(given)
    if provisioned_people().count() >= MAX_PEOPLE:
        raise TooManyProvisioned(f"At most {MAX_PEOPLE:,} people.")
    _check_free(issuer, given)
    staff, suspended = _adopted(issuer, given), False
    if staff is None:
        staff = add_without_password(username=given.user_name, added_by=str(actor))
        fact = kinds.StaffCreated(role="", invited_by=str(actor))
        record(actor=actor, subject=str(staff.actor), fact=fact)
    else:
        lock_all([staff.pk])
        suspended = StaffIdentity.objects.filter(staff=staff, suspended=True).exists()
    person = ProvisionedPerson.objects.create(
        staff=staff,
        issuer=issuer,
        subject=given.external_id,
        external_id=given.external_id,
        user_name=given.user_name,
        key=actor.name,
        suspended=suspended,
    )
    _record(person, actor)
    _set_active(person, given.active is not False, actor)
    return person


def _adopted(issuer: str, given: PersonIn) -> Staff | None:
    """Return the account that single sign-on made for the same person, or None.

    Raises `NameTaken` if a person of the staff invited whoever has this identity.
    """
    identity = StaffIdentity.objects.filter(issuer=issuer, subject=given.external_id).first()
    if identity is None:
        return None
    if identity.staff.added_by != str(SSO) or identity.staff.ended_at is not None:
        raise NameTaken("This person has an account that the provider did not add, or that ended.")
    return identity.staff


@transaction.atomic
def change_person(*, person_id: UUID, given: PersonIn, actor: Actor) -> ProvisionedPerson:
    """Replace what the provider says of a person. The name of the account stays.

    No name or id that is taken or cannot be read holds up the end of somebody's access.

    Raises `NotFound`, `NameTaken`, `LastAdministrator`, or `Invalid` for what cannot be read.
    """
    actor.must(Permission.MANAGE_STAFF)
    issuer = take_turn()
    person = _person(person_id)
    lock_all([person.staff_id])
    try:
        _check_person(given)
        _check_free(issuer, given, person)
    except (Invalid, NameTaken):
        if given.active is not False:
            raise
        given = PersonIn(person.user_name, person.external_id, active=False)
    named = (person.user_name, person.external_id) != (given.user_name, given.external_id)
    person.user_name, person.external_id = given.user_name, given.external_id
    person.key = actor.name
    if person.subject != given.external_id and _holds_nothing(person.staff):
        person.subject = given.external_id
    person.save()
    if named:
        _record(person, actor)
    if given.active is not None:
        _set_active(person, given.active, actor)
    return person


@transaction.atomic
def end_person(*, person_id: UUID, actor: Actor) -> None:
    """End a person's account for good. Raises `NotFound` or `LastAdministrator`."""
    actor.must(Permission.END_STAFF)
    take_turn()
    person = _person(person_id)
    if person.staff.ended_at is None:
        end_staff(username=person.staff.username, actor=actor)
    person.groups.clear()
    person.active, person.suspended, person.deleted_at = False, False, timezone.now()
    person.save()


@transaction.atomic
def put_group(*, group_id: UUID | None, given: GroupIn, actor: Actor) -> ProvisionedGroup:
    """Add a group, or replace one. A role that it gives or gave begins or ends with that.

    Raises `NotFound`, `TooManyProvisioned`, or `Invalid` for what cannot be read.
    """
    actor.must(Permission.MANAGE_STAFF)
    issuer = take_turn()
    _check_text("displayName", given.name, MAX_ID)
    _check_text("externalId", given.external_id or "-", MAX_ID)
    if len(given.members) > MAX_MEMBERS:
        raise TooManyProvisioned(f"At most {MAX_MEMBERS:,} members of a group.")
    group = _group(group_id) if group_id else ProvisionedGroup(issuer=issuer)
    if group_id is None and provisioned_groups().count() >= MAX_GROUPS:
        raise TooManyProvisioned(f"At most {MAX_GROUPS:,} groups.")
    before = set() if group_id is None else set(group.people.all())
    after = set(provisioned_people().filter(pk__in=given.members))
    renamed = (group.name, group.external_id) != (given.name, given.external_id)
    group.name, group.external_id = given.name, given.external_id
    affected = before | after if renamed else before ^ after
    lock_all(person.staff_id for person in affected)
    group.save()
    group.people.set(after)
    if ProvisionedGroup.people.through.objects.count() > MAX_MEMBERSHIPS:
        raise TooManyProvisioned(f"At most {MAX_MEMBERSHIPS:,} members of all groups.")
    fact = kinds.StaffGroupChanged(
        name=group.name, added=_names(after - before), removed=_names(before - after)
    )
    record(actor=actor, subject=f"group:{group.pk}", fact=fact)
    _settle_all(affected, actor)
    return group


@transaction.atomic
def end_group(*, group_id: UUID, actor: Actor) -> None:
    """Delete a group. Whoever it gave a role loses it. Raises `NotFound`."""
    actor.must(Permission.MANAGE_STAFF)
    take_turn()
    group = _group(group_id)
    people = set(group.people.all())
    lock_all(person.staff_id for person in people)
    fact = kinds.StaffGroupChanged(name=group.name, added=[], removed=_names(people))
    record(actor=actor, subject=f"group:{group.pk}", fact=fact)
    group.delete()
    _settle_all(people, actor)


def settle_at_sign_in(person: ProvisionedPerson) -> None:
    """Take the roles that a person's groups do not give any more, and give what they give now.

    The key asks for them that last spoke of the person, and no other, so that its owner confirms
    nothing. Once it is revoked nobody asks. Idempotent.
    """
    asker = provisioner(person.key)
    roles, staff = _roles_of(person), Staff.objects.get(pk=person.staff_id)
    if asker.may(Permission.MANAGE_STAFF):
        settle_roles(username=staff.username, roles=roles, actor=asker)
    else:
        kept = set(roles) & set(staff.roles)
        settle_roles(username=staff.username, roles=kept, actor=SSO)


def _settle_all(people: Collection[ProvisionedPerson], actor: Actor) -> None:
    """Give each the roles that their groups give now, and take any other."""
    fresh = provisioned_people().filter(pk__in=[person.pk for person in people])
    fresh.update(key=actor.name)
    for person in fresh.filter(staff__ended_at=None):
        roles = _roles_of(person)
        settle_roles(username=person.staff.username, roles=roles, actor=actor)


def _roles_of(person: ProvisionedPerson) -> list[str]:
    named = {name for group in person.groups.all() for name in (group.name, group.external_id)}
    return roles_by_groups(named - {""}, roles_of_groups())


def _set_active(person: ProvisionedPerson, active: bool, actor: Actor) -> None:
    """Take the provider's word. It suspends, and resumes what it suspended itself."""
    staff = Staff.objects.get(pk=person.staff_id)
    if not active and staff.is_active:
        suspend_staff(username=staff.username, actor=actor)
        person.suspended = True
    elif active and not staff.is_active and staff.ended_at is None and person.suspended:
        resume_staff(username=staff.username, actor=actor)
    if active:
        person.suspended = False
    person.active = active
    person.save()


def _holds_nothing(staff: Staff) -> bool:
    """Return whether no role is at stake: none is held, none waits, and nobody has signed in."""
    linked = StaffIdentity.objects.filter(staff=staff).exists()
    return not (staff.roles or linked or is_waiting(staff))


def _person(person_id: UUID) -> ProvisionedPerson:
    person = provisioned_people().filter(pk=person_id).first()
    if person is None:
        raise NotFound("The provider added nobody with this id.")
    return person


def _group(group_id: UUID) -> ProvisionedGroup:
    group = provisioned_groups().filter(pk=group_id).first()
    if group is None:
        raise NotFound("The provider added no group with this id.")
    return group


def _check_person(given: PersonIn) -> None:
    _check_text("userName", given.user_name, MAX_NAME)
    _check_text("externalId", given.external_id, MAX_ID)


def _check_text(name: str, text: str, most: int) -> None:
    if not 1 <= len(text) <= most or visible(text) != text:
        raise Invalid(f"{name} has 1 to {most} characters, each of which can be seen.")


def _check_free(issuer: str, given: PersonIn, person: ProvisionedPerson | None = None) -> None:
    """Raise `NameTaken` if another person has the name or the id, also one who was deleted."""
    others = ProvisionedPerson.objects.filter(issuer=issuer)
    if person is not None:
        others = others.exclude(pk=person.pk)
    live = others.filter(deleted_at=None)
    if live.filter(external_id=given.external_id).exists():
        raise NameTaken(f"There is a person with the externalId {given.external_id!r}.")
    if others.filter(subject=given.external_id).exists():
        raise NameTaken(f"The externalId {given.external_id!r} was another person's.")
    if live.filter(user_name__iexact=given.user_name).exists():
        raise NameTaken(f"There is a person with the userName {given.user_name!r}.")


def _names(people: Collection[ProvisionedPerson]) -> list[str]:
    return sorted(str(person.staff.actor) for person in people)


def _record(person: ProvisionedPerson, actor: Actor) -> None:
    fact = kinds.StaffProvisioned(user_name=person.user_name, external_id=person.external_id)
    record(actor=actor, subject=str(person.staff.actor), fact=fact)
