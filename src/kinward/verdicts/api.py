"""The face of `verdicts`: what other rooms may use."""

from kinward.verdicts.appeals import WITHDRAW, decide_appeal
from kinward.verdicts.bank import OWN_BANK, lock_own_bank
from kinward.verdicts.conclusion import conclude, conclude_by_rule, move_case
from kinward.verdicts.consequences import (
    CONFIRMED_FOR_BANK,
    FILE_REPORT,
    act_at_once,
    contents_of_case,
)
from kinward.verdicts.decision import (
    DECISIONS,
    MAX_SILENCE,
    Decision,
    VerdictForm,
    decide_case,
    settle_case_dispute,
)
from kinward.verdicts.disputes import disputed_pairings, disputed_teens
from kinward.verdicts.draft import ReportDetails, check_details, vocabulary_for
from kinward.verdicts.incidents import Where
from kinward.verdicts.models import Backing
from kinward.verdicts.page import page_of
from kinward.verdicts.report import hand_over_report, refile_report
from kinward.verdicts.simulation import simulate_cases, simulate_edition
from kinward.verdicts.statement import state_at_once
from kinward.verdicts.void import give_back_void

__all__ = [
    "CONFIRMED_FOR_BANK",
    "DECISIONS",
    "FILE_REPORT",
    "MAX_SILENCE",
    "OWN_BANK",
    "WITHDRAW",
    "Backing",
    "Decision",
    "ReportDetails",
    "VerdictForm",
    "Where",
    "act_at_once",
    "check_details",
    "conclude",
    "conclude_by_rule",
    "contents_of_case",
    "decide_appeal",
    "decide_case",
    "disputed_pairings",
    "disputed_teens",
    "give_back_void",
    "hand_over_report",
    "lock_own_bank",
    "move_case",
    "page_of",
    "refile_report",
    "settle_case_dispute",
    "simulate_cases",
    "simulate_edition",
    "state_at_once",
    "vocabulary_for",
]
