"""Examples of what each kind of finding senses: findings in no case, not saved."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from kinward.casebook.kinds import DISPUTE, INTAKE, MATCH, USER_REPORT, WARD
from kinward.casebook.models import Finding, UserReport
from kinward.findings.user_reports import USER_REPORT_CATEGORIES
from kinward.matching.lookup import Match
from kinward.matching.models import Check

WHEN: Final = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def _match(confidence: str, kind: str) -> Finding:
    check = Check(content_id="post-1", uploaded_at=WHEN, sent_to=["sprat"])
    match = Match("tidepool", confidence, kind, 0)
    return MATCH.of_check(check, [match], given_back=False)


def _reported(category: str) -> Finding:
    report = UserReport(category=category, content_id="post-2", text="Look at this.", at=WHEN)
    title = USER_REPORT_CATEGORIES[category].title
    return USER_REPORT.of_report(report, title=title, writers=["wren"])


def _disputed() -> Finding:
    report = UserReport(category="guardian", at=WHEN + timedelta(days=1))
    return DISPUTE.of_report(report, title=USER_REPORT_CATEGORIES["guardian"].title)


SAID: Final = {
    "kind": "intake",
    "who": "social worker",
    "office": "a youth office",
    "reference": "12/26",
    "reach": "the switchboard",
    "text": "The child lives with somebody else.",
}

# By the name of the kind. Together they ask for every word of `guidelines.rules.Confidence`.
EXAMPLES: Final[dict[str, Callable[[], list[Finding]]]] = {
    "match": lambda: [_match("verified", "pdq"), _match("unverified", "md5")],
    "user_report": lambda: [
        _reported(name) for name in USER_REPORT_CATEGORIES if name != "guardian"
    ],
    "dispute": lambda: [_disputed()],
    "ward": lambda: [WARD.sense(at=WHEN, grounds=[{"kind": "ward", "guardian": "heron"}])],
    "intake": lambda: [INTAKE.sense(at=WHEN, grounds=[SAID])],
}
