"""The face of `casebook`: what other rooms may use."""

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
    "GIVEN_BACK",
    "HANDED_OVER",
    "MAX_NOTE",
    "UNDECIDED",
    "Case",
    "CaseState",
    "Finding",
    "Priority",
    "UserReport",
    "Verdict",
    "check_move",
    "get_case",
]
