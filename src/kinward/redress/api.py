"""The face of `redress`: what other rooms may use."""

from kinward.redress.database import send_due_statements, written
from kinward.redress.models import Appeal, LongSilence, Statement
from kinward.redress.queries import (
    appeal_figures,
    appeal_waits,
    statements_of_case,
    told_to,
    waiting_appeals,
)
from kinward.redress.services import (
    MAX_APPEAL,
    MAX_WHY,
    AlreadyAppealed,
    AppealClosed,
    Facts,
    file_appeal,
    get_appeal,
    reverse_statements,
    settle_appeal,
    state_reasons,
)
from kinward.redress.silence import (
    SilenceTakesTwo,
    decide_long_silence,
    keep_silent,
    request_long_silence,
)
from kinward.redress.wording import state_words, statement_sentences

__all__ = [
    "MAX_APPEAL",
    "MAX_WHY",
    "AlreadyAppealed",
    "Appeal",
    "AppealClosed",
    "Facts",
    "LongSilence",
    "SilenceTakesTwo",
    "Statement",
    "appeal_figures",
    "appeal_waits",
    "decide_long_silence",
    "file_appeal",
    "get_appeal",
    "keep_silent",
    "request_long_silence",
    "reverse_statements",
    "send_due_statements",
    "settle_appeal",
    "state_reasons",
    "state_words",
    "statement_sentences",
    "statements_of_case",
    "told_to",
    "waiting_appeals",
    "written",
]
