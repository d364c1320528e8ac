"""User reports: what people can report, what happens then, and what the reporter is told.

A user report never acts by itself. It becomes a finding, and the guidelines say how soon a person
must look.
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
from kinward.families.api import (
    NotPaired,
    Pairing,
    live_pairings,
    pause_disputed_pairing,
    tell,
)
from kinward.findings.opening import open_or_join
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.text import MAX_ID, is_id
from kinward.people.api import Account, LockedAccount, get_account, lock_accounts

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
    "threats": Category(
        gettext_noop("Somebody is threatening or blackmailing a minor"), help="image"
    ),
    "harm": Category(gettext_noop("Somebody may hurt themselves"), help="emergency"),
    "home": Category(gettext_noop("Somebody is not safe at home"), help="emergency"),
    "bullying": Category(gettext_noop("Bullying or hate")),
    "other": Category(gettext_noop("Something else"), help=""),
    "guardian": Category(gettext_noop("This is not my guardian")),  # made by a dispute alone
}

# What a teen says with one of these about their own guardian: that this guardian harms somebody.
HARM: Final = frozenset({"home", "contact", "abuse", "threats"})


class TooManyReports(KinwardError):
    """This account has reached its daily report limit. If somebody is in danger, call for help."""

    code = "report.too_many"
    status = 429


class UserReportIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person reports. Only the reported account and a category are required.

    `messages` are from the chat around it. They are sealed like a file.
    """

    account_id: str
    category: str
    content_id: str = ""
    reporter_id: str = ""
    text: str = ""
    messages: list[Message] = []


@transaction.atomic
def receive_user_report(*, report: UserReportIn, actor: Actor) -> UserReport:
    """Store a user report and its finding. While an equal one is undecided, return that one."""
    category = USER_REPORT_CATEGORIES.get(report.category)
    if category is None or report.category == "guardian":
        known = ", ".join(name for name in USER_REPORT_CATEGORIES if name != "guardian")
        raise Invalid(f"category is one of {known}.")
    if len(report.text) > MAX_TEXT:
        raise Invalid(f"text has at most {MAX_TEXT} characters.")
    if report.content_id and not is_id(report.content_id):
        raise Invalid(f"content_id has at most {MAX_ID} printable characters.")
    check_messages(report.messages)
    reported = get_account(report.account_id)
    reporter = get_account(report.reporter_id) if report.reporter_id else None
    if reporter is not None and reporter.pk == reported.pk:
        raise Invalid("This report would be about whoever makes it.")
    reported = lock_accounts(reported.pk, *([] if reporter is None else [reporter.pk]))[reported.pk]
    disputed = None
    if reporter is not None:
        if report.category in HARM:
            disputed = _pause_quietly(teen=reporter, guardian=reported)
        same = _undecided(report, reporter, reported, disputed)
        if same is not None:
            _seal_messages(same.finding.case, report.messages, actor)
            return same
    user_report = UserReport.objects.create(
        reporter=reporter,
        account=reported,
        content_id=report.content_id,
        category=report.category,
        text=report.text,
        pairing=disputed,
    )
    sensed = USER_REPORT.of_report(
        user_report, title=category.title, writers=writers(report.messages)
    )
    case = _add(reported, sensed, user_report, actor)
    _seal_messages(case, report.messages, actor)
    return user_report


def _undecided(
    report: UserReportIn, reporter: Account, reported: LockedAccount, disputed: Pairing | None
) -> UserReport | None:
    """Return an equal report that is undecided, if there is one.

    Raises `TooManyReports` for a new one beyond the day's limit, unless it disputes a pairing.
    """
    earlier = UserReport.objects.filter(reporter=reporter)
    same = earlier.filter(
        account=reported,
        content_id=report.content_id,
        category=report.category,
        finding__case__state__in=UNDECIDED,
    ).first()
    if same is None:
        today = earlier.filter(at__gt=timezone.now() - timedelta(days=1)).count()
        if today >= MAX_DAILY and disputed is None:
            raise TooManyReports
    elif disputed is not None and same.pairing_id is None:  # the two have paired since
        same.pairing = disputed
        same.save(update_fields=["pairing"])
    return same


def _add(account: LockedAccount, sensed: Finding, report: UserReport, actor: Actor) -> Case:
    """Add a user report's finding, and tell the reporter."""

    def joined(_case: Case) -> None:
        if report.reporter is not None and not report.is_about_own_guardian:
            tell(report.reporter, "report.taken")

    return open_or_join(sensed, account=account, actor=actor, joined=joined)


def _seal_messages(case: Case, messages: Sequence[Message], actor: Actor) -> None:
    if messages:
        seal_excerpt(case_id=case.id, text=transcript(messages), actor=actor)


def _pause_quietly(*, teen: Account, guardian: Account) -> Pairing | None:
    """Dispute a teen's pairing quietly, because of harm at home; None if the two have none."""
    pairing = live_pairings().filter(teen=teen, guardian=guardian).first()
    if pairing is None:
        return None
    return pause_disputed_pairing(teen=teen, pairing_id=pairing.pk, quiet=True)


@transaction.atomic
def report_pairing(
    *, teen: Account, pairing_id: UUID, quiet: bool = False, reach: str = ""
) -> UserReport | None:
    """Report that a teen says "this is not my guardian". A person decides about the pairing.

    Until then it is disputed, quietly or not, as `pause_disputed_pairing` says. Return None if an
    undecided case disputes the pairing already.
    """
    pairing = Pairing.objects.filter(pk=pairing_id, teen=teen).first()
    if pairing is None:
        raise NotPaired
    guardian = lock_accounts(teen.pk, pairing.guardian_id)[pairing.guardian_id]
    paused = pause_disputed_pairing(teen=teen, pairing_id=pairing_id, quiet=quiet, reach=reach)
    disputes = UserReport.objects.filter(pairing=paused, category="guardian")
    if disputes.filter(finding__case__state__in=UNDECIDED).exists():
        return None
    user_report = UserReport.objects.create(
        reporter=teen, account=paused.guardian, pairing=paused, category="guardian"
    )
    title = USER_REPORT_CATEGORIES["guardian"].title
    _add(guardian, DISPUTE.of_report(user_report, title=title), user_report, teen.actor)
    return user_report


def get_user_report(report_id: UUID) -> UserReport:
    """Return a user report by its id. Raises `NotFound`."""
    try:
        return UserReport.objects.select_related("finding__case").get(pk=report_id)
    except UserReport.DoesNotExist as error:
        raise NotFound(f"There is no report {report_id}.") from error


def outcome_of_user_report(report: UserReport) -> str:
    """Return `received`, `acted` or `closed`, and never what was done to whom."""
    state = report.finding.case.state
    if state in UNDECIDED:
        return "received"
    return "closed" if state in GIVEN_BACK else "acted"


def user_reports_by(account: Account) -> list[UserReport]:
    """Return the latest 30 reports that an account made, newest first, but for those on guardians.

    See `UserReport.is_about_own_guardian`.
    """
    guardians = Pairing.objects.filter(teen=account).values("guardian")
    reports = UserReport.objects.select_related("finding__case", "account").filter(reporter=account)
    return list(reports.exclude(account__in=guardians)[:30])
