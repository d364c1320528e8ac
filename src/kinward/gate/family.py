"""The family's endpoints: portal sessions, counts of a day, pass-codes, reports by people."""

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from django.utils.translation import gettext, override

from kinward.access.actor import Actor
from kinward.cases.user_reports import (
    CATEGORIES,
    UserReportIn,
    get_report,
    outcome_of,
    receive_report,
)
from kinward.config import config
from kinward.errors import Invalid, NotFound
from kinward.families.activity import Counts, put_activity
from kinward.families.passcodes import sheet, use_code
from kinward.families.portal import LINK_SECONDS, Start, open_portal
from kinward.families.tell import TOPICS
from kinward.fields import MAX_ID, is_id
from kinward.gate.http import decode
from kinward.people.services import get_account
from kinward.policy.decision import known_language


class _PortalIn(msgspec.Struct, forbid_unknown_fields=True):
    account_id: str
    start: Start = Start()


class _PasscodeIn(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    at: datetime | None = None


def open_session(body: bytes, actor: Actor) -> dict[str, Any]:
    """A link to the family pages, for the account that is signed in with the platform."""
    asked = decode(body, _PortalIn)
    start = asked.start
    if any(each and not is_id(each) for each in (start.account_id, start.content_id, start.code)):
        raise Invalid(f"`start` holds ids and a code of at most {MAX_ID} printable characters.")
    secret, session = open_portal(account_id=asked.account_id, start=start, actor=actor)
    return {
        "portal_session_id": str(session.id),
        "url": f"{config().url}/family/enter/{quote(secret)}",
        "expires_in": LINK_SECONDS,
    }


def put_day(platform_id: str, day: str, body: bytes) -> dict[str, Any]:
    """Write the counts of one of an account's days."""
    try:
        when = date.fromisoformat(day)
    except ValueError as error:
        raise Invalid("The day is a date such as 2026-01-31.") from error
    counts = decode(body, Counts)
    put_activity(account=get_account(platform_id), day=when, counts=counts)
    return {"account_id": platform_id, "day": when, "counts": msgspec.structs.asdict(counts)}


def see_sheet(platform_id: str) -> dict[str, str]:
    """What a device keeps to check pass-codes while it is offline."""
    return sheet(get_account(platform_id), datetime.now(UTC))


def put_passcode(platform_id: str, body: bytes) -> Any:
    """Use a pass-code; answers with the screen time as it now is."""
    asked = decode(body, _PasscodeIn)
    at = asked.at or datetime.now(UTC)
    if at.tzinfo is None:
        raise Invalid("`at` needs a time zone, as in 2026-01-31T12:00:00Z.")
    return use_code(account=get_account(platform_id), code=asked.code[:40], at=at)


def take_report(body: bytes, actor: Actor) -> dict[str, Any]:
    """Take a person's report; the answer is theirs to read."""
    report = decode(body, UserReportIn)
    made = receive_report(report=report, actor=actor)
    language = made.reporter.language if made.reporter else ""
    with override(known_language(language)):
        said = gettext(TOPICS["report.taken"])
    return {
        "report_id": str(made.id),
        "outcome": "received",
        "sentence": said,
        "help": CATEGORIES[made.category].help or None,
        "safety_center": f"{config().url}/safety/{known_language(language)}/help",
    }


def see_report(report_id: str) -> dict[str, Any]:
    """What came of a report."""
    try:
        found = get_report(UUID(report_id))
    except ValueError as error:
        raise NotFound from error
    return {"report_id": str(found.id), "outcome": outcome_of(found)}
