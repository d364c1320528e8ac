"""Verdicts that take two people, the minute of a verdict, and what is corrected afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.staff import suspend_staff
from kinward.casebook.models import Case, PendingVerdict, Verdict, VerdictProposal
from kinward.cli.doctor.rules import check_second_people
from kinward.enforcement.models import Action, Sanction
from kinward.evidence.excerpts import Message
from kinward.evidence.models import Evidence
from kinward.evidence.services import seal_excerpt
from kinward.evidence.warrants import NOTHING_HELD, GroundsNeeded, grounds_of
from kinward.findings import opening
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ground.errors import Forbidden, Invalid, NotFound
from kinward.guidelines.queries import guidelines_in_force
from kinward.guidelines.rules import FindingRule
from kinward.ledger.models import Entry
from kinward.ledger.words import says
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.redress import silence
from kinward.redress.models import Statement
from kinward.reporting.corrections import record_correction
from kinward.reporting.models import Correction, Report
from kinward.reporting.services import file_report
from kinward.review.lease import OwnProposal, take_case
from kinward.review.models import SecondReading
from kinward.review.queue import cases_free_for
from kinward.verdicts import conclusion
from kinward.verdicts.decision import NeedsAnotherPerson, VerdictInItsMinute, decide_case, rehearse
from kinward.verdicts.draft import ReportDetails
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.minute import MinuteNotOver, carry_out_pending, give_verdict, take_back
from kinward.verdicts.proposals import (
    ProposalOpen,
    WordsNeeded,
    answer_proposal,
    go_ahead_alone,
    open_proposal,
    write_second_word,
)
from kinward.verdicts.report import close_reported
from kinward.verdicts.words import ClauseUnfit, fitting_clauses, require_fitting_clause
from tests.integration.web.test_console import signed_in
from tests.support.helpers import KNOWN_PNG, due_jobs, quarantined
from tests.support.verdicts import agree, gives, minute_is_over, sees

pytestmark = pytest.mark.django_db

CHAT = [Message("member-1", datetime(2026, 1, 2, tzinfo=UTC), "Hello there.")]
END = VerdictForm(outcome="confirmed", clause="CS-2", note="The chat shows it.")
DISMISS = VerdictForm(outcome="dismissed", note="It is a drawing.")


def reported(account: Account, reviewer: Staff, *, by: str = "") -> Case:
    """A case of one user report with a chat, which the reviewer has and has read."""
    made = UserReportIn(
        account_id=account.platform_id,
        category="contact",
        content_id="post-7",
        reporter_id=by,
        messages=CHAT,
    )
    case = receive_user_report(report=made, actor=Actor.key("app")).finding.case
    take_case(case=case, staff=reviewer)
    sees(case, reviewer)
    return case


def effects() -> set[str]:
    return {action.type for action in Action.objects.exclude(target_kind="notice")}


def test_one_user_report_ends_no_account_without_a_second_person(
    account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = decide_case(case_id=reported(account, reviewer).pk, staff=reviewer, form=END)
    assert case.state == "escalated"
    assert effects() == {"content.quarantine", "account.restrict"}, "what protects does not wait"
    assert not Report.objects.exists()
    proposal = VerdictProposal.objects.get()
    assert proposal.reasons == ["one_word"]
    assert list(cases_free_for(reviewer)) == []
    with pytest.raises(OwnProposal):
        take_case(case=case, staff=reviewer)
    with pytest.raises(Forbidden):
        answer_proposal(proposal_id=proposal.pk, agree=True, staff=reviewer)
    take_case(case=Case.objects.get(), staff=second_reviewer)
    with pytest.raises(Invalid, match="First enter what you saw"):
        answer_proposal(proposal_id=proposal.pk, agree=True, staff=second_reviewer)
    with pytest.raises(GroundsNeeded):
        write_second_word(proposal_id=proposal.pk, words="I did not look.", staff=second_reviewer)
    with pytest.raises(ProposalOpen):
        decide_case(case_id=case.pk, staff=second_reviewer, form=DISMISS)
    sees(case, second_reviewer)
    write_second_word(proposal_id=proposal.pk, words="I read it, too.", staff=second_reviewer)
    answer_proposal(proposal_id=proposal.pk, agree=True, staff=second_reviewer)
    account.refresh_from_db()
    assert account.standing == "terminated"
    assert Report.objects.count() == 1
    verdict = Verdict.objects.get(outcome="confirmed")
    assert (verdict.given_by, verdict.proposal) == (reviewer, proposal)
    assert set(verdict.grave) == {"account.terminate", "report.file", "registration.block"}


def test_two_people_s_reports_and_a_look_are_enough(account: Account, reviewer: Staff) -> None:
    for name in ("wren", "heron"):
        put_account(platform_id=name, profile=Profile())
        case = reported(account, reviewer, by=name)
    assert decide_case(case_id=case.pk, staff=reviewer, form=END).state == "confirmed"


def test_a_chat_that_the_decider_typed_is_no_ground(account: Account, reviewer: Staff) -> None:
    for name in ("wren", "heron"):
        put_account(platform_id=name, profile=Profile())
        made = UserReportIn(account_id="member-1", category="contact", reporter_id=name)
        case = receive_user_report(report=made, actor=Actor.key("app")).finding.case
    take_case(case=case, staff=reviewer)
    typed = msgspec.structs.replace(END, details=ReportDetails(chat="They said it."))
    give_verdict(
        case_id=case.pk,
        staff=reviewer,
        form=VerdictForm(outcome="dismissed", details=typed.details),
    )
    take_back(case_id=case.pk, staff=reviewer)
    file = Evidence.objects.get(case=case)
    page = signed_in(reviewer)
    assert page.post(f"/cases/{case.pk}/files/{file.pk}/show").status_code == 200
    with pytest.raises(GroundsNeeded, match=""):
        decide_case(case_id=case.pk, staff=reviewer, form=END)


def test_the_second_person_writes_before_they_read(
    account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = reported(account, reviewer)
    first, second = signed_in(reviewer), signed_in(second_reviewer)
    sent = {"outcome": "confirmed", "clause": "CS-2", "note": "The chat shows it."}
    assert "only shows what would follow" in first.get(f"/cases/{case.pk}").text
    assert gives(first, case, sent).status_code == 302
    minute_is_over(case)
    address = f"/cases/{case.pk}"
    mine = first.get(address).text
    assert "The chat shows it." in mine
    assert "one user report alone" in mine
    second.post(f"{address}/take")
    page = second.get(address).text
    assert "A verdict that takes two people" in page
    assert "The chat shows it." not in page
    assert "CS-2" not in page.split('class="timeline"')[1]
    assert "Give this verdict" not in page
    proposal = VerdictProposal.objects.get()
    word = f"{address}/proposals/{proposal.pk}/word"
    assert second.post(word, {"words": "I see it."}).status_code == 409, "without a look"
    sees(case, second_reviewer)
    second.post(word, {"words": "I see it."})
    page = second.get(address).text
    assert "The chat shows it." in page
    assert "I agree: carry it out" in page
    answer = f"{address}/proposals/{proposal.pk}/answer"
    assert second.post(answer, {"decision": "x"}).status_code == 422
    second.post(answer, {"decision": "agree"})
    assert "robin and" in " ".join(second.get(address).text.split())
    case.refresh_from_db()
    assert case.state == "confirmed"


def test_who_does_not_agree_decides_for_themselves(
    account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = decide_case(case_id=reported(account, reviewer).pk, staff=reviewer, form=END)
    take_case(case=case, staff=second_reviewer)
    sees(case, second_reviewer)
    proposal = open_proposal(case)
    assert proposal is not None
    write_second_word(proposal_id=proposal.pk, words="They know each other.", staff=second_reviewer)
    answer_proposal(proposal_id=proposal.pk, agree=False, staff=second_reviewer)
    decided = decide_case(case_id=case.pk, staff=second_reviewer, form=DISMISS)
    assert decided.state == "dismissed"
    account.refresh_from_db()
    assert account.standing == "active"
    assert not Sanction.objects.filter(ended_at=None).exists()
    assert not Sanction.objects.filter(kind="terminate").exists()


def test_who_withdraws_leaves_the_case_to_another(
    account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = decide_case(case_id=reported(account, reviewer).pk, staff=reviewer, form=END)
    proposal = open_proposal(case)
    assert proposal is not None
    answer_proposal(proposal_id=proposal.pk, agree=False, staff=reviewer)
    take_case(case=Case.objects.get(), staff=reviewer)
    with pytest.raises(NeedsAnotherPerson):
        decide_case(case_id=case.pk, staff=reviewer, form=DISMISS)
    Staff.objects.filter(pk=second_reviewer.pk).update(is_active=False)
    assert decide_case(case_id=case.pk, staff=reviewer, form=DISMISS).state == "dismissed", "alone"


def test_a_child_in_danger_waits_fifteen_minutes_and_no_longer(
    account: Account, reviewer: Staff, second_reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    danger = msgspec.structs.replace(END, details=ReportDetails(escalate="They meet today."))
    case = decide_case(case_id=reported(account, reviewer).pk, staff=reviewer, form=danger)
    assert go_ahead_alone() == 0
    later(monkeypatch, timedelta(minutes=14))
    assert go_ahead_alone() == 0
    later(monkeypatch, timedelta(minutes=16))
    assert go_ahead_alone() == 1
    case.refresh_from_db()
    assert case.state == "confirmed"
    assert Report.objects.get().draft["escalate"] == "They meet today."
    assert SecondReading.objects.get().verdict.case == case, "it is read the same day"
    senior = Staff.objects.create_user(username="sam", roles=["senior reviewer"])
    assert "read it today" in signed_in(senior).get("/quality").text
    assert Entry.objects.filter(kind="verdict.went_ahead", data__urgent=True).exists()
    assert go_ahead_alone() == 0


def test_danger_does_not_hurry_what_gives_back(
    bank: Bank, account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = exact(account, reviewer)
    hurried = msgspec.structs.replace(DISMISS, details=ReportDetails(escalate="Now!"))
    decide_case(case_id=case.pk, staff=reviewer, form=hurried)
    assert VerdictProposal.objects.get().goes_ahead_at is None


def test_where_one_person_is_alone_a_day_takes_the_second_ones_place(
    account: Account, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        "Only one person can agree to what takes two. robin: working" in check_second_people().text
    )
    case = decide_case(case_id=reported(account, reviewer).pk, staff=reviewer, form=END)
    assert "It goes ahead without an answer at" in signed_in(reviewer).get(f"/cases/{case.pk}").text
    later(monkeypatch, timedelta(hours=23))
    assert go_ahead_alone() == 0
    later(monkeypatch, timedelta(hours=25))
    assert go_ahead_alone() == 1
    case.refresh_from_db()
    assert case.state == "confirmed"


@pytest.mark.parametrize("danger", ["", "They meet today."])
def test_what_somebody_asked_for_who_lost_the_power_waits_for_a_person(
    account: Account, reviewer: Staff, monkeypatch: pytest.MonkeyPatch, danger: str
) -> None:
    form = msgspec.structs.replace(END, details=ReportDetails(escalate=danger))
    case = decide_case(case_id=reported(account, reviewer).pk, staff=reviewer, form=form)
    suspend_staff(username=reviewer.username, actor=Actor.operator("test"))
    later(monkeypatch, timedelta(days=30))
    assert go_ahead_alone() == 0
    case.refresh_from_db()
    assert case.state == "escalated"
    assert not Report.objects.exists()


def test_nobody_suspends_the_second_person_and_decides_alone(
    account: Account, reviewer: Staff, second_reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = decide_case(case_id=reported(account, reviewer).pk, staff=reviewer, form=END)
    proposal = open_proposal(case)
    assert proposal is not None
    answer_proposal(proposal_id=proposal.pk, agree=False, staff=reviewer)
    suspend_staff(username=second_reviewer.username, actor=Actor.operator("test"))
    take_case(case=Case.objects.get(), staff=reviewer)
    with pytest.raises(NeedsAnotherPerson):
        decide_case(case_id=case.pk, staff=reviewer, form=DISMISS)


def test_a_second_person_who_comes_meanwhile_is_asked(
    account: Account, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = decide_case(case_id=reported(account, reviewer).pk, staff=reviewer, form=END)
    Staff.objects.create_user(username="new", roles=["reviewer"])
    later(monkeypatch, timedelta(hours=25))
    assert go_ahead_alone() == 0
    case.refresh_from_db()
    assert case.state == "escalated"
    assert VerdictProposal.objects.get().goes_ahead_at is None


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    moment = VerdictProposal.objects.get().asked_at + by
    monkeypatch.setattr(timezone, "now", lambda: moment)


def exact(account: Account, reviewer: Staff) -> Case:
    case = quarantined(account, data=KNOWN_PNG)
    take_case(case=case, staff=reviewer)
    sees(case, reviewer)
    return case


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (DISMISS, "match.dismiss"),
        (VerdictForm(outcome="confirmed", clause="SF-2", note="x"), "report.leave_out"),
    ],
)
def test_what_a_verified_list_says_is_not_denied_by_one_person(
    form: VerdictForm,
    reason: str,
    bank: Bank,
    account: Account,
    reviewer: Staff,
    second_reviewer: Staff,
) -> None:
    case = exact(account, reviewer)
    assert decide_case(case_id=case.pk, staff=reviewer, form=form).state == "escalated"
    assert VerdictProposal.objects.get().reasons == [reason]
    account.refresh_from_db()
    assert account.standing == "suspended", "nothing is given back yet"
    assert "content.restore" not in effects()
    agree(case, second=second_reviewer)
    case.refresh_from_db()
    assert case.state in ("dismissed", "enforced")


def test_guidelines_ask_for_more_and_never_for_less(
    account: Account, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = guidelines_in_force()
    clauses = tuple(
        msgspec.structs.replace(clause, two_people=clause.code == "SF-2")
        for clause in shipped.clause
    )
    stricter = msgspec.structs.replace(shipped, clause=clauses)
    monkeypatch.setattr(conclusion, "guidelines_in_force", lambda: stricter)
    made = UserReportIn(account_id="member-1", category="bullying")
    case = receive_user_report(report=made, actor=Actor.key("app")).finding.case
    take_case(case=case, staff=reviewer)
    form = VerdictForm(outcome="confirmed", clause="SF-2", note="Rude, again and again.")
    assert decide_case(case_id=case.pk, staff=reviewer, form=form).state == "escalated"
    assert VerdictProposal.objects.get().reasons == ["guidelines"]


def test_a_proposal_ends_with_its_case(
    bank: Bank, account: Account, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = decide_case(case_id=reported(account, reviewer).pk, staff=reviewer, form=END)
    rule = FindingRule(id="x", confidence="verified", exact=True, verdict="CS-1", within_hours=1)
    shipped = guidelines_in_force()
    changed = msgspec.structs.replace(shipped, finding=(rule, *shipped.finding))
    for module in (opening, conclusion):
        monkeypatch.setattr(module, "guidelines_in_force", lambda: changed)
    quarantined(account, data=KNOWN_PNG)
    case.refresh_from_db()
    assert (case.state, open_proposal(case)) == ("confirmed", None)
    later(monkeypatch, timedelta(hours=25))
    assert go_ahead_alone() == 0
    assert (
        "A verdict that takes two people" not in signed_in(reviewer).get(f"/cases/{case.pk}").text
    )


def test_an_exact_match_is_ground_enough_unseen_and_a_near_one_is_not(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    form = VerdictForm(outcome="confirmed", clause="CS-1")
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    with pytest.raises(GroundsNeeded):
        decide_case(case_id=case.pk, staff=reviewer, form=form)
    quarantined(account, data=KNOWN_PNG, content_id="exact")
    assert decide_case(case_id=case.pk, staff=reviewer, form=form).state == "confirmed"


def test_a_look_of_somebody_else_is_no_ground(
    bank: Bank, account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = quarantined(account)
    sees(case, second_reviewer)
    take_case(case=case, staff=reviewer)
    with pytest.raises(GroundsNeeded):
        decide_case(
            case_id=case.pk, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1")
        )


def test_a_case_with_nothing_to_see_ends_nobody(account: Account, reviewer: Staff) -> None:
    for name in ("wren", "heron"):
        put_account(platform_id=name, profile=Profile())
        made = UserReportIn(account_id="member-1", category="contact", reporter_id=name)
        case = receive_user_report(report=made, actor=Actor.key("app")).finding.case
    take_case(case=case, staff=reviewer)
    offered = {clause.code for clause in fitting_clauses(case, guidelines_in_force())}
    assert offered == {"CS-4", "SF-1", "SF-2", "SF-3"}
    with pytest.raises(ClauseUnfit):
        require_fitting_clause(case, "CS-2")
    with pytest.raises(GroundsNeeded, match="nothing to see"):
        decide_case(case_id=case.pk, staff=reviewer, form=END)


def test_the_ground_that_nothing_is_held_stands_alone(account: Account, reviewer: Staff) -> None:
    case = Case.objects.create(account=account)
    assert grounds_of(case, reviewer, lists=False) == [NOTHING_HELD]
    assert grounds_of(case, reviewer) == []
    with transaction.atomic():
        file = seal_excerpt(case_id=case.pk, text="heron: Hello.", actor=Actor.key("test"))
    assert grounds_of(case, reviewer, lists=False) == []
    sees(case, reviewer)
    assert grounds_of(case, reviewer, lists=False) == [str(file)]


def test_a_second_person_is_told_why_with_words(account: Account, reviewer: Staff) -> None:
    case = reported(account, reviewer)
    bare = msgspec.structs.replace(END, note=" ")
    with pytest.raises(WordsNeeded):
        decide_case(case_id=case.pk, staff=reviewer, form=bare)
    with pytest.raises(WordsNeeded):
        rehearse(case_id=case.pk, staff=reviewer, form=bare)


def test_the_database_refuses_a_grave_verdict_without_grounds_and_one_person_as_two(
    account: Account, reviewer: Staff
) -> None:
    case = reported(account, reviewer)
    for grounds in (None, list[str]()):
        with pytest.raises(IntegrityError, match="grave_has_grounds"), transaction.atomic():
            Verdict.objects.create(
                case=case,
                outcome="confirmed",
                given_by=reviewer,
                grave=["account.terminate"],
                grounds=grounds,
            )
    decide_case(case_id=case.pk, staff=reviewer, form=END)
    with pytest.raises(IntegrityError, match="second_is_another"), transaction.atomic():
        VerdictProposal.objects.update(second_by=reviewer)
    with pytest.raises(IntegrityError, match="two_people"), transaction.atomic():
        VerdictProposal.objects.update(state="approved", decided_by=reviewer, decided_at=NOW)
    with pytest.raises(IntegrityError, match="not_before"), transaction.atomic():
        VerdictProposal.objects.update(went_ahead_at=NOW, goes_ahead_at=NOW + timedelta(days=1))


NOW = datetime(2026, 1, 1, tzinfo=UTC)


# The minute.


def test_nothing_leaves_in_the_minute_of_a_verdict(
    bank: Bank, account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = exact(account, reviewer)
    before, jobs = effects(), due_jobs()
    form = VerdictForm(outcome="confirmed", clause="CS-1")
    pending = give_verdict(case_id=case.pk, staff=reviewer, form=form)
    assert pending is not None
    assert timedelta(seconds=58) < pending.due_at - pending.given_at < timedelta(seconds=62)
    assert effects() == before
    assert not Report.objects.exists()
    assert due_jobs() == [*jobs, "verdicts.carry_out"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = %s", [CARRY])
        assert cursor.fetchone() == (pending.due_at,)
    assert list(cases_free_for(reviewer)) == []
    with pytest.raises(VerdictInItsMinute):
        decide_case(case_id=case.pk, staff=reviewer, form=DISMISS)
    with pytest.raises(NotFound):
        take_back(case_id=case.pk, staff=second_reviewer)
    with pytest.raises(MinuteNotOver):  # a job that somebody put into the queue
        carry_out_pending(pending.pk)
    assert effects() == before
    minute_is_over(case)
    carry_out_pending(pending.pk)
    account.refresh_from_db()
    assert account.standing == "terminated"
    assert Report.objects.count() == 1
    with pytest.raises(NotFound):
        take_back(case_id=case.pk, staff=reviewer)


CARRY = "verdicts.carry_out"


def test_a_verdict_is_taken_back_without_a_trace_outside(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    case = exact(account, reviewer)
    before = effects()
    page = signed_in(reviewer)
    gives(page, case, {"outcome": "confirmed", "clause": "CS-1"})
    assert "A verdict in its minute" in page.get(f"/cases/{case.pk}").text
    page.post(f"/cases/{case.pk}/take-back")
    carry_out_pending(PendingVerdict.objects.get().pk)
    case.refresh_from_db()
    assert (case.state, effects()) == ("open", before)
    assert "Your verdict" in page.get(f"/cases/{case.pk}").text
    form = VerdictForm(outcome="confirmed", clause="CS-1")
    _, rehearsal = rehearse(case_id=case.pk, staff=reviewer, form=form)
    assert rehearsal.reasons == [], "the case can be decided again"
    kinds = list(Entry.objects.filter(kind__startswith="verdict.").values_list("kind", flat=True))
    assert kinds == ["verdict.pending", "verdict.taken_back"]


def test_a_verdict_that_cannot_be_carried_out_any_more_says_so(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    case = exact(account, reviewer)
    pending = give_verdict(
        case_id=case.pk, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1")
    )
    assert pending is not None
    Staff.objects.filter(pk=reviewer.pk).update(is_active=False)
    minute_is_over(case)
    case.refresh_from_db()
    assert case.state == "open"
    assert "role" in PendingVerdict.objects.get().problem
    Staff.objects.filter(pk=reviewer.pk).update(is_active=True)
    assert (
        "Your last verdict was not carried out" in signed_in(reviewer).get(f"/cases/{case.pk}").text
    )


def test_what_follows_is_read_before_the_last_press_and_written_nowhere(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    case = exact(account, reviewer)
    page = signed_in(reviewer)
    text = page.get(f"/cases/{case.pk}").text
    assert 'name="clause"' in text
    assert "checked" not in text, "nothing is chosen for anybody"
    assert "No bullying" not in text, "it does not fit what a verified list has"
    assert "Pictures or videos that sexually exploit a child are removed" in text
    entries = Entry.objects.count()
    sent: dict[str, Any] = {"outcome": "confirmed", "clause": "CS-1"}
    shown = page.post(f"/cases/{case.pk}/preview", sent, headers={"HX-Request": "true"})
    assert "This ends the account, removes 1 post and every copy" in shown.text
    assert "files a report to cybertipline" in shown.text
    assert "<html" not in shown.text
    assert Entry.objects.count() == entries
    whole = page.post(f"/cases/{case.pk}/preview", sent | {"note": "Typed."})
    assert "Typed." in whole.text
    assert "This ends the account" in whole.text
    other = page.post(f"/cases/{case.pk}/decide", sent | {"read": "x"})
    assert other.status_code == 409
    unfit = {"outcome": "confirmed", "clause": "SF-2", "note": "Kept."}
    refused = page.post(f"/cases/{case.pk}/preview", unfit)
    assert refused.status_code == 409
    assert "Kept." in refused.text, "what was typed stays"
    assert not PendingVerdict.objects.exists()


# Silence, and corrections.


def test_a_long_silence_takes_an_order_and_two_people(
    bank: Bank, account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = reported(account, reviewer)
    decide_case(case_id=case.pk, staff=reviewer, form=END)
    agree(case, second=second_reviewer)
    statement = Statement.objects.get(stage="verdict")
    until = timezone.now() + timedelta(days=400)
    why = "An order."
    ask: dict[str, Any] = {"statement_id": statement.pk, "until": until, "staff": reviewer}
    with pytest.raises(silence.SilenceTakesTwo):
        silence.keep_silent(**ask, why=why)
    with pytest.raises(silence.SilenceTakesTwo):
        silence.request_long_silence(**ask, why=why, reference=" ")
    page = signed_in(reviewer)
    sent = {"days": "400", "why": "An order.", "reference": "court 7"}
    page.post(f"/cases/{case.pk}/silence", sent)
    asked = statement.silences.get()
    address = f"/cases/{case.pk}/silences/{asked.pk}"
    assert page.post(address, {"decision": "approve"}).status_code == 403
    other = signed_in(second_reviewer)
    assert "court 7" in other.get(f"/cases/{case.pk}").text
    other.post(address, {"decision": "approve"})
    statement.refresh_from_db()
    assert statement.silent_until == asked.until


def test_a_report_of_an_overturned_verdict_is_corrected_with_its_authority(
    bank: Bank, account: Account, reviewer: Staff, second_reviewer: Staff, sandbox: object
) -> None:
    from kinward.redress.services import file_appeal
    from kinward.verdicts.appeals import decide_appeal

    case = exact(account, reviewer)
    decide_case(
        case_id=case.pk, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1")
    )
    file_report(Report.objects.get().id)
    close_reported(case.pk)
    Statement.objects.update(told_at=timezone.now())
    statement = Statement.objects.get(stage="verdict")
    appeal = file_appeal(
        account=account, statement_id=statement.pk, text="A drawing.", days=14, actor=Actor.key("x")
    )
    take_case(case=Case.objects.get(), staff=second_reviewer)
    decide_appeal(appeal_id=appeal.pk, overturn=True, note="It is.", staff=second_reviewer)
    correction = Correction.objects.get()
    assert correction.report.state == "finished"
    custodian = Staff.objects.create_user(username="mika", roles=["evidence custodian"])
    page = signed_in(custodian)
    text = page.get("/releases").text
    assert "Reports to correct" in text
    assert "The CyberTipline changes no finished report." in text
    address = f"/releases/corrections/{correction.pk}"
    assert page.post(address, {"how": " "}).status_code == 422
    page.post(address, {"how": "Wrote to them. They noted it.", "reference": "R-1"})
    assert "Reports to correct" not in page.get("/releases").text
    entry = Entry.objects.get(kind="report.corrected")
    assert entry.actor == "staff:mika"
    assert says(entry.data["how"], "Wrote to them. They noted it.")
    with pytest.raises(Forbidden):
        record_correction(correction_id=correction.pk, how="x", reference="", staff=reviewer)
