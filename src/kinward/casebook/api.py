"""The face of `casebook`: what other rooms may use."""

from kinward.casebook.kinds import (
    DISPUTE,
    FINDING_KINDS,
    MATCH,
    USER_REPORT,
    FindingKind,
    Ground,
    Unreadable,
    finding_kind,
    names_by_people,
)
from kinward.casebook.models import (
    HANDED_OVER,
    MAX_NOTE,
    Case,
    Finding,
    Priority,
    UserReport,
    Verdict,
)
from kinward.casebook.queries import get_case
from kinward.casebook.states import GIVEN_BACK, UNDECIDED, CaseState, check_move

__all__ = [
    "DISPUTE",
    "FINDING_KINDS",
    "GIVEN_BACK",
    "HANDED_OVER",
    "MATCH",
    "MAX_NOTE",
    "UNDECIDED",
    "USER_REPORT",
    "Case",
    "CaseState",
    "Finding",
    "FindingKind",
    "Ground",
    "Priority",
    "Unreadable",
    "UserReport",
    "Verdict",
    "check_move",
    "finding_kind",
    "get_case",
    "names_by_people",
]
