"""The face of `casebook`: what other rooms may use."""

from kinward.casebook.fresh import require_fresh
from kinward.casebook.gravity import (
    ENDS,
    NOT_ON_ONE_WORD,
    SHORT_SILENCE_DAYS,
    TWO_PEOPLE,
    Act,
    Gravity,
)
from kinward.casebook.kinds import (
    DISPUTE,
    FINDING_KINDS,
    INTAKE,
    MATCH,
    USER_REPORT,
    WARD,
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
    PendingVerdict,
    Priority,
    UserReport,
    Verdict,
    VerdictProposal,
)
from kinward.casebook.queries import about_or_reported_by, get_case
from kinward.casebook.states import GIVEN_BACK, UNDECIDED, CaseState, check_move

__all__ = [
    "DISPUTE",
    "ENDS",
    "FINDING_KINDS",
    "GIVEN_BACK",
    "HANDED_OVER",
    "INTAKE",
    "MATCH",
    "MAX_NOTE",
    "NOT_ON_ONE_WORD",
    "SHORT_SILENCE_DAYS",
    "TWO_PEOPLE",
    "UNDECIDED",
    "USER_REPORT",
    "WARD",
    "Act",
    "Case",
    "CaseState",
    "Finding",
    "FindingKind",
    "Gravity",
    "Ground",
    "PendingVerdict",
    "Priority",
    "Unreadable",
    "UserReport",
    "Verdict",
    "VerdictProposal",
    "about_or_reported_by",
    "check_move",
    "finding_kind",
    "get_case",
    "names_by_people",
    "require_fresh",
]
