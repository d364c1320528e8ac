"""Reports by people: what can be reported, what happens to it, and what the reporter hears.

A report never acts by itself. It becomes a finding; how soon a person must look is for the
guidelines to say.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from kinward.access import Actor
from kinward.casebook.api import (
    DISPUTE,
    GIVEN_BACK,
    UNDECIDED,
    USER_REPORT,
    Case,
    Finding,
    UserReport,
)
from kinward.evidence.api import Message, check_messages, seal_excerpt, transcript, writers
from kinward.families.api import NotPaired, Pairing, pause_disputed_pairing, tell
from kinward.findings.opening import open_or_join
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.text import MAX_ID, is_id
from kinward.people.api import Account, LockedAccount, get_account, lock_account, lock_accounts

MAX_TEXT: Final = 2000
MAX_DAILY: Final = 20

Help = Literal["", "talk", "image", "emergency"]


class Category(msgspec.Struct, frozen=True):
    """What can be reported. `help` is the immediate help that is shown with it."""

    title: str
    help: Help = "talk"


USER_REPORT_CATEGORIES: Final = {
    "contact": Category(gettext_noop("An adult is approaching a child in a worrying way")),
    "abuse": Category(
        gettext_noop("A child is being sexually abused or exploited"), help="emergency"
    ),
    "image": Category(
        gettext_noop("An intimate picture of me or of another minor is being shared"), help="image"
    ),
    "threats": Category(gettext_noop("Somebody threatens or blackmails a minor"), help="image"),
    "harm": Category(gettext_noop("Somebody may hurt themselves"), help="emergency"),
    "home": Category(gettext_noop("Somebody is not safe at home"), help="emergency"),
    "bullying": Category(gettext_noop("Bullying or hate")),
    "other": Category(gettext_noop("Something else"), help=""),
    "guardian": Category(gettext_noop("This is not my guardian")),  # made by a dispute alone
}


class TooManyReports(KinwardError):
    """That is more reports than one account can make in a day. In danger, call for help."""

    code = "report.too_many"
    status = 429


class UserReportIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person reports. Only the account that it is about is required, and a category.

    `messages` are those of a chat around what is reported; they are sealed like a file.
    """

    account_id: str
    category: str
    content_id: str = ""
    reporter_id: str = ""
    text: str = ""
    messages: list[Message] = []


@transaction.atomic
def receive_user_report(*, report: UserReportIn, actor: Actor) -> UserReport:
    """Take a report. The same again, while it waits, is the same report."""
    category = USER_REPORT_CATEGORIES.get(report.category)
    if category is None or report.category == "guardian":
        known = ", ".join(name for name in USER_REPORT_CATEGORIES if name != "guardian")
        raise Invalid(f"category is one of {known}.")
    if len(report.text) > MAX_TEXT:
        raise Invalid(f"text has at most {MAX_TEXT} characters.")
    if report.content_id and not is_id(report.content_id):
        raise Invalid(f"content_id has at most {MAX_ID} printable characters.")
    check_messages(report.messages)
    about = get_account(report.account_id)
    reporter = get_account(report.reporter_id) if report.reporter_id else None
    if reporter is not None and reporter.pk == about.pk:
        raise Invalid("This report would be about whoever makes it.")
    about = lock_account(about.pk)
    if reporter is not None:
        there = UserReport.objects.filter(reporter=reporter)
        same = there.filter(
            account=about,
            content_id=report.content_id,
            category=report.category,
            finding__case__state__in=UNDECIDED,
        ).first()
        if same is not None:
            _seal_messages(same.finding.case, report.messages, actor)
            return same
        if there.filter(at__gt=timezone.now() - timedelta(days=1)).count() >= MAX_DAILY:
            raise TooManyReports
    made = UserReport.objects.create(
        reporter=reporter,
        account=about,
        content_id=report.content_id,
        category=report.category,
        text=report.text,
    )
    sensed = USER_REPORT.of_report(made, title=category.title, writers=writers(report.messages))
    case = _add(about, sensed, made, actor)
    _seal_messages(case, report.messages, actor)
    return made


def _add(account: LockedAccount, sensed: Finding, report: UserReport, actor: Actor) -> Case:
    """Add a user report's finding, and tell the reporter."""

    def joined(_case: Case) -> None:
        if report.reporter is not None:
            tell(report.reporter, "report.taken")

    return open_or_join(sensed, account=account, actor=actor, joined=joined)


def _seal_messages(case: Case, messages: Sequence[Message], actor: Actor) -> None:
    if messages:
        seal_excerpt(case_id=case.id, text=transcript(messages), actor=actor)


@transaction.atomic
def report_pairing(*, teen: Account, pairing_id: UUID) -> UserReport | None:
    """A teen says "this is not my guardian": the pairing pauses and a person looks at it.

    None where it was said before.
    """
    found = Pairing.objects.filter(pk=pairing_id, teen=teen).first()
    if found is None:
        raise NotPaired
    guardian = lock_accounts(teen.pk, found.guardian_id)[found.guardian_id]
    paused = pause_disputed_pairing(teen=teen, pairing_id=pairing_id)
    if UserReport.objects.filter(pairing=paused, finding__case__state__in=UNDECIDED).exists():
        return None
    made = UserReport.objects.create(
        reporter=teen, account=paused.guardian, pairing=paused, category="guardian"
    )
    title = USER_REPORT_CATEGORIES["guardian"].title
    _add(guardian, DISPUTE.of_report(made, title=title), made, teen.actor)
    return made


def get_user_report(report_id: UUID) -> UserReport:
    """A report by its id."""
    try:
        return UserReport.objects.select_related("finding__case").get(pk=report_id)
    except UserReport.DoesNotExist as error:
        raise NotFound(f"There is no report {report_id}.") from error


def outcome_of_user_report(report: UserReport) -> str:
    """What came of a report: `received`, `acted` or `closed`. Never what was done to whom."""
    state = report.finding.case.state
    if state in UNDECIDED:
        return "received"
    return "closed" if state in GIVEN_BACK else "acted"


def user_reports_by(account: Account) -> list[UserReport]:
    """The latest reports that an account made."""
    made = UserReport.objects.select_related("finding__case", "account").filter(reporter=account)
    return list(made[:30])
