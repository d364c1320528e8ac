"""Who does something: a person of the staff, a key, an operator, the system, a rule, an account.

`str(actor)` is how the ledger names it. A name that was stored is a record and not an authority:
what `Actor.stored` gives back may nothing.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from kinward.access.permissions import Permission
from kinward.access.roles import least_roles
from kinward.ground.errors import Forbidden

EVERYTHING: Final = frozenset(Permission)


class ActorKind(StrEnum):
    """What kind of actor it is: the first word of its name in the ledger."""

    STAFF = "staff"
    KEY = "key"  # what a key may is said by its scopes, which the gate checks
    OPERATOR = "operator"  # whoever runs commands on the machine, and so has the database
    SYSTEM = "system"  # Kinward's own jobs
    RULE = "rule"  # a rule of the guidelines that gave a verdict
    ACCOUNT = "account"  # an account of the platform, for itself or its family


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts, and what it may do."""

    kind: ActorKind
    name: str
    permissions: frozenset[Permission] = frozenset()

    def __str__(self) -> str:
        """Name it as the ledger does.

        >>> str(Actor.system("enforcement"))
        'system:enforcement'
        """
        return f"{self.kind}:{self.name}"

    def may(self, permission: Permission) -> bool:
        """Say whether it may do this."""
        return permission in self.permissions

    def must(self, permission: Permission) -> None:
        """Raise `Forbidden` unless it may do this."""
        if not self.may(permission):
            raise Forbidden(_refusal(permission))

    def granted(self, permission: Permission) -> "Actor":
        """Allow one thing more, for what follows from a decision that was checked already."""
        return replace(self, permissions=self.permissions | {permission})

    @classmethod
    def key(cls, name: str) -> "Actor":
        """Name an API key."""
        return cls(ActorKind.KEY, name)

    @classmethod
    def operator(cls, user: str) -> "Actor":
        """Name the system user who runs a command. They may everything."""
        return cls(ActorKind.OPERATOR, user, EVERYTHING)

    @classmethod
    def system(cls, room: str) -> "Actor":
        """Name a room whose job acts by itself. It may everything."""
        return cls(ActorKind.SYSTEM, room, EVERYTHING)

    @classmethod
    def rule(cls, name: str) -> "Actor":
        """Name a rule of the guidelines."""
        return cls(ActorKind.RULE, name)

    @classmethod
    def account(cls, platform_id: str) -> "Actor":
        """Name an account of the platform."""
        return cls(ActorKind.ACCOUNT, platform_id)

    @classmethod
    def stored(cls, text: str) -> "Actor":
        """Read a name that was stored. It may nothing.

        >>> Actor.stored("staff:robin").may(Permission.WORK_ON_CASES)
        False
        """
        kind, _, name = text.partition(":")
        return cls(ActorKind(kind), name)


def _refusal(permission: Permission) -> str:
    roles = least_roles(permission)
    if not roles:
        return f"{permission.doing} is done on the command line."
    with_article = [f"{'an' if role[0] in 'aeiou' else 'a'} {role}" for role in roles]
    return f"{permission.doing} needs the role of {' or '.join(with_article)}."
