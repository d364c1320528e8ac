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
    MAX_SILENCE,
    Rehearsal,
    allow_again,
    decide_case,
    rehearse,
    settle_case_dispute,
)
from kinward.verdicts.disputes import disputed_pairings, disputed_teens
from kinward.verdicts.draft import ReportDetails, check_details, vocabulary_for
from kinward.verdicts.form import DECISIONS, Decision, VerdictForm
from kinward.verdicts.incidents import Where
from kinward.verdicts.minute import give_verdict, take_back
from kinward.verdicts.models import Backing, PairingOrder
from kinward.verdicts.orders import (
    OrderForm,
    decide_pairing_order,
    pause_by_command,
    pause_pairing,
    request_pairing_order,
)
from kinward.verdicts.page import page_of
from kinward.verdicts.proposals import answer_proposal, write_second_word
from kinward.verdicts.report import hand_over_report, refile_report
from kinward.verdicts.simulation import simulate_cases, simulate_edition
from kinward.verdicts.statement import state_at_once
from kinward.verdicts.void import give_back_void
from kinward.verdicts.words import (
    clause_in_words,
    consequences_in_words,
    fitting_clauses,
    require_fitting_clause,
)

__all__ = [
    "CONFIRMED_FOR_BANK",
    "DECISIONS",
    "FILE_REPORT",
    "MAX_SILENCE",
    "OWN_BANK",
    "WITHDRAW",
    "Backing",
    "Decision",
    "OrderForm",
    "PairingOrder",
    "Rehearsal",
    "ReportDetails",
    "VerdictForm",
    "Where",
    "act_at_once",
    "allow_again",
    "answer_proposal",
    "check_details",
    "clause_in_words",
    "conclude",
    "conclude_by_rule",
    "consequences_in_words",
    "contents_of_case",
    "decide_appeal",
    "decide_case",
    "decide_pairing_order",
    "disputed_pairings",
    "disputed_teens",
    "fitting_clauses",
    "give_back_void",
    "give_verdict",
    "hand_over_report",
    "lock_own_bank",
    "move_case",
    "page_of",
    "pause_by_command",
    "pause_pairing",
    "refile_report",
    "rehearse",
    "request_pairing_order",
    "require_fitting_clause",
    "settle_case_dispute",
    "simulate_cases",
    "simulate_edition",
    "state_at_once",
    "take_back",
    "vocabulary_for",
    "write_second_word",
]
