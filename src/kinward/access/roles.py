"""The roles of staff and what each may do: the least that works."""

from typing import Final

REVIEW: Final = "review"  # work the queue, open evidence in a case held, give a verdict
OPERATE: Final = "operate"  # see and replay parked actions and reports
AUDIT: Final = "audit"  # read the ledger
BANKS: Final = "banks"  # see and search banks, and call a hash a false positive
POLICY: Final = "policy"  # propose a change of the rules, and decide on another's

ROLES: Final[dict[str, frozenset[str]]] = {
    "reviewer": frozenset({REVIEW, BANKS}),
    "operator": frozenset({OPERATE, BANKS}),
    "auditor": frozenset({AUDIT}),
    "policy lead": frozenset({POLICY}),
    "administrator": frozenset({REVIEW, OPERATE, BANKS, AUDIT, POLICY}),
}
