"""A role for somebody: where it counts among two people, a present holder confirms it first.

Otherwise one administrator could make their own second person. Where nobody else holds the power,
the role waits with notice, as everything does that takes two people.
"""

from contextlib import suppress
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
from kinward.access.roles import counting
from kinward.access.staff import (
    LastAdministrator,
    check_role,
    keep_an_administrator,
    lock_staff,
    put_role,
)
from kinward.ground.errors import NotFound
from kinward.ledger.api import kinds, record

SYSTEM: Final = Actor.system("access")


@transaction.atomic
def change_role(*, username: str, role: str, actor: Actor) -> Appointment | None:
    """Give somebody another role, or ask for it where a present holder has to confirm it.

    Returns the request, or none if the role is in force. Until then the former role stays. A
    request that waits is replaced. Idempotent. Raises `NotFound`, `StaffEnded`,
    `LastAdministrator`, or `Invalid` for an unknown role.
    """
    actor.must(Permission.MANAGE_STAFF)
    check_role(role)
    staff = lock_staff(username)
    waiting = _waiting(staff)
    if waiting is not None and waiting.role == role and waiting.requester.may(waiting.permission):
        return waiting
    if waiting is not None:
        _withdraw(waiting, staff, actor)
    if staff.role == role:
        return None
    keep_an_administrator(staff)
    return appoint(staff, role, actor)


def give_role(*, username: str, role: str, actor: Actor) -> None:
    """Give the role that somebody's groups give, and take any other at once; "" is none.

    Where a present holder confirms the new role, the former one ends all the same: the groups do
    not give it any more. Idempotent. Raises as `change_role` does.
    """
    actor.must(Permission.MANAGE_STAFF)
    if role and change_role(username=username, role=role, actor=actor) is None:
        return
    staff = lock_staff(username)
    if not role and (waiting := _waiting(staff)) is not None:
        _withdraw(waiting, staff, actor)
    put_role(staff, "", actor)


def is_waiting(staff: Staff) -> bool:
    """Return whether a role of somebody waits for a colleague's word."""
    return _waiting(staff) is not None


def _withdraw(waiting: Appointment, staff: Staff, actor: Actor) -> None:
    waiting.delete()  # the ledger keeps that it was asked for
    _record(kinds.StaffRoleRefused(role=waiting.role), staff, actor)


def appoint(staff: Staff, role: str, actor: Actor, *, first: bool = False) -> Appointment | None:
    """Put a role in force, or ask for it. The very `first` of the staff has nobody to ask.

    The caller has checked the actor's permission, and holds the row's lock.
    """
    if first or not counting(role) - counting(staff.role):
        put_role(staff, role, actor)
        return None
    asked_by, operator = asker_of(actor)
    row = Appointment(staff=staff, role=role, asked_by=asked_by, operator=operator)
    row.goes_ahead_at = nobody_until(row)
    row.save(force_insert=True)
    _record(kinds.StaffRoleAsked(was=staff.role, role=role), staff, actor)
    return row


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
    put_role(subject, row.role, staff.actor)
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
    """Put a role in force whose moment has come. The last administrator's waits for another."""
    with suppress(LastAdministrator), transaction.atomic():
        staff = _lock_subject(appointment_id)
        row = go_ahead(Appointment, appointment_id)
        if row is not None:
            put_role(staff, row.role, SYSTEM)
            return True
    return False


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


def _waiting(staff: Staff) -> Appointment | None:
    return waiting_appointments().filter(staff=staff).first()


def _record(fact: kinds.Fact, staff: Staff, actor: Actor) -> None:
    record(actor=actor, subject=str(staff.actor), fact=fact)
