"""The face of `reporting`: what other rooms may use."""

from kinward.reporting.authorities.cybertipline.settings import CyberTiplineSettings
from kinward.reporting.authorities.cybertipline.validating import faults_of
from kinward.reporting.authorities.handover import HandOver
from kinward.reporting.authority import (
    authority,
    authority_for,
    check_authority_settings,
    installed_sections,
    names_in_use,
    vocabulary_of,
)
from kinward.reporting.corrections import (
    corrections_due,
    how_to_correct,
    open_correction,
    record_correction,
)
from kinward.reporting.draft import (
    CellPhone,
    Chat,
    Draft,
    Game,
    IpEvent,
    Mail,
    Newsgroup,
    NonInternet,
    PeerToPeer,
    Person,
    ReportedAccount,
    ReportedFile,
    WebPage,
)
from kinward.reporting.models import SETTLED, Call, Correction, Report, ReportState
from kinward.reporting.production import (
    approve_production,
    end_production,
    production_in_use,
    request_production,
    require_agreement,
)
from kinward.reporting.queries import (
    finished_numbers,
    packaged,
    parked_reports,
    reports_of_case,
    waiting_reports,
)
from kinward.reporting.services import (
    file_report,
    get_report,
    handed_over,
    lock_reports,
    open_report,
    unpark,
    withdraw,
    withdraw_report,
)
from kinward.reporting.vocabulary import PlaceKind, Vocabulary

__all__ = [
    "SETTLED",
    "Call",
    "CellPhone",
    "Chat",
    "Correction",
    "CyberTiplineSettings",
    "Draft",
    "Game",
    "HandOver",
    "IpEvent",
    "Mail",
    "Newsgroup",
    "NonInternet",
    "PeerToPeer",
    "Person",
    "PlaceKind",
    "Report",
    "ReportState",
    "ReportedAccount",
    "ReportedFile",
    "Vocabulary",
    "WebPage",
    "approve_production",
    "authority",
    "authority_for",
    "check_authority_settings",
    "corrections_due",
    "end_production",
    "faults_of",
    "file_report",
    "finished_numbers",
    "get_report",
    "handed_over",
    "how_to_correct",
    "installed_sections",
    "lock_reports",
    "names_in_use",
    "open_correction",
    "open_report",
    "packaged",
    "parked_reports",
    "production_in_use",
    "record_correction",
    "reports_of_case",
    "request_production",
    "require_agreement",
    "unpark",
    "vocabulary_of",
    "waiting_reports",
    "withdraw",
    "withdraw_report",
]
