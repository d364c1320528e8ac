"""Whose word stands behind a power of somebody, as the ledger tells it.

Nobody reviews what they did alone, and so nobody else does whom they alone gave that power. It
counts who gave each role, and not the last change: another role does not make a reviewer.
"""

from collections.abc import Collection
from typing import Final

from kinward.access.actor import Actor, ActorKind
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.access.roles import ROLES, counting, holding, permissions_of
from kinward.ledger.api import Entry, each_written, first_written, kinds

BY_DELAY: Final = str(Actor.system("access"))  # the role went ahead: only who asked has spoken


def owes_to(staff: Staff, permission: Permission, one: Actor) -> bool:
    """Return whether nobody but one person, or a key, gave somebody every role with a permission.

    Whom that person brought in has no word of their own, however long the chain. The first of the
    staff has, since there was nobody to ask before them. Where the ledger tells of no role, who
    added the person counts.
    """
    roles = [role for role in holding(permission) if role in staff.roles]
    return not any(_vouched(staff, role, one, frozenset({staff.pk})) for role in roles)


def _vouched(staff: Staff, role: str, one: Actor, seen: frozenset[int]) -> bool:
    """Return whether somebody else than one person gave a role last."""
    entry = _last_gift(staff, role)
    giver = entry.actor if entry else staff.added_by
    if entry and giver == BY_DELAY:
        asked = Entry.objects.filter(
            subject=str(staff.actor),
            kind=kinds.StaffRoleAsked.kind,
            data__role=role,
            seq__lt=entry.seq,
        )
        newest = first_written(asked.order_by("-seq"))
        giver = newest.actor if newest else None
    return _has_a_word(Actor.stored(giver or BY_DELAY), role, one, seen)


def _has_a_word(giver: Actor, role: str, one: Actor, seen: frozenset[int]) -> bool:
    if giver.kind == ActorKind.KEY or giver.is_namesake(one):
        return False
    if giver.kind != ActorKind.STAFF:
        return True
    person = Staff.objects.filter(username=giver.name).first()
    if person is None or person.pk in seen:
        return False
    if not Staff.objects.filter(pk__lt=person.pk).exists():
        return True
    gave_by = _roles_that_give(role)
    given = [other for other in gave_by if _last_gift(person, other)] or gave_by[:1]
    return any(_vouched(person, other, one, seen | {person.pk}) for other in given)


def _roles_that_give(role: str) -> list[str]:
    """List the roles whose holder gives or confirms a role."""
    powers: Collection[Permission] = counting([role]) or {Permission.MANAGE_STAFF}
    return [other for other in ROLES if permissions_of([other]).issuperset(powers)]


def _last_gift(staff: Staff, role: str) -> Entry | None:
    """Return the newest entry that put a role in force, of those that Kinward wrote."""
    changes = Entry.objects.filter(subject=str(staff.actor), kind=kinds.StaffRoleChanged.kind)
    for entry in each_written(changes.order_by("-seq")):
        was, now = (entry.data[field].split(", ") for field in ("was", "role"))
        if role in now and role not in was:
            return entry
    return None
