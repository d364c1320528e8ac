"""Reports by people: the front of the queue, one case, what the reporter hears, and disputes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case, Priority, UserReport
from kinward.enforcement.models import Action
from kinward.evidence.excerpts import Message
from kinward.evidence.models import Evidence
from kinward.families.models import Notice
from kinward.findings.user_reports import (
    TooManyReports,
    UserReportIn,
    outcome_of_user_report,
    receive_user_report,
    report_pairing,
)
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ledger.models import Entry
from kinward.people.models import Account
from kinward.reporting.draft import from_json
from kinward.reporting.models import Report
from kinward.review.contacts import contacts_of_case
from kinward.review.grounds import grounds_of_case
from kinward.review.lease import take_case
from kinward.review.queue import case_queue
from kinward.verdicts.decision import settle_case_dispute
from kinward.verdicts.disputes import DisputeOpen
from kinward.verdicts.draft import draft_report
from kinward.verdicts.form import VerdictForm
from tests.integration.findings.test_floods import rule_decides
from tests.integration.web.test_console import signed_in
from tests.support.families import make_account, pair
from tests.support.helpers import KNOWN_PNG, quarantined, run_jobs
from tests.support.verdicts import decide_case

__all__ = ("rule_decides",)  # a fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def teen(db: None) -> Account:
    return make_account("wren", 15)


@pytest.fixture
def adult(db: None) -> Account:
    return make_account("heron", 40)


def send(reporter: str = "wren", about: str = "heron", **more: Any) -> UserReport:
    report = UserReportIn(
        **{"account_id": about, "reporter_id": reporter, "category": "contact", **more}
    )
    return receive_user_report(report=report, actor=Actor.key("app"))


def settle(case: Case, staff: Staff, outcome: Any) -> None:
    take_case(case=case, staff=staff)
    decide_case(case_id=case.pk, staff=staff, form=VerdictForm(outcome=outcome, clause="CS-2"))


def topics(account: Account) -> list[str]:
    return list(Notice.objects.filter(account=account).values_list("topic", flat=True))


def test_a_child_s_safety_comes_first(
    account: Account, bank: object, teen: Account, adult: Account
) -> None:
    older = quarantined(account)
    send(about=make_account("loud", 30).platform_id, category="bullying")
    urgent = send(text="They asked to keep it secret.").finding.case
    assert list(case_queue())[:2] == [urgent, older]
    (ground,) = grounds_of_case(urgent)
    assert "approaching a child" in ground.text
    assert "They asked to keep it secret." in ground.text


def test_nothing_is_done_to_whom_is_reported_until_a_person_decides(
    teen: Account, adult: Account
) -> None:
    send(content_id="post-7")
    adult.refresh_from_db()
    assert adult.standing == "active"
    assert not Action.objects.exclude(target_kind="notice").exists()


def test_the_same_report_is_one_report(teen: Account, adult: Account) -> None:
    first = send()
    assert send() == first
    other = send(category="threats")
    assert other != first
    assert other.finding.case == first.finding.case
    assert topics(teen) == ["report.taken", "report.taken"]


def test_what_is_refused(teen: Account, adult: Account) -> None:
    for wrong in (
        {"category": "guardian"},
        {"category": "nothing"},
        {"about": "nobody"},
        {"about": "wren"},
        {"text": "x" * 2001},
    ):
        with pytest.raises(KinwardError):
            send(**wrong)
    assert not UserReport.objects.exists()


def test_an_account_reports_so_often_a_day(teen: Account) -> None:
    for number in range(20):
        send(about=make_account(f"someone-{number}", 30).platform_id)
    make_account("one-more", 30)
    with pytest.raises(TooManyReports):
        send(about="one-more")


def test_the_reporter_hears_and_the_authority_gets_their_words(
    teen: Account, adult: Account, reviewer: Staff
) -> None:
    report = send(text="They sent me this.", content_id="post-7")
    case = report.finding.case
    settle(case, reviewer, "confirmed")
    report.refresh_from_db()
    assert outcome_of_user_report(report) == "acted"
    assert topics(teen)[0] == "report.acted"
    case = Case.objects.get(pk=case.pk)
    draft = draft_report(case, case.verdicts.get(outcome="confirmed"), "enticement", "cybertipline")
    assert "They sent me this." in draft.additional_info
    assert draft.incident_at == report.at
    assert Report.objects.count() == 1
    done = Action.objects.exclude(target_kind="notice").values_list("target_kind", "effect")
    assert set(done) == {
        *(("content", "quarantine"), ("account", "restrict")),  # while a second person was asked
        *(("content", "remove"), ("account", "terminate")),
    }


def test_a_dismissal_restores_only_what_was_taken(
    teen: Account, adult: Account, reviewer: Staff
) -> None:
    report = send(content_id="post-7")
    settle(report.finding.case, reviewer, "dismissed")
    assert topics(teen)[0] == "report.closed"
    assert not Action.objects.exclude(target_kind="notice").exists()


def test_a_dispute_is_settled_by_who_holds_the_case(
    teen: Account, adult: Account, reviewer: Staff
) -> None:
    made = pair(adult, teen)
    report = report_pairing(teen=teen, pairing_id=made.pk)
    assert report is not None
    assert report_pairing(teen=teen, pairing_id=made.pk) is None
    case = report.finding.case
    assert case.priority == Priority.HIGH
    assert case.account == adult
    with pytest.raises(KinwardError):  # without the lease
        settle_case_dispute(case=case, pairing_id=made.pk, ends=True, staff=reviewer)
    take_case(case=case, staff=reviewer)
    with pytest.raises(DisputeOpen):
        decide_case(case_id=case.pk, staff=reviewer, form=VerdictForm(outcome="dismissed"))
    with pytest.raises(NotFound):
        settle_case_dispute(case=case, pairing_id=teen.pk, ends=False, staff=reviewer)  # type: ignore[arg-type]
    settle_case_dispute(case=case, pairing_id=made.pk, ends=False, staff=reviewer)
    made.refresh_from_db()
    assert (made.disputed_at, made.ended_at) == (None, None)
    decide_case(case_id=case.pk, staff=reviewer, form=VerdictForm(outcome="dismissed"))


def test_a_confirmed_case_ends_what_it_disputes(
    teen: Account, adult: Account, reviewer: Staff
) -> None:
    made = pair(adult, teen)
    report = report_pairing(teen=teen, pairing_id=made.pk)
    assert report is not None
    settle(report.finding.case, reviewer, "confirmed")
    made.refresh_from_db()
    assert made.ended_why == "not a guardian"
    with pytest.raises(Invalid):
        from kinward.families.pairing.disputes import settle_pairing_dispute

        settle_pairing_dispute(pairing_id=made.pk, ends=True, actor=Actor.stored("staff:robin"))


@pytest.mark.usefixtures("rule_decides")
def test_a_rule_decides_no_case_in_which_a_pairing_is_disputed(
    bank: object, teen: Account, adult: Account
) -> None:
    assert quarantined(make_account("loud", 30), data=KNOWN_PNG).state == "confirmed"
    made = pair(adult, teen)
    report = report_pairing(teen=teen, pairing_id=made.pk)
    assert report is not None
    case = quarantined(adult, data=KNOWN_PNG)
    assert (case.pk, case.state) == (report.finding.case_id, "open")
    made.refresh_from_db()
    assert made.ended_at is None, "a person settles it"


@pytest.fixture
def console(reviewer: Staff) -> Client:
    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=reviewer, type="totp", data={"secret": "x"})
    client = Client()
    client.force_login(reviewer)
    return client


def test_the_console_shows_what_is_disputed_and_settles_it(
    console: Client, teen: Account, adult: Account, reviewer: Staff
) -> None:
    made = pair(adult, teen)
    report = report_pairing(teen=teen, pairing_id=made.pk)
    assert report is not None
    case = report.finding.case
    assert ">high<" in console.get("/queue").content.decode()
    take_case(case=case, staff=reviewer)
    page = console.get(f"/cases/{case.pk}").content.decode()
    assert "wren says that heron is not their guardian" in page
    console.post(f"/cases/{case.pk}/pairings/{made.pk}", {"becomes": "ended"})
    made.refresh_from_db()
    assert made.ended_at is not None


@pytest.mark.django_db(transaction=True)
def test_the_platform_passes_the_notice_on_once(
    teen: Account, adult: Account, receiver: Any
) -> None:
    pair(adult, teen)
    run_jobs()
    assert receiver.types == ["notice.notify", "notice.notify"]
    assert Notice.objects.filter(passed_on=True).count() == 2


AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CHAT = [
    Message("wren", AT + timedelta(minutes=1), "I like <shapes>"),
    Message("heron", AT, "Hello\nyou"),
]


def test_a_chat_is_sealed_opened_and_reported_like_a_file(
    teen: Account, adult: Account, reviewer: Staff
) -> None:
    case = send(messages=CHAT).finding.case
    assert send(messages=CHAT[:1]).finding.case == case, "more of the chat, for the same report"
    whole, more = Evidence.objects.order_by("sealed_at")
    assert (whole.case_id, more.case_id, whole.is_excerpt) == (case.id, case.id, True)
    assert [each.account.platform_id for each in contacts_of_case(case)] == ["wren"]
    assert "wrote in the chat that was reported" in contacts_of_case(case)[0].why
    browser = signed_in(reviewer)
    address = f"/cases/{case.id}/files/{whole.id}"
    assert browser.post(f"{address}/show").status_code == 409, "only with the case's lease"
    take_case(case=case, staff=reviewer)
    page = browser.get(f"/cases/{case.id}").content.decode()
    assert "Chat excerpt" in page
    assert "shapes" not in page
    assert "classification:" not in page, "the authority's scale is of files"
    shown = browser.post(f"{address}/show").content.decode()
    assert "2026-01-02T03:04:05Z heron: Hello\n    you\n2026-01-02T03:05:05Z wren:" in shown
    assert "I like &lt;shapes&gt;" in shown
    assert Entry.objects.get(kind="evidence.viewed").subject == str(whole)
    decide_case(
        case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-2")
    )
    first, second = from_json(Report.objects.get().draft).files
    assert (first.supplemental, first.viewed, second.viewed) == (True, True, True)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([Message("wren", AT, "x")] * 501, "At most 500 messages"),
        ([Message("wren", AT, "x" * 4000)] * 26, "100,000 characters in all"),
        ([Message("wren", AT, "x" * 4001)], "Message 1: .*text at most 4,000"),
        ([Message("wren", AT, "x"), Message("", AT, "x")], "Message 2: account_id"),
        ([Message("wren", AT.replace(tzinfo=None), "x")], "Message 1: at needs its offset"),
    ],
)
def test_a_chat_has_bounds(
    teen: Account, adult: Account, messages: list[Message], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        send(messages=messages)
    assert not UserReport.objects.exists()
