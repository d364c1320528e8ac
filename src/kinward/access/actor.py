"""Actors: a member of staff, an API key, an operator, the system, a rule, or an account.

The ledger names an actor by `str(actor)`. A stored name is a record and gives no authority, so
`Actor.stored` returns an actor without permissions.
"""

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from kinward.access.permissions import Permission
from kinward.access.roles import least_roles
from kinward.ground.errors import Forbidden

EVERYTHING: Final = frozenset(Permission)
AS: Final = " as "  # between the two names of an operator who became another user


class ActorKind(StrEnum):
    """The kind of an actor: the first word of its name in the ledger."""

    STAFF = "staff"
    KEY = "key"  # its scopes, which the gate checks, say what it may do
    OPERATOR = "operator"  # runs commands on the machine, and so has the database
    SYSTEM = "system"  # Kinward's own jobs
    RULE = "rule"  # a rule of the guidelines that gave a verdict
    ACCOUNT = "account"  # an account of the platform, acting for itself or its family


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a part of the system that acts, with its permissions."""

    kind: ActorKind
    name: str
    permissions: frozenset[Permission] = frozenset()

    def __str__(self) -> str:
        """Return the actor's name in the ledger.

        >>> str(Actor.system("enforcement"))
        'system:enforcement'
        """
        return f"{self.kind}:{self.name}"

    def may(self, permission: Permission) -> bool:
        """Return whether the actor has a permission."""
        return permission in self.permissions

    def must(self, permission: Permission) -> None:
        """Raise `Forbidden` unless the actor has a permission."""
        if not self.may(permission):
            raise Forbidden(_refusal(permission))

    def is_namesake(self, other: "Actor") -> bool:
        """Return whether two actors may be one person: they share a name, whatever its case.

        >>> Actor.operator("kai").is_namesake(Actor(ActorKind.STAFF, "Kai"))
        True
        >>> Actor.operator("kai as robin").is_namesake(Actor.operator("robin"))
        True
        """
        return not self._names.isdisjoint(other._names)

    @property
    def _names(self) -> frozenset[str]:
        names = self.name.split(AS) if self.kind == ActorKind.OPERATOR else [self.name]
        return frozenset(map(_folded, names))

    def granted(self, permission: Permission) -> "Actor":
        """Return the actor with one more permission, for the consequences of a checked decision."""
        return replace(self, permissions=self.permissions | {permission})

    @classmethod
    def key(cls, name: str) -> "Actor":
        """Return an API key as an actor, without permissions."""
        return cls(ActorKind.KEY, name)

    @classmethod
    def operator(cls, user: str) -> "Actor":
        """Return the system user who runs a command as an actor, with every permission."""
        return cls(ActorKind.OPERATOR, user, EVERYTHING)

    @classmethod
    def system(cls, room: str) -> "Actor":
        """Return a room whose job acts by itself as an actor, with every permission."""
        return cls(ActorKind.SYSTEM, room, EVERYTHING)

    @classmethod
    def rule(cls, name: str) -> "Actor":
        """Return a rule of the guidelines as an actor, without permissions."""
        return cls(ActorKind.RULE, name)

    @classmethod
    def account(cls, platform_id: str) -> "Actor":
        """Return an account of the platform as an actor, without permissions."""
        return cls(ActorKind.ACCOUNT, platform_id)

    @classmethod
    def stored(cls, text: str) -> "Actor":
        """Read a stored name. The actor has no permissions.

        >>> Actor.stored("staff:robin").may(Permission.WORK_ON_CASES)
        False
        """
        kind, _, name = text.partition(":")
        return cls(ActorKind(kind), name)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _refusal(permission: Permission) -> str:
    roles = least_roles(permission)
    if not roles:
        return f"{permission.doing} is done on the command line."
    with_article = [f"{'an' if role[0] in 'aeiou' else 'a'} {role}" for role in roles]
    return f"{permission.doing} needs the role of {' or '.join(with_article)}."
