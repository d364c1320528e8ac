"""Endpoints for families: portal sessions, daily counts, pass-codes and user reports."""

from datetime import UTC, date, datetime
from typing import Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
from django.utils.translation import gettext, override

from kinward.families.api import (
    LINK_SECONDS,
    TOPICS,
    Counts,
    ScreenTime,
    Start,
    open_portal,
    passcode_sheet,
    put_activity,
    use_passcode,
)
from kinward.findings.api import (
    USER_REPORT_CATEGORIES,
    IntakeIn,
    UserReportIn,
    get_user_report,
    outcome_of_intake,
    outcome_of_user_report,
    receive_intake,
    receive_user_report,
)
from kinward.gate.calls import Call, Created
from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.ground.text import MAX_ID, is_id
from kinward.people.api import get_account
from kinward.policy import known_language


class PortalSessionIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The account that is signed in to the platform, and the first page of its visit."""

    account_id: str
    start: Start = Start()


class PortalLink(msgspec.Struct, frozen=True):
    """A link that works once, within `expires_in` seconds."""

    portal_session_id: str
    url: str
    expires_in: int


class Day(msgspec.Struct, frozen=True):
    """The current counts of one day of an account."""

    account_id: str
    day: date
    counts: dict[str, int]


class PasscodeSheet(msgspec.Struct, frozen=True):
    """A signed list with which an offline device checks pass-codes."""

    body: str
    signature: str
    key: str


class PasscodeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pass-code, and when it was used, if it was used offline."""

    code: str
    at: datetime | None = None


class ReportTaken(msgspec.Struct, frozen=True):
    """A user report that was received: what to tell the reporter, and which help to show."""

    report_id: str
    outcome: Literal["received"]
    sentence: str
    help: Literal["talk", "image", "emergency"] | None
    safety_center: str


class ReportOutcome(msgspec.Struct, frozen=True):
    """The outcome of a user report. It never tells what was done to whom."""

    report_id: str
    outcome: Literal["received", "acted", "closed"]


class IntakeTaken(msgspec.Struct, frozen=True):
    """An intake, and what became of it. `sentence` is for whoever sent it."""

    intake_id: str
    outcome: Literal["received", "acted", "closed"]
    sentence: str


def open_portal_session(call: Call[PortalSessionIn]) -> Created[PortalLink]:
    """Create a link to the family pages for an account that is signed in to the platform."""
    start = call.body.start
    if any(text and not is_id(text) for text in (start.account_id, start.content_id, start.code)):
        raise Invalid(f"Ids and codes in `start` have at most {MAX_ID} printable characters.")
    secret, session = open_portal(account_id=call.body.account_id, start=start, actor=call.actor)
    url = f"{config().url}/family/enter/{quote(secret)}"
    return Created(PortalLink(str(session.id), url, LINK_SECONDS))


def put_day(call: Call[Counts], account_id: str, day: date) -> Day:
    """Set the counts of one day of an account."""
    put_activity(account=get_account(account_id), day=day, counts=call.body)
    return Day(account_id, day, msgspec.structs.asdict(call.body))


def see_passcodes(call: Call[None], account_id: str) -> PasscodeSheet:
    """Return the list with which an offline device checks pass-codes."""
    return PasscodeSheet(**passcode_sheet(get_account(account_id), datetime.now(UTC)))


def put_passcode(call: Call[PasscodeIn], account_id: str) -> ScreenTime:
    """Use a pass-code; returns the new screen time."""
    at = call.body.at or datetime.now(UTC)
    if at.tzinfo is None:
        raise Invalid("`at` needs a time zone, as in 2026-01-31T12:00:00Z.")
    return use_passcode(account=get_account(account_id), code=call.body.code[:40], at=at)


def take_report(call: Call[UserReportIn]) -> Created[ReportTaken]:
    """Receive a user report; returns what to tell the reporter."""
    report = receive_user_report(report=call.body, actor=call.actor)
    language = known_language(report.reporter.language if report.reporter else "")
    with override(language):
        sentence = gettext(TOPICS["report.taken"])
    taken = ReportTaken(
        report_id=str(report.id),
        outcome="received",
        sentence=sentence,
        help=USER_REPORT_CATEGORIES[report.category].help or None,
        safety_center=f"{config().url}/safety/{language}/help",
    )
    return Created(taken)


def see_report(call: Call[None], report_id: UUID) -> ReportOutcome:
    """Return the outcome of a user report."""
    report = get_user_report(report_id)
    fields = {"report_id": str(report.id), "outcome": outcome_of_user_report(report)}
    return msgspec.convert(fields, ReportOutcome)


def take_intake(call: Call[IntakeIn]) -> Created[IntakeTaken]:
    """Receive what a carer, a social worker, a school or a court says for a child."""
    finding = receive_intake(intake=call.body, actor=call.actor)
    return Created(_intake(finding.id))


def see_intake(call: Call[None], intake_id: UUID) -> IntakeTaken:
    """Return what became of an intake."""
    return _intake(intake_id)


def _intake(intake_id: UUID) -> IntakeTaken:
    outcome = outcome_of_intake(intake_id)
    topic = "report.taken" if outcome == "received" else f"report.{outcome}"
    fields = {"intake_id": str(intake_id), "outcome": outcome, "sentence": TOPICS[topic]}
    return msgspec.convert(fields, IntakeTaken)
