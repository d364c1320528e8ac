"""Reports by people: what can be reported, what happens to it, and what the reporter hears.

A report never acts by itself. It becomes a finding; one about a child's safety puts its case at the
front of the queue.
"""

from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from kinward.cases.models import Case, Finding, UserReport
from kinward.cases.states import UNDECIDED, CaseState
from kinward.enforcement.models import Action, Effect, Target
from kinward.errors import Invalid, KinwardError, NotFound
from kinward.families import ending
from kinward.families.errors import NotPaired
from kinward.families.models import Pairing
from kinward.families.tell import tell
from kinward.ledger.services import record
from kinward.people.models import Account
from kinward.people.services import get_account, lock_account, lock_accounts

MAX_TEXT: Final = 2000
MAX_DAILY: Final = 20

Help = Literal["", "talk", "image", "emergency"]


class Category(msgspec.Struct, frozen=True):
    """What can be reported. `help` is the immediate help that is shown with it."""

    title: str
    urgent: bool = True
    help: Help = "talk"


CATEGORIES: Final = {
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
    "bullying": Category(gettext_noop("Bullying or hate"), urgent=False),
    "other": Category(gettext_noop("Something else"), urgent=False, help=""),
    "guardian": Category(gettext_noop("This is not my guardian")),  # made by a dispute alone
}


class TooManyReports(KinwardError):
    """That is more reports than one account can make in a day. In danger, call for help."""

    code = "report.too_many"
    status = 429


class UserReportIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person reports. Only the account that it is about is required, and a category."""

    account_id: str
    category: str
    content_id: str = ""
    reporter_id: str = ""
    text: str = ""


@transaction.atomic
def receive_report(*, report: UserReportIn, actor: str) -> UserReport:
    """Take a report. The same again, while it waits, is the same report."""
    category = CATEGORIES.get(report.category)
    if category is None or report.category == "guardian":
        known = ", ".join(name for name in CATEGORIES if name != "guardian")
        raise Invalid(f"category is one of {known}.")
    if len(report.text) > MAX_TEXT or len(report.content_id) > 200:
        raise Invalid(f"text has at most {MAX_TEXT} characters, content_id 200.")
    about = get_account(report.account_id)
    reporter = get_account(report.reporter_id) if report.reporter_id else None
    if reporter is not None and reporter.pk == about.pk:
        raise Invalid("This report would be about whoever makes it.")
    lock_account(about.pk)
    if reporter is not None:
        there = UserReport.objects.filter(reporter=reporter)
        same = there.filter(
            account=about,
            content_id=report.content_id,
            category=report.category,
            finding__case__state__in=UNDECIDED,
        ).first()
        if same is not None:
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
    _find(made, category, actor)
    return made


@transaction.atomic
def dispute_pairing(*, teen: Account, pairing_id: UUID) -> UserReport | None:
    """A teen says "this is not my guardian": the pairing pauses and a person looks at it.

    None where it was said before.
    """
    found = Pairing.objects.filter(pk=pairing_id, teen=teen).first()
    if found is None:
        raise NotPaired
    lock_accounts(teen.pk, found.guardian_id)
    paused = ending.dispute(teen=teen, pairing_id=pairing_id)
    if UserReport.objects.filter(pairing=paused, finding__case__state__in=UNDECIDED).exists():
        return None
    made = UserReport.objects.create(
        reporter=teen, account=paused.guardian, pairing=paused, category="guardian"
    )
    _find(made, CATEGORIES["guardian"], f"account:{teen.platform_id}")
    return made


def _find(made: UserReport, category: Category, actor: str) -> None:
    """Make it a finding of the account's one undecided case. The account is locked."""
    case, new = Case.objects.get_or_create(account=made.account, state__in=UNDECIDED)
    if category.urgent and not case.urgent:
        case.urgent = True
        case.save(update_fields=["urgent"])
    grounds = {
        "kind": "user report",
        "title": category.title,
        "content_id": made.content_id,
        "text": made.text,
    }
    finding = Finding.objects.create(
        case=case, user_report=made, confidence="reported", grounds=[grounds]
    )
    if new:
        account = made.account.platform_id
        record(actor=actor, kind="case.opened", subject=str(case), account=account)
    record(
        actor=actor,
        kind="case.finding_added",
        subject=str(case),
        finding=str(finding.id),
        content=made.content_id,
        confidence="reported",
    )
    if made.reporter is not None:
        tell(made.reporter, "report.taken")


def get_report(report_id: UUID) -> UserReport:
    """A report by its id."""
    try:
        return UserReport.objects.select_related("finding__case").get(pk=report_id)
    except UserReport.DoesNotExist as error:
        raise NotFound(f"There is no report {report_id}.") from error


def outcome_of(report: UserReport) -> str:
    """What came of a report: `received`, `acted` or `closed`. Never what was done to whom."""
    state = report.finding.case.state
    if state in UNDECIDED:
        return "received"
    return "closed" if state == CaseState.DISMISSED else "acted"


def reports_by(account: Account) -> list[UserReport]:
    """The latest reports that an account made."""
    made = UserReport.objects.select_related("finding__case", "account").filter(reporter=account)
    return list(made[:30])


def tell_reporters(case: Case) -> None:
    """Tell everybody who reported something in a case that was just decided."""
    if case.state in UNDECIDED:
        return
    topic = "report.closed" if case.state == CaseState.DISMISSED else "report.acted"
    made = UserReport.objects.filter(finding__case=case, reporter__isnull=False)
    for reporter in Account.objects.filter(pk__in=made.values("reporter")).order_by("pk"):
        tell(reporter, topic)


def disputes(case_id: UUID) -> list[Pairing]:
    """The pairings of a case that are disputed and wait for a person's word."""
    reported = UserReport.objects.filter(finding__case=case_id, pairing__isnull=False)
    return list(
        Pairing.objects.select_related("guardian", "teen").filter(
            pk__in=reported.values("pairing"), ended_at=None, disputed_at__isnull=False
        )
    )


def disputed_teens(case_id: UUID) -> list[int]:
    """The teens of these pairings."""
    return [each.teen_id for each in disputes(case_id)]


def end_disputed(case: Case, actor: str) -> None:
    """End the pairings that a confirmed case disputes."""
    for each in disputes(case.id):
        ending.settle_dispute(pairing_id=each.pk, ends=True, actor=actor)


def quarantined_here(case_id: UUID) -> list[str]:
    """The content that a case quarantined, by the platform's ids."""
    made = Action.objects.filter(
        case_id=case_id, effect=Effect.QUARANTINE, target_kind=Target.CONTENT
    )
    return sorted(set(made.values_list("target", flat=True)))
