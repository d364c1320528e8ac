"""What a restored backup gives back in vain: sessions, invitations, and power that was lost since.

The database is as it was at the backup. Whoever left since would be back, and so would the secret
of a key that was revoked or rotated. The list of power takes both again, and gives nothing.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.db import transaction

from kinward.access.actor import Actor, ActorKind
from kinward.access.appointments import change_roles
from kinward.access.invitations import open_invitations, withdraw_invitation
from kinward.access.models import ApiKey, Staff
from kinward.access.permissions import Permission
from kinward.access.power_list import PowerLine, last_lines, line_of_key
from kinward.access.services import revoke_key
from kinward.access.staff import (
    LastAdministrator,
    end_staff,
    sign_out_everywhere,
    suspend_staff,
)


@transaction.atomic
def end_access_of_backup(*, actor: Actor) -> int:
    """End all sessions, known devices and open invitations of a backup; return how many people.

    Somebody may have taken such an invitation since, or may still have the browser of a session.
    """
    actor.must(Permission.END_STAFF)
    for invitation in open_invitations():
        withdraw_invitation(username=invitation.username, actor=actor)
    names = list(Staff.objects.filter(ended_at=None).values_list("username", flat=True))
    for name in names:
        sign_out_everywhere(username=name, actor=actor)
    return len(names)


@transaction.atomic
def take_lost_power(*, since: datetime, path: Path, actor: Actor) -> list[str]:
    """Take the power that people and keys have lost since a moment, as the list at a path says.

    Returns a sentence for each. Idempotent. Raises `Invalid` for a list that cannot be read.
    """
    actor.must(Permission.END_STAFF)
    return [told for line in last_lines(path, since) for told in _take(line, actor)]


def _take(line: PowerLine, actor: Actor) -> Iterator[str]:
    kind, _, name = line.subject.partition(":")
    if kind == ActorKind.KEY:
        yield from _take_key(name, line, actor)
        return
    staff = Staff.objects.filter(username=name, ended_at=None).first()
    if staff is None:  # joined after the backup, or had left before it
        return
    try:
        with transaction.atomic():
            yield from _take_staff(staff, line, actor)
    except LastAdministrator:
        yield (
            f"{name} has lost power since, and is the only administrator of the backup. Invite "
            f"another one, then run `kinward staff end {name}`."
        )


def _take_staff(staff: Staff, line: PowerLine, actor: Actor) -> Iterator[str]:
    name = staff.username
    if line.ended:
        end_staff(username=name, actor=actor)
        yield f"{name} has left since, and has left again."
        return
    left = [role for role in staff.roles if role in line.holds]
    if left != staff.roles:
        change_roles(username=name, roles=left, actor=actor)
        yield f"{name} has fewer roles since, and has them no more."
    if staff.is_active and not line.live:
        suspend_staff(username=name, actor=actor)
        yield f"{name} has been suspended since, and is again."


def _take_key(name: str, line: PowerLine, actor: Actor) -> Iterator[str]:
    key = ApiKey.objects.filter(name=name, revoked_at=None).first()
    if key is None:
        return
    now = line_of_key(key)
    longer = line.until is not None and (now.until is None or now.until > line.until)
    if line.live and now.digest == line.digest and set(now.holds) <= set(line.holds) and not longer:
        return
    revoke_key(name=name, actor=actor)
    yield f"The key {name} was revoked or changed since, and is revoked. Create another one."
