"""The roles of staff, each with as few permissions as it needs."""

from collections.abc import Collection
from typing import Final

from kinward.access.permissions import Permission

_BANKS: Final = frozenset({Permission.SEE_BANKS, Permission.MARK_HASHES})
_REVIEWER: Final = _BANKS | {
    Permission.WORK_ON_CASES,
    Permission.OPEN_EVIDENCE,
    Permission.CHOOSE_VIEWING,
    Permission.KEEP_SILENT,
    Permission.DECIDE_APPEALS,
}
_SENIOR: Final = _REVIEWER | {
    Permission.FREE_CASES,
    Permission.READ_VERDICTS,
    Permission.SILENCE_MATCHES,
    Permission.SETTLE_FLOODS,
    Permission.REVIEW_GLASS,
}
_OPERATOR: Final = _BANKS | {
    Permission.REPLAY,
    Permission.END_WAVES,
    Permission.SWITCH_REPORTING,
    Permission.SWITCH_BANKS,
    Permission.TUNE_BANKS,
}
_AUDITOR: Final = frozenset({Permission.READ_LEDGER, Permission.REVIEW_GLASS})
_LEAD: Final = frozenset(
    {
        Permission.CHANGE_POLICY,
        Permission.CHANGE_GUIDELINES,
        Permission.SEE_BANKS,
        Permission.TUNE_BANKS,
        Permission.SILENCE_MATCHES,
    }
)
_CUSTODIAN: Final = frozenset(
    {
        Permission.HOLD_EVIDENCE,
        Permission.DESTROY_EVIDENCE,
        Permission.ERASE_ACCOUNTS,
        Permission.RELEASE_RECORDS,
        Permission.HAND_OVER_REPORTS,
    }
)
ADMINISTRATOR: Final = "administrator"

ROLES: Final[dict[str, frozenset[Permission]]] = {
    "reviewer": _REVIEWER,
    "senior reviewer": _SENIOR,
    "operator": _OPERATOR,
    "auditor": _AUDITOR,
    "policy lead": _LEAD,
    "evidence custodian": _CUSTODIAN,
    ADMINISTRATOR: _SENIOR
    | _OPERATOR
    | _AUDITOR
    | _LEAD
    | _CUSTODIAN
    | {Permission.MANAGE_STAFF, Permission.END_STAFF},
}

# What takes two people: who holds one of these can agree to what a colleague asks for.
TAKES_TWO: Final = frozenset(
    {
        Permission.WORK_ON_CASES,
        Permission.KEEP_SILENT,
        Permission.HOLD_EVIDENCE,
        Permission.DESTROY_EVIDENCE,
        Permission.ERASE_ACCOUNTS,
        Permission.RELEASE_RECORDS,
        Permission.SWITCH_REPORTING,
        Permission.SWITCH_BANKS,
        Permission.TUNE_BANKS,
        Permission.SILENCE_MATCHES,
        Permission.MARK_HASHES,
        Permission.CHANGE_POLICY,
        Permission.CHANGE_GUIDELINES,
        Permission.MANAGE_STAFF,
    }
)


def permissions_of(roles: Collection[str]) -> frozenset[Permission]:
    """Return what somebody with these roles may do: what any of them allows.

    >>> Permission.READ_LEDGER in permissions_of(["reviewer", "auditor"]), permissions_of([])
    (True, frozenset())
    """
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))


def counting(roles: Collection[str]) -> frozenset[Permission]:
    """Return the permissions of some roles that count where two people are needed.

    >>> counting(["auditor"]), Permission.HOLD_EVIDENCE in counting(["evidence custodian"])
    (frozenset(), True)
    """
    return permissions_of(roles) & TAKES_TWO


def in_order(roles: Collection[str]) -> list[str]:
    """Return the known ones of some roles, each once, in the order in which they are declared.

    >>> in_order(["auditor", "reviewer", "auditor"])
    ['reviewer', 'auditor']
    """
    return [role for role in ROLES if role in roles]


def in_words(roles: Collection[str]) -> str:
    """Name some roles in a sentence.

    >>> in_words(["reviewer"]), in_words(["auditor", "operator", "reviewer"]), in_words([])
    ('reviewer', 'reviewer, operator and auditor', 'no role')
    """
    *first, last = in_order(roles) or ["no role"]
    return f"{', '.join(first)} and {last}" if first else last


def holding(permission: Permission) -> list[str]:
    """List the roles that have a permission."""
    return [role for role, allowed in ROLES.items() if permission in allowed]


def least_roles(permission: Permission) -> list[str]:
    """List the smallest roles with a permission; none if only the command line has it.

    >>> least_roles(Permission.SEE_BANKS), least_roles(Permission.MANAGE_KEYS)
    (['reviewer', 'operator', 'policy lead'], [])
    """
    allowing = {role: allowed for role, allowed in ROLES.items() if permission in allowed}
    return [
        role
        for role, allowed in allowing.items()
        if not any(other < allowed for other in allowing.values())
    ]
