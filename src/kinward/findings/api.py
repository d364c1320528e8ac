"""The face of `findings`: what other rooms may use."""

from kinward.findings.clear import Asked, receive_clear
from kinward.findings.floods import FloodUnseen, release_flood
from kinward.findings.intakes import IntakeIn, outcome_of_intake, receive_intake
from kinward.findings.retro import match_check_again, retro_match
from kinward.findings.upload import (
    FileSearch,
    Outcome,
    Prepared,
    prepare,
    receive,
    search_file,
    why_not_checked,
)
from kinward.findings.user_reports import (
    USER_REPORT_CATEGORIES,
    TooManyReports,
    UserReportIn,
    get_user_report,
    outcome_of_user_report,
    receive_user_report,
    report_pairing,
    user_reports_by,
)

__all__ = [
    "USER_REPORT_CATEGORIES",
    "Asked",
    "FileSearch",
    "FloodUnseen",
    "IntakeIn",
    "Outcome",
    "Prepared",
    "TooManyReports",
    "UserReportIn",
    "get_user_report",
    "match_check_again",
    "outcome_of_intake",
    "outcome_of_user_report",
    "prepare",
    "receive",
    "receive_clear",
    "receive_intake",
    "receive_user_report",
    "release_flood",
    "report_pairing",
    "retro_match",
    "search_file",
    "user_reports_by",
    "why_not_checked",
]
