"""The working life of the staff: it begins, changes, pauses and ends, and each step is an entry.

Whoever loses power loses it at once. The next request of any of their sessions finds nobody signed
in, a lease of theirs holds no case, and nothing that they asked for can be approved.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from secrets import token_urlsafe
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from kinward.access.actor import Actor, ActorKind
from kinward.access.models import Staff, StaffIdentity
from kinward.access.permissions import Permission
from kinward.access.power_list import note_staff
from kinward.access.provisioned import ProvisionedPerson
from kinward.access.roles import ADMINISTRATOR, ROLES, holding, in_order, permissions_of
from kinward.access.services import NameTaken
from kinward.access.step_up import require_fresh_factor
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
def create_staff(*, username: str, password: str, roles: Collection[str], actor: Actor) -> Staff:
    """Create a staff account whose roles are in force at once, for the demo's invented people.

    Everybody else joins by an invitation. Raises `NameTaken`, or `Invalid` for an unknown role, an
    unreadable name or a weak password, and unless Kinward itself does it.
    """
    actor.must(Permission.MANAGE_STAFF)
    if actor.kind != ActorKind.SYSTEM:
        raise Invalid("People join by an invitation: `kinward staff invite`.")
    check_roles(roles)
    staff = add_person(username=username, password=password, added_by=str(actor))
    staff.roles = in_order(roles)
    staff.save(update_fields=["roles"])
    record(actor=actor, subject=str(staff.actor), fact=kinds.StaffCreated(role=listed(roles)))
    return staff


def add_person(*, username: str, password: str, added_by: str, email: str = "") -> Staff:
    """Add a row without a role. The caller writes the ledger entry.

    Raises `NameTaken`, or `Invalid` for an unreadable name or a weak password.
    """
    check_name(username)
    try:
        validate_password(password, Staff(username=username))
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error
    return Staff.objects.create_user(
        username=username, password=password, email=email, added_by=added_by[:200]
    )


def add_without_password(*, username: str, added_by: str) -> Staff:
    """Add a row that signs in by a provider only. The caller writes the ledger entry.

    Raises `NameTaken`, or `Invalid` for an unreadable name.
    """
    staff = add_person(username=username, password=token_urlsafe(32), added_by=added_by)
    staff.set_unusable_password()
    staff.save(update_fields=["password"])
    return staff


def check_name(username: str) -> None:
    """Raise `Invalid` for a name that cannot be read, and `NameTaken`.

    Names that differ only in case are one, so that nobody is a second person to themself.
    """
    if not 1 <= len(username) <= MAX_NAME or visible(username) != username:
        raise Invalid(f"A name has 1 to {MAX_NAME} characters, each of which can be seen.")
    if namesake := Staff.objects.filter(username__iexact=username).first():
        raise NameTaken(f"There is a staff account named {namesake.username!r}.")


def holders(permission: Permission) -> QuerySet[Staff]:
    """Return those of the staff who have a permission now, by name."""
    return holders_of_all(frozenset({permission}))


def holders_of_all(permissions: frozenset[Permission]) -> QuerySet[Staff]:
    """Return those of the staff whose roles together give all of these permissions now, by name."""
    rows = Staff.objects.filter(is_active=True, roles__len__gt=0)
    for permission in sorted(permissions):
        rows = rows.filter(roles__overlap=holding(permission))
    return rows.order_by("username")


def check_roles(roles: Collection[str]) -> None:
    """Raise `Invalid` for an unknown role, or without any."""
    if unknown := set(roles) - set(ROLES):
        raise Invalid(f"Unknown role {min(unknown)!r}. Roles are: {', '.join(sorted(ROLES))}.")
    if not roles:
        raise Invalid("Choose at least one role.")


def listed(roles: Collection[str]) -> str:
    """Name some roles in a ledger entry."""
    return ", ".join(in_order(roles))


def put_roles(staff: Staff, roles: Collection[str], actor: Actor) -> None:
    """Put exactly these roles in force. Who had others is signed out everywhere.

    The caller holds the row's lock. Idempotent. Raises `LastAdministrator`.
    """
    was, now = staff.roles, in_order(roles)
    if was == now:
        return
    if ADMINISTRATOR not in now:
        keep_an_administrator(staff)
    if staff.is_active and permissions_of(was) - permissions_of(now):
        staff.power_lost_at = timezone.now()
    staff.roles = now
    fact = kinds.StaffRoleChanged(was=listed(was), role=listed(now))
    _save(staff, actor, fact, signs_out=bool(was))


@transaction.atomic
def suspend_staff(*, username: str, actor: Actor) -> None:
    """Suspend somebody until they are resumed, and sign them out everywhere. Idempotent.

    What a provider suspended before is suspended by this actor from then on. Raises `NotFound`,
    `StaffEnded` or `LastAdministrator`.
    """
    actor.must(Permission.END_STAFF)
    staff = lock_staff(username)
    StaffIdentity.objects.filter(staff=staff).update(suspended=False)
    ProvisionedPerson.objects.filter(staff=staff).update(suspended=False)
    if not staff.is_active:
        return
    keep_an_administrator(staff)
    staff.is_active, staff.power_lost_at = False, timezone.now()
    _save(staff, actor, kinds.StaffSuspended())


def reactivate(staff: Staff, actor: Actor) -> None:
    """End a suspension. The caller holds the row's lock, and took the roles that count."""
    staff.is_active = True
    _save(staff, actor, kinds.StaffResumed())


@transaction.atomic
def end_staff(*, username: str, actor: Actor) -> None:
    """End a staff account for good, and sign it out everywhere. Its name stays taken.

    Raises `NotFound`, `StaffEnded` or `LastAdministrator`.
    """
    actor.must(Permission.END_STAFF)
    require_fresh_factor()  # nothing brings the account back, and a suspension ends access as well
    staff = lock_staff(username)
    keep_an_administrator(staff)
    staff.is_active = False
    staff.ended_at = staff.power_lost_at = timezone.now()
    staff.appointments.filter(state="asked").delete()  # the ledger keeps that it was asked for
    _save(staff, actor, kinds.StaffEnded())


@transaction.atomic
def sign_out_everywhere(*, username: str, actor: Actor) -> None:
    """End all sessions of somebody, who may sign in again. Raises `NotFound` or `StaffEnded`."""
    actor.must(Permission.END_STAFF)
    _save(lock_staff(username), actor, kinds.StaffSignedOut())


def lock_staff(username: str) -> Staff:
    """Lock an account, and the administrators with it, so that two cannot end each other."""
    locked = Staff.objects.select_for_update().order_by("pk")
    list(_administrators(locked))
    staff = locked.filter(username=username).first()
    if staff is None:
        raise NotFound(f"There is no staff account named {username!r}.")
    if staff.ended_at is not None:
        raise StaffEnded(f"{username!r} ended on {staff.ended_at:%Y-%m-%d}.")
    return staff


def _administrators(rows: QuerySet[Staff]) -> QuerySet[Staff]:
    return rows.filter(roles__contains=[ADMINISTRATOR], is_active=True)


def lock_all(pks: Iterable[int]) -> None:
    """Lock several accounts, and the administrators before them, as `lock_staff` does for one."""
    locked = Staff.objects.select_for_update().order_by("pk")
    list(_administrators(locked))
    list(locked.filter(pk__in=list(pks)))


def keep_an_administrator(leaving: Staff) -> None:
    """Raise `LastAdministrator` if nobody else is an active administrator."""
    if ADMINISTRATOR not in leaving.roles or not leaving.is_active:
        return
    if not _administrators(Staff.objects.exclude(pk=leaving.pk)).exists():
        raise LastAdministrator(f"It is {leaving.username!r}.")


def _save(staff: Staff, actor: Actor, fact: kinds.Fact, *, signs_out: bool = True) -> None:
    if signs_out:
        staff.sign_outs = F("sign_outs") + 1  # no session of theirs goes on
    staff.save(update_fields=["roles", "is_active", "ended_at", "power_lost_at", "sign_outs"])
    note_staff(staff.pk)
    record(actor=actor, subject=str(staff.actor), fact=fact)


def sign_out(staff: Staff) -> None:
    """End all sessions of somebody. The caller writes the ledger entry."""
    Staff.objects.filter(pk=staff.pk).update(sign_outs=F("sign_outs") + 1)


SEEN_MINUTES: Final = 5.0


def note_seen(staff: Staff) -> None:
    """Note that somebody is at work, at most once in five minutes."""
    now = timezone.now()
    if staff.seen_at is None or now - staff.seen_at > timedelta(minutes=SEEN_MINUTES):
        Staff.objects.filter(pk=staff.pk).update(seen_at=now)
