"""The roles of staff and what each may do: the least that works."""

from typing import Final

REVIEW: Final = "review"  # work the queue, open evidence in a case held, give a verdict
SENIOR: Final = "senior"  # free a case that another holds, and read verdicts a second time
OPERATE: Final = "operate"  # see and replay parked actions and reports
AUDIT: Final = "audit"  # read the ledger
BANKS: Final = "banks"  # see and search banks, and call a hash a false positive
POLICY: Final = "policy"  # propose a change of the rules, and decide on another's
CUSTODY: Final = "custody"  # hold evidence, and ask for and approve its release

# The least role that may, as a refusal names it.
NEEDED: Final = {
    REVIEW: "a reviewer",
    SENIOR: "a senior reviewer",
    OPERATE: "an operator",
    AUDIT: "an auditor",
    BANKS: "a reviewer or an operator",
    POLICY: "a policy lead",
    CUSTODY: "an evidence custodian",
}

ROLES: Final[dict[str, frozenset[str]]] = {
    "reviewer": frozenset({REVIEW, BANKS}),
    "senior reviewer": frozenset({REVIEW, SENIOR, BANKS}),
    "operator": frozenset({OPERATE, BANKS}),
    "auditor": frozenset({AUDIT}),
    "policy lead": frozenset({POLICY}),
    "evidence custodian": frozenset({CUSTODY}),
    "administrator": frozenset({REVIEW, SENIOR, OPERATE, BANKS, AUDIT, POLICY, CUSTODY}),
}
