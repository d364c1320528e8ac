"""Roles of somebody: where one counts among two people, a present holder confirms it first.

Otherwise one administrator could make their own second person. Where nobody else holds the power,
the role waits with notice, as everything does that takes two people.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from kinward.access.actor import Actor, ActorKind
from kinward.access.agreement import (
    AgreementState,
    decide_agreement,
)
from kinward.access.delay import carry_out_due, due_to_go_ahead, go_ahead, nobody_until
from kinward.access.joining import Appointment
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.access.roles import ADMINISTRATOR, counting, in_order
from kinward.access.staff import (
    LastAdministrator,
    check_roles,
    listed,
    lock_staff,
    put_roles,
    reactivate,
)
from kinward.access.step_up import require_fresh_factor
from kinward.ground.errors import NotFound
from kinward.ledger.api import kinds, record

SYSTEM: Final = Actor.system("access")


@transaction.atomic
def give_role(*, username: str, role: str, actor: Actor) -> Appointment | None:
    """Give somebody one more role, or ask for it where a present holder has to confirm it.

    Returns the request, or none if the role is in force. Idempotent. Raises `NotFound`,
    `StaffEnded`, or `Invalid` for an unknown role.
    """
    actor.must(Permission.MANAGE_STAFF)
    check_roles([role])
    staff = lock_staff(username)
    wanted = {*staff.roles, *_asked_for(staff), role}
    return next((row for row in appoint(staff, wanted, actor) if row.role == role), None)


@transaction.atomic
def take_role(*, username: str, role: str, actor: Actor) -> None:
    """Take one role from somebody at once, or the request for it. The other roles stay.

    Idempotent. Raises `NotFound`, `StaffEnded`, `LastAdministrator`, or `Invalid`.
    """
    actor.must(Permission.MANAGE_STAFF)
    check_roles([role])
    staff = lock_staff(username)
    appoint(staff, {*staff.roles, *_asked_for(staff)} - {role}, actor)


@transaction.atomic
def change_roles(*, username: str, roles: Collection[str], actor: Actor) -> list[Appointment]:
    """Give somebody exactly these roles: what is missing ends at once, and so does its request.

    Returns the requests for those that a present holder has to confirm. No role at all is possible.
    Idempotent. Raises `NotFound`, `StaffEnded`, `LastAdministrator`, or `Invalid`.
    """
    actor.must(Permission.MANAGE_STAFF)
    if roles:
        check_roles(roles)
    return appoint(lock_staff(username), roles, actor)


@transaction.atomic
def resume_staff(*, username: str, actor: Actor) -> list[Appointment]:
    """End a suspension. The person signs in again, and each role that counts waits for a colleague.

    Otherwise one administrator would bring a colleague's power back, and with it a second person
    of their choice. Returns the requests. Idempotent. Raises `NotFound` or `StaffEnded`.
    """
    actor.must(Permission.MANAGE_STAFF)
    staff = lock_staff(username)
    if staff.is_active:
        return []
    wanted = {*staff.roles, *_asked_for(staff)}
    put_roles(staff, [role for role in staff.roles if not counting([role])], actor)
    reactivate(staff, actor)
    return appoint(staff, wanted, actor)


def settle_roles(*, username: str, roles: Collection[str], actor: Actor) -> None:
    """Give exactly the roles that somebody's groups give now.

    The last administrator keeps that role until there is another, and nothing else.
    """
    try:
        change_roles(username=username, roles=roles, actor=actor)
    except LastAdministrator:
        change_roles(username=username, roles={*roles, ADMINISTRATOR}, actor=actor)


def is_waiting(staff: Staff) -> bool:
    """Return whether a role of somebody waits for a colleague's word."""
    return bool(_waiting(staff))


def appoint(
    staff: Staff, roles: Collection[str], actor: Actor, *, first: bool = False
) -> list[Appointment]:
    """Put exactly these roles in force, and return the requests for those that need a colleague.

    A role needs nobody if it adds no power that counts among two people to what the person holds.
    The very `first` of the staff has nobody to ask. A request that waits stays, unless who asked
    may not ask any more. The caller has checked the actor's permission, and holds the row's lock.
    Raises `FactorNotFresh` for who gives a role at a console. Taking one asks for nothing.
    """
    held, wanted, waiting = set(staff.roles), set(roles), _waiting(staff)
    added = wanted - held
    if added - waiting.keys():
        require_fresh_factor()
    at_once = {role for role in added if first or not counting([role]) - counting(held)}
    put_roles(staff, (held & wanted) | at_once, actor)
    for role, row in list(waiting.items()):
        if role not in added - at_once or not row.requester.may(row.permission):
            _withdraw(waiting.pop(role), staff, actor)
    return [
        waiting.get(role) or _ask(staff, role, actor, held) for role in in_order(added - at_once)
    ]


def _ask(staff: Staff, role: str, actor: Actor, held: Collection[str]) -> Appointment:
    asked_by, operator = asker_of(actor)
    row = Appointment(staff=staff, role=role, asked_by=asked_by, operator=operator)
    row.goes_ahead_at = nobody_until(row)
    row.save(force_insert=True)
    _record(kinds.StaffRoleAsked(was=listed(held), role=role), staff, actor)
    return row


def _withdraw(waiting: Appointment, staff: Staff, actor: Actor) -> None:
    waiting.delete()  # the ledger keeps that it was asked for
    _record(kinds.StaffRoleRefused(role=waiting.role), staff, actor)


def asker_of(actor: Actor) -> tuple[Staff | None, str]:
    """Return who asks as a row of the staff, or else by the actor's name."""
    if actor.kind != ActorKind.STAFF:
        return None, str(actor)[:200]
    return Staff.objects.get(username=actor.name), ""


@transaction.atomic
def decide_appointment(*, appointment_id: UUID, approve: bool, staff: Staff) -> Appointment:
    """Confirm a role, which puts it in force, or refuse it. Who decides holds all of its power.

    Neither who asked for it, also by a command, nor who would get it confirms it.
    """
    subject = _lock_subject(appointment_id)
    row = decide_agreement(Appointment, appointment_id, approve=approve, staff=staff)
    if not approve:
        _record(kinds.StaffRoleRefused(role=row.role), subject, staff.actor)
        return row
    put_roles(subject, {*subject.roles, row.role}, staff.actor)
    return row


def _lock_subject(appointment_id: UUID) -> Staff:
    """Lock the person before the request, as everywhere. Raises `NotFound`."""
    subject = Staff.objects.filter(appointments=appointment_id).first()
    if subject is None:
        raise NotFound(f"There is no appointment {appointment_id}.")
    return lock_staff(subject.username)


def appoint_alone() -> int:
    """Put the roles in force that waited because nobody else holds their power; return how many."""
    return carry_out_due(due_to_go_ahead(Appointment), _appoint_alone)


def _appoint_alone(appointment_id: UUID) -> bool:
    """Put a role in force whose moment has come."""
    with transaction.atomic():
        staff = _lock_subject(appointment_id)
        row = go_ahead(Appointment, appointment_id)
        if row is not None:
            put_roles(staff, {*staff.roles, row.role}, SYSTEM)
    return row is not None


def waiting_appointments() -> QuerySet[Appointment]:
    """Return the roles that wait for a colleague's word, the oldest first."""
    rows = Appointment.objects.filter(state=AgreementState.ASKED, went_ahead_at=None)
    return rows.select_related("staff", "asked_by").order_by("asked_at")


def appointments_for(staff: Staff) -> list[Appointment]:
    """Return the roles on which this person may have a word, the oldest first."""
    return [
        row
        for row in waiting_appointments()
        if staff.pk not in row.barred and all(staff.may(power) for power in row.powers)
    ]


def _waiting(staff: Staff) -> dict[str, Appointment]:
    """Return the requests for roles of somebody, by role."""
    return {row.role: row for row in waiting_appointments().filter(staff=staff)}


def _asked_for(staff: Staff) -> set[str]:
    """Return the roles that wait for a word, and whose asker may still ask for them."""
    rows = _waiting(staff).items()
    return {role for role, row in rows if row.requester.may(row.permission)}


def _record(fact: kinds.Fact, staff: Staff, actor: Actor) -> None:
    record(actor=actor, subject=str(staff.actor), fact=fact)
