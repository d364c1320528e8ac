"""What is sensed, of whatever kind, goes one road: into a case, before a reviewer, to a verdict."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.kinds import FINDING_KINDS, Asked, FindingKind, Ground
from kinward.casebook.models import SOURCES, Case, Finding, Priority, UserReport
from kinward.custody.package import items
from kinward.enforcement.models import Sanction, SanctionKind
from kinward.enforcement.queries import actions_of_case
from kinward.findings.intakes import IntakeIn, receive_intake
from kinward.findings.opening import open_or_join
from kinward.findings.user_reports import UserReportIn, receive_user_report, report_pairing
from kinward.findings.wards import look_at_ward
from kinward.guidelines.queries import guidelines_in_force
from kinward.ledger.models import Entry
from kinward.matching.models import Bank, Check
from kinward.people.locks import lock_account
from kinward.people.models import Account
from kinward.redress.models import Statement
from kinward.redress.wording import statement_sentences
from kinward.reporting.draft import from_json
from kinward.reporting.models import Report
from kinward.review.contacts import contacts_of_case
from kinward.review.grounds import describe_files, grounds_of_case
from kinward.review.lease import take_case
from kinward.review.queue import queue_rows
from kinward.verdicts.consequences import contents_of_case
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.simulation import simulate_cases
from tests.support.factories import agreed_release
from tests.support.families import make_account, pair
from tests.support.helpers import quarantined
from tests.support.sensed import SAID
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db

WHEN: Final = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


class Drill(FindingKind):
    """A kind that comes from no row of its own: nobody reported it, and no file was checked."""

    name = "drill"
    tally = "drill"

    def asks(self, finding: Finding) -> Asked:
        return Asked(confidence="unverified")

    def in_words(self, finding: Finding) -> list[Ground]:
        return [Ground(f"The drill rang {finding.grounds[0]['times']} times.", verified=False)]

    def counted(self, confidence: str, count: int) -> str:
        return f"{count} drills" if count > 1 else "1 drill"

    def for_authority(self, finding: Finding) -> list[str]:
        return [f"A drill rang at {finding.at.isoformat()}."]


@pytest.fixture
def account(db: None) -> Account:
    return make_account("heron", 40)


@pytest.fixture
def drill(monkeypatch: pytest.MonkeyPatch) -> Drill:
    kind = Drill()
    monkeypatch.setitem(FINDING_KINDS, kind.name, kind)
    return kind


def ring(kind: Drill, account: Account, content_id: str = "") -> Case:
    sensed = kind.sense(at=WHEN, grounds=[{"kind": "drill", "times": 3}], content_id=content_id)
    with transaction.atomic():
        return open_or_join(
            sensed,
            account=lock_account(account.pk),
            actor=Actor.system("drill"),
            joined=lambda case: None,
        )


def confirm(case: Case, staff: Staff, clause: str) -> None:
    take_case(case=case, staff=staff)
    form = VerdictForm(outcome="confirmed", clause=clause)
    decide_case(case_id=case.pk, staff=staff, form=form)


def matched(account: Account) -> Case:
    return quarantined(account)


def reported(account: Account) -> Case:
    make_account("wren", 15)
    report = UserReportIn(
        account_id=account.platform_id, reporter_id="wren", category="bullying", content_id="post-2"
    )
    return receive_user_report(report=report, actor=Actor.key("app")).finding.case


def disputed(account: Account) -> Case:
    teen = make_account("wren", 15)
    report = report_pairing(teen=teen, pairing_id=pair(account, teen).pk)
    assert report is not None
    return report.finding.case


def left(account: Account) -> Case:
    """The teen's guardian was ended by a case without a clause, so it may be about children."""
    guardian = make_account("egret", 44)
    report = UserReportIn(account_id="egret", category="contact")
    ended = receive_user_report(report=report, actor=Actor.key("app")).finding.case
    Sanction.objects.create(account=guardian, case=ended, kind=SanctionKind.TERMINATE)
    assert look_at_ward(teen_id=account.pk, guardian_id=guardian.pk)
    assert not look_at_ward(teen_id=account.pk, guardian_id=guardian.pk), "once is enough"
    return Case.objects.get(account=account)


def written(account: Account) -> Case:
    words = {name: SAID[name] for name in SAID if name not in ("kind", "who")}
    intake = IntakeIn(account_id=account.platform_id, who="social worker", **words)
    return receive_intake(intake=intake, actor=Actor.key("app")).case


ROADS: Final[dict[str, Callable[[Account], Case]]] = {
    "match": matched,
    "user_report": reported,
    "dispute": disputed,
    "ward": left,
    "intake": written,
}


def test_every_kind_has_a_road() -> None:
    assert list(ROADS) == list(FINDING_KINDS)


@pytest.mark.parametrize("name", ROADS)
def test_a_finding_knows_its_kind_its_moment_and_its_content(
    name: str, bank: Bank, account: Account
) -> None:
    finding = ROADS[name](account).findings.get()
    assert finding.kind == name
    assert finding.at <= timezone.now()
    if finding.check_made is not None:
        assert finding.at == finding.check_made.uploaded_at
        assert finding.content_id == finding.check_made.content_id
    if finding.user_report is not None:
        assert finding.at == finding.user_report.at
        assert finding.content_id == finding.user_report.content_id


@pytest.mark.parametrize("name", ROADS)
def test_a_reviewer_reads_why_in_the_words_of_the_kind(
    name: str, bank: Bank, account: Account
) -> None:
    case = ROADS[name](account)
    finding, kind = case.findings.get(), FINDING_KINDS[name]
    assert grounds_of_case(case) == kind.in_words(finding)
    assert queue_rows(1)[0].findings == kind.counted(finding.confidence, 1)
    assert bool(describe_files(case)) == kind.of_file


@pytest.mark.parametrize("name", ROADS)
def test_a_statement_says_whether_a_person_reported_it(
    name: str, bank: Bank, account: Account, reviewer: Staff
) -> None:
    confirm(ROADS[name](account), reviewer, "SF-2")
    for statement in Statement.objects.all():
        assert statement.reported == FINDING_KINDS[name].by_person


@pytest.mark.parametrize("name", [name for names in SOURCES.values() for name in names])
def test_the_database_holds_a_kind_and_its_source_together(
    name: str, bank: Bank, account: Account
) -> None:
    finding = ROADS[name](account).findings.get()
    check = Check.objects.first() or quarantined(account).findings.get(kind="match").check_made
    report = UserReport.objects.create(account=account, category="other")
    own = next(field for field, names in SOURCES.items() if name in names)
    other = {"check_made": report, "user_report": check}[own]
    other_field = {"check_made": "user_report", "user_report": "check_made"}[own]
    for changes in (
        {own: None},
        {other_field: other},
        {own: None, other_field: other},
        {"kind": "drill"},
        {"kind": ""},
        {"kind": "", own: None},
    ):
        with pytest.raises(IntegrityError, match="kind_has_its_source"), transaction.atomic():
            Finding.objects.filter(pk=finding.pk).update(**changes)
    Finding.objects.filter(pk=finding.pk).update(kind="drill", **{own: None})  # has no source


def test_a_kind_without_a_row_of_its_own_acts_by_its_rule(drill: Drill, account: Account) -> None:
    case = ring(drill, account, content_id="post-9")
    finding = case.findings.get()
    assert (finding.kind, finding.confidence, finding.at) == ("drill", "unverified", WHEN)
    assert (case.priority, contents_of_case(case)) == (Priority.NORMAL, ["post-9"])
    assert case.due_at - timezone.now() > timedelta(hours=71)
    added = Entry.objects.get(kind="case.finding_added").data
    assert added["rule"] == "unverified-match"
    assert added["content"] == "post-9"
    assert [action.target for action in actions_of_case(case.id)] == ["post-9"]
    assert not Statement.objects.get().reported


def test_a_finding_about_an_account_alone_quarantines_nothing(
    drill: Drill, account: Account
) -> None:
    case = ring(drill, account)
    assert contents_of_case(case) == []
    assert not actions_of_case(case.id).exists()


def test_a_kind_without_a_row_of_its_own_stands_before_the_reviewer(
    drill: Drill, account: Account
) -> None:
    ring(drill, account)
    case = ring(drill, account, content_id="post-9")
    assert grounds_of_case(case) == [Ground("The drill rang 3 times.", verified=False)]
    assert queue_rows(1)[0].findings == "2 drills"
    assert contacts_of_case(case) == []
    assert describe_files(case) == {}


def test_a_case_of_such_findings_alone_is_reported_and_told(
    drill: Drill, account: Account, reviewer: Staff
) -> None:
    case = ring(drill, account)
    confirm(case, reviewer, "CS-1")
    draft = from_json(Report.objects.get().draft)
    assert draft.incident_at == WHEN
    assert draft.additional_info == f"A drill rang at {WHEN.isoformat()}."
    statement = Statement.objects.get()
    assert not statement.reported
    assert "Somebody reported it to us." not in statement_sentences(statement)
    assert statement.dsa["content_date"] == f"{WHEN:%Y-%m-%d}"


def test_such_a_case_is_simulated_and_packed(drill: Drill, account: Account) -> None:
    case = ring(drill, account, content_id="post-9")
    guidelines = guidelines_in_force()
    rules = [msgspec.structs.replace(rule, content="keep") for rule in guidelines.finding]
    milder = msgspec.structs.replace(guidelines, finding=tuple(rules))
    simulated = simulate_cases(guidelines, milder, lambda count: None)
    assert simulated.counts == {"content at once: quarantine → nothing": 1}
    since, until = case.opened_at - timedelta(days=1), case.opened_at + timedelta(days=1)
    packed = items(
        account, since, until, agreed=agreed_release(account), actor=Actor.system("test")
    )
    cases = next(item for item in packed if item.name == "cases.json")
    assert msgspec.json.decode(cases.data)[0]["findings"][0]["content_id"] == "post-9"
