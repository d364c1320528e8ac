"""A person with a life, who leaves a marker wherever something is held of them."""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from kinward.access.actor import Actor
from kinward.access.models import ApiKey, Staff
from kinward.access.services import create_key
from kinward.casebook.models import Case
from kinward.evidence.excerpts import Message
from kinward.families.asks.requests import ask_guardians
from kinward.families.pairing.gone import leave_families
from kinward.families.settings.keywords import add_keyword
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.gate.models import KeptAnswer
from kinward.ground.jobs import enqueue
from kinward.matching.models import Check
from kinward.matching.retro import pack_checks
from kinward.people.models import Account
from kinward.people.services import IdentifierIn, Profile, delete_account, put_account
from kinward.policy.ages import AgeRange
from kinward.redress.models import Statement
from kinward.redress.services import file_appeal
from kinward.review.comments import add_comment
from kinward.review.lease import take_case
from kinward.verdicts.appeals import decide_appeal
from kinward.verdicts.consequences import UNBANK
from kinward.verdicts.form import VerdictForm
from tests.support.families import make_account, pair
from tests.support.helpers import quarantined, run_jobs
from tests.support.verdicts import decide_case

NAME: Final = "mark-account-7f3a"
MARKS: Final = {
    "id": NAME,
    "screen name": "Mark-Screen-Name-81c2",
    "file name": "mark-filename-22d1.jpg",
    "content": "mark-content-90aa",
    "address": "203.0.113.237",
    "keyword": "markword5e1b",
    "ask": "Mark-ask-reason-13f0",
    "report about": "Mark-report-about-44b2",
    "report by": "Mark-report-by-9d07",
    "comment": "Mark-comment-6a3e",
    "note": "Mark-verdict-note-b7b1",
    "appeal": "Mark-appeal-text-0e9f",
    "answer": "Mark-appeal-answer-c4d8",
    "idempotency": "mark-idempotency-58ee",
}
APP: Final = Actor.key("test")


def live(robin: Staff, kim: Staff) -> list[str]:
    """Live, and leave markers in whatever rooms keep something. Return all of them, ids too."""
    teen = _account()
    pair(make_account("guardian-of-mark", 40), teen)
    add_keyword(teen_id=teen.platform_id, word=MARKS["keyword"], guardian=None, account=teen)
    ask_guardians(teen=teen, capability="session.time", minutes=20, reason=MARKS["ask"])
    run_jobs()
    case = _uploaded(teen, robin)
    _reported(teen, robin, kim)
    _reports(teen, robin)
    check = Check.objects.filter(account=teen).first()
    assert check is not None
    _kept(teen, check)
    far = datetime(2100, 1, 1, tzinfo=UTC)
    enqueue(UNBANK, case_id=str(uuid4()), actor=f"account:{NAME}", at=far)
    assert pack_checks(1)
    run_jobs()
    ids = [case.pk, check.pk, *teen.statements.values_list("pk", flat=True)]
    ids += teen.actions.values_list("id", flat=True)
    ids += [row.pk for row in teen.guarded.all()] + [row.pk for row in teen.asks.all()]
    digests = [check.sha256, check.md5, check.sha1]
    assert all(digests)
    return [*MARKS.values(), *map(str, ids), *digests]


def leave(name: str = NAME) -> None:
    """The platform deletes the account, and its family hears of it."""
    delete_account(platform_id=name, actor=APP)
    leave_families(Account.objects.get(platform_id=name).pk)
    run_jobs()


def _account() -> Account:
    profile = Profile(
        age=AgeRange(14, 15, "test", "verified"),
        screen_name=MARKS["screen name"],
        identifiers=[IdentifierIn("device", "mark-device-4410")],
    )
    return put_account(platform_id=NAME, profile=profile)[0]


def _uploaded(teen: Account, robin: Staff) -> Case:
    """An upload on a list, which two people dismiss."""
    case = quarantined(
        teen, content_id=MARKS["content"], filename=MARKS["file name"], ip=MARKS["address"]
    )
    take_case(case=case, staff=robin)
    add_comment(case=case, staff=robin, text=MARKS["comment"])
    form = VerdictForm(outcome="dismissed", note=MARKS["note"])
    decide_case(case_id=case.pk, staff=robin, form=form)
    return case


def _reported(teen: Account, robin: Staff, kim: Staff) -> None:
    """A report about the person, confirmed, with a statement, an appeal and its answer."""
    said = Message(teen.platform_id, datetime(2026, 1, 2, tzinfo=UTC), "Hello.")
    case = _report(
        UserReportIn(
            account_id=NAME, category="bullying", text=MARKS["report about"], messages=[said]
        )
    )
    take_case(case=case, staff=robin)
    form = VerdictForm(outcome="confirmed", clause="SF-1", note=MARKS["note"])
    decide_case(case_id=case.pk, staff=robin, form=form)
    run_jobs()
    statement = Statement.objects.get(case=case, stage="verdict")
    appeal = file_appeal(
        account=teen, statement_id=statement.pk, text=MARKS["appeal"], days=14, actor=APP
    )
    take_case(case=Case.objects.get(pk=case.pk), staff=kim)
    decide_appeal(appeal_id=appeal.pk, overturn=False, note=MARKS["answer"], staff=kim)


def _reports(teen: Account, robin: Staff) -> None:
    """The person reports somebody else, whose case is dismissed."""
    make_account("other-member", 30)
    case = _report(
        UserReportIn(
            account_id="other-member",
            category="bullying",
            text=MARKS["report by"],
            reporter_id=NAME,
        )
    )
    take_case(case=case, staff=robin)
    decide_case(case_id=case.pk, staff=robin, form=VerdictForm(outcome="dismissed", note="No."))


def _report(report: UserReportIn) -> Case:
    return receive_user_report(report=report, actor=APP).finding.case


def _kept(teen: Account, check: Check) -> None:
    create_key(name="keeps", scopes=frozenset({"media:check"}), actor=Actor.system("test"))
    KeptAnswer.objects.create(
        api_key=ApiKey.objects.get(name="keeps"),
        idempotency_key=MARKS["idempotency"],
        fingerprint="0" * 64,
        answer={"check_id": str(check.pk), "outcome": "quarantine"},
    )
