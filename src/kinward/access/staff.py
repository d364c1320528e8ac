"""The working life of the staff: it begins, changes, pauses and ends, and each step is an entry.

Whoever loses power loses it at once. The next request of any of their sessions finds nobody signed
in, a lease of theirs holds no case, and nothing that they asked for can be approved.
"""

from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.access.roles import ADMINISTRATOR, ROLES
from kinward.access.services import NameTaken
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.names import visible
from kinward.ledger.api import kinds, record

MAX_NAME: Final = 150  # characters of the name of a member of the staff


class LastAdministrator(KinwardError):
    """This is the last active administrator. Add another one first."""

    code = "staff.last_administrator"
    status = 409


class StaffEnded(KinwardError):
    """This staff account has ended for good. Add a new one under another name."""

    code = "staff.ended"
    status = 409


@transaction.atomic
def create_staff(*, username: str, password: str, role: str, actor: Actor) -> Staff:
    """Create a staff account, whose second factor is set up at the first sign-in.

    Raises `NameTaken`, or `Invalid` for an unknown role, an unreadable name or a weak password.
    """
    actor.must(Permission.MANAGE_STAFF)
    _check_role(role)
    if not 1 <= len(username) <= MAX_NAME or visible(username) != username:
        raise Invalid(f"A name has 1 to {MAX_NAME} characters, each of which can be seen.")
    try:
        validate_password(password)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error
    # Names that differ only in case are one, so that nobody is a second person to themself.
    if namesake := Staff.objects.filter(username__iexact=username).first():
        raise NameTaken(f"There is a staff account named {namesake.username!r}.")
    staff = Staff.objects.create_user(
        username=username, password=password, role=role, added_by=str(actor)[:200]
    )
    record(actor=actor, subject=str(staff.actor), fact=kinds.StaffCreated(role=role))
    return staff


def holders(permission: Permission) -> QuerySet[Staff]:
    """Return those of the staff who have a permission now, by name."""
    roles = [role for role, allowed in ROLES.items() if permission in allowed]
    return Staff.objects.filter(is_active=True, role__in=roles).order_by("username")


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Invalid(f"Unknown role {role!r}. Roles are: {', '.join(sorted(ROLES))}.")


@transaction.atomic
def change_role(*, username: str, role: str, actor: Actor) -> None:
    """Give somebody another role, and sign them out everywhere. Idempotent.

    Raises `NotFound`, `StaffEnded`, `LastAdministrator`, or `Invalid` for an unknown role.
    """
    actor.must(Permission.MANAGE_STAFF)
    _check_role(role)
    staff = _lock(username)
    if staff.role == role:
        return
    _keep_an_administrator(staff)
    was, staff.role, staff.power_lost_at = staff.role, role, timezone.now()
    _save(staff, actor, kinds.StaffRoleChanged(was=was, role=role))


@transaction.atomic
def suspend_staff(*, username: str, actor: Actor) -> None:
    """Suspend somebody until they are resumed, and sign them out everywhere. Idempotent.

    Raises `NotFound`, `StaffEnded` or `LastAdministrator`.
    """
    actor.must(Permission.END_STAFF)
    staff = _lock(username)
    if not staff.is_active:
        return
    _keep_an_administrator(staff)
    staff.is_active, staff.power_lost_at = False, timezone.now()
    _save(staff, actor, kinds.StaffSuspended())


@transaction.atomic
def resume_staff(*, username: str, actor: Actor) -> None:
    """End a suspension. Idempotent. Raises `NotFound` or `StaffEnded`."""
    actor.must(Permission.MANAGE_STAFF)
    staff = _lock(username)
    if staff.is_active:
        return
    staff.is_active = True
    _save(staff, actor, kinds.StaffResumed())


@transaction.atomic
def end_staff(*, username: str, actor: Actor) -> None:
    """End a staff account for good, and sign it out everywhere. Its name stays taken.

    Raises `NotFound`, `StaffEnded` or `LastAdministrator`.
    """
    actor.must(Permission.END_STAFF)
    staff = _lock(username)
    _keep_an_administrator(staff)
    staff.is_active = False
    staff.ended_at = staff.power_lost_at = timezone.now()
    _save(staff, actor, kinds.StaffEnded())


@transaction.atomic
def sign_out_everywhere(*, username: str, actor: Actor) -> None:
    """End all sessions of somebody, who may sign in again. Raises `NotFound` or `StaffEnded`."""
    actor.must(Permission.END_STAFF)
    _save(_lock(username), actor, kinds.StaffSignedOut())


def _lock(username: str) -> Staff:
    """Lock an account, and the administrators with it, so that two cannot end each other."""
    locked = Staff.objects.select_for_update().order_by("pk")
    list(locked.filter(role=ADMINISTRATOR, is_active=True))
    staff = locked.filter(username=username).first()
    if staff is None:
        raise NotFound(f"There is no staff account named {username!r}.")
    if staff.ended_at is not None:
        raise StaffEnded(f"{username!r} ended on {staff.ended_at:%Y-%m-%d}.")
    return staff


def _keep_an_administrator(leaving: Staff) -> None:
    if leaving.role != ADMINISTRATOR or not leaving.is_active:
        return
    others = Staff.objects.filter(role=ADMINISTRATOR, is_active=True).exclude(pk=leaving.pk)
    if not others.exists():
        raise LastAdministrator(f"It is {leaving.username!r}.")


def _save(staff: Staff, actor: Actor, fact: kinds.Fact) -> None:
    staff.sign_outs = F("sign_outs") + 1  # no session of theirs goes on
    staff.save(update_fields=["role", "is_active", "ended_at", "power_lost_at", "sign_outs"])
    record(actor=actor, subject=str(staff.actor), fact=fact)
