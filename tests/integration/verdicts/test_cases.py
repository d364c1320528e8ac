"""From a match to a verdict, and everything that each sets in motion."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case, Finding, Verdict
from kinward.casebook.states import MoveForbidden
from kinward.enforcement.models import Action
from kinward.evidence.models import Evidence
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ground.errors import Forbidden, Invalid
from kinward.ledger.models import Entry
from kinward.ledger.verification import verify_ledger
from kinward.matching.confidence import Confidence
from kinward.matching.models import Bank, Check
from kinward.matching.services import add_hashes, create_bank, file_hashes
from kinward.media import Undecodable, digest_bytes
from kinward.people.models import Account
from kinward.people.services import AccountUnknown, Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.reporting.draft import from_json
from kinward.reporting.models import Report
from kinward.review.contacts import contacts_of_case
from kinward.review.lease import LeaseHeld, LeaseNeeded, release_lease, take_case
from kinward.review.queue import cases_free_for
from kinward.verdicts.decision import NeedsAnotherPerson
from kinward.verdicts.draft import ReportDetails
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.page import page_of
from tests.integration.web.test_console import signed_in
from tests.support.helpers import (
    KNOWN,
    KNOWN_PNG,
    UNKNOWN,
    due_jobs,
    quarantined,
    two_files_one_seen,
    upload,
)
from tests.support.verdicts import decide_case, gives, minute_is_over, sees

pytestmark = pytest.mark.django_db

CONFIRM = VerdictForm(outcome="confirmed", clause="CS-1")
DISMISS = VerdictForm(outcome="dismissed")
ESCALATE = VerdictForm(outcome="escalated")


def effects(case: Case) -> list[tuple[str, str]]:
    made = Action.objects.filter(case_id=case.id).order_by("number")
    return [(each.type, each.state) for each in made]


def held(case: Case, staff: Staff, form: VerdictForm) -> Case:
    take_case(case=case, staff=staff)
    return decide_case(case_id=case.id, staff=staff, form=form)


def test_an_unknown_picture_is_clear_and_leaves_nothing_but_its_check(
    bank: Bank, account: Account
) -> None:
    outcome = upload(account, UNKNOWN)
    assert (outcome.outcome, outcome.case_id) == ("clear", None)
    assert Check.objects.count() == 1
    assert not Case.objects.exists()
    assert not Evidence.objects.exists()


def test_a_verified_match_acts_at_once(bank: Bank, account: Account) -> None:
    case = quarantined(account)
    account.refresh_from_db()
    assert account.standing == "suspended"
    assert effects(case) == [("content.quarantine", "pending"), ("account.suspend", "pending")]
    jobs = sorted(due_jobs())
    assert jobs[:3] == ["enforcement.deliver"] * 3, "with what the account holder is told"
    assert jobs[3:] == ["families.weigh"], "whoever they guard is looked at anew"
    assert Evidence.objects.get().case_id == case.id
    kinds = list(Entry.objects.filter(subject=str(case)).values_list("kind", flat=True))
    assert kinds == ["case.opened", "case.finding_added"]
    assert verify_ledger().ok


def test_an_unverified_match_quarantines_but_leaves_the_account(account: Account) -> None:
    loose = create_bank(name="loose", confidence="unverified", actor=Actor.system("test"))
    hashes = file_hashes(digest_bytes(KNOWN), None)
    add_hashes(bank=loose, hashes=hashes, provenance="p", actor=Actor.system("test"))
    case = quarantined(account)
    account.refresh_from_db()
    assert account.standing == "active"
    assert effects(case) == [("content.quarantine", "pending")]
    assert Finding.objects.get().confidence == Confidence.UNVERIFIED
    held_by = Staff.objects.create_user(username="r", password="x" * 12, roles=["reviewer"])
    held(case, held_by, DISMISS)
    assert ("account.restore", "pending") not in effects(case)


def test_further_findings_join_the_one_open_case(bank: Bank, account: Account) -> None:
    first = quarantined(account)
    second = quarantined(account, content_id="post-2")
    assert first == second
    assert first.findings.count() == 2
    assert len(effects(first)) == 3
    with pytest.raises(IntegrityError, match="one_undecided"), transaction.atomic():
        Case.objects.create(account=account)


def test_a_file_that_cannot_be_decoded_is_checked_by_its_digests(account: Account) -> None:
    broken = b"\xff\xd8\xff begins as a picture"
    with pytest.raises(Undecodable):
        upload(account, broken)
    assert not Check.objects.exists()
    bank = create_bank(name="digests", confidence="verified", actor=Actor.system("test"))
    hashes = file_hashes(digest_bytes(broken), None)
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=Actor.system("test"))
    assert upload(account, broken).outcome == "quarantine"


def test_an_unknown_account_is_refused_with_nothing_half_done(bank: Bank) -> None:
    with pytest.raises(AccountUnknown):
        upload(Account(platform_id="nobody"))
    assert not Check.objects.exists()


def test_confirming_removes_terminates_and_opens_a_report(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    case = quarantined(account)
    quarantined(account, content_id="post-2")
    assert held(case, reviewer, CONFIRM).state == "confirmed"
    account.refresh_from_db()
    assert account.standing == "terminated"
    assert {kind for kind, _ in effects(case)} >= {"content.remove", "account.terminate"}
    assert [kind for kind, _ in effects(case)].count("content.remove") == 2
    draft = from_json(Report.objects.get().draft)
    assert draft.incident == "imagery"
    assert draft.account.platform_id == "member-1"
    assert draft.account.screen_name == "driftwood"
    assert draft.account.ip_events[0].ip == "203.0.113.7"
    assert [file.viewed for file in draft.files] == [True, True]
    assert set(draft.files[0].hashes) == {"MD5", "SHA1", "SHA256", "PDQ"}
    assert due_jobs()[-3:-1] == ["verdicts.file_report", "findings.bank_confirmed"]


def test_only_a_file_that_a_person_saw_is_reported_as_viewed(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    case, first, second = two_files_one_seen(account, reviewer)
    form = VerdictForm(
        outcome="confirmed",
        clause="CS-1",
        classifications={str(first.id): "B2"},
        annotations=["spam"],
    )
    decide_case(case_id=case.id, staff=reviewer, form=form)
    draft = from_json(Report.objects.get().draft)
    by_evidence = {file.evidence_id: file for file in draft.files}
    assert by_evidence[first.id].viewed
    assert not by_evidence[second.id].viewed
    assert by_evidence[first.id].classification == "B2"
    assert draft.annotations == ["spam"]


def test_dismissing_gives_everything_back(bank: Bank, account: Account, reviewer: Staff) -> None:
    case = quarantined(account)
    assert held(case, reviewer, DISMISS).state == "dismissed"
    account.refresh_from_db()
    assert account.standing == "active"
    # Nothing had been delivered yet, so the platform never hears of what was taken back.
    assert effects(case) == [
        ("content.quarantine", "superseded"),
        ("account.suspend", "superseded"),
        ("content.restore", "pending"),
        ("account.restore", "pending"),
    ]
    assert not Report.objects.exists()
    expires = Evidence.objects.get().expires_at
    assert expires is not None
    assert expires < timezone.now() + timedelta(days=31)
    assert quarantined(account, content_id="post-9") != case


def test_dismissing_a_later_case_does_not_bring_a_terminated_account_back(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    held(quarantined(account), reviewer, CONFIRM)
    later = quarantined(account, content_id="post-2")
    held(later, reviewer, DISMISS)
    account.refresh_from_db()
    assert account.standing == "terminated"
    assert ("account.restore", "pending") not in effects(later)


def test_dismissing_a_later_case_does_not_bring_removed_content_back(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    confirmed = held(quarantined(account), reviewer, CONFIRM)
    later = quarantined(account, content_id="post-1")
    quarantined(account, content_id="post-2")
    held(later, reviewer, DISMISS)
    assert ("content.remove", "pending") in effects(confirmed)
    restored = Action.objects.filter(effect="restore", state="pending")
    assert list(restored.values_list("target", flat=True)) == ["post-2"]


def test_a_second_verdict_is_an_error(bank: Bank, account: Account, reviewer: Staff) -> None:
    case = quarantined(account)
    held(case, reviewer, CONFIRM)
    for form in (CONFIRM, DISMISS, ESCALATE):
        with pytest.raises(MoveForbidden):
            decide_case(case_id=case.id, staff=reviewer, form=form)
    assert Report.objects.count() == 1


def test_what_one_person_escalates_another_decides(
    bank: Bank, account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = quarantined(account)
    assert held(case, reviewer, ESCALATE).state == "escalated"
    assert cases_free_for(reviewer).first() is None
    take_case(case=case, staff=reviewer)
    with pytest.raises(NeedsAnotherPerson):
        decide_case(case_id=case.id, staff=reviewer, form=CONFIRM)
    release_lease(case=case, staff=reviewer)
    assert cases_free_for(second_reviewer).first() == case
    assert held(case, second_reviewer, CONFIRM).state == "confirmed"


def test_a_lease_keeps_two_reviewers_apart(
    bank: Bank, account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = quarantined(account)
    with pytest.raises(LeaseNeeded):
        decide_case(case_id=case.id, staff=reviewer, form=CONFIRM)
    take_case(case=case, staff=reviewer)
    with pytest.raises(LeaseHeld, match="robin has it"):
        take_case(case=case, staff=second_reviewer)
    assert cases_free_for(second_reviewer).first() is None
    with pytest.raises(LeaseNeeded):
        decide_case(case_id=case.id, staff=second_reviewer, form=CONFIRM)
    Case.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(LeaseNeeded):
        decide_case(case_id=case.id, staff=reviewer, form=CONFIRM)
    take_case(case=case, staff=second_reviewer)
    assert held(case, second_reviewer, CONFIRM).state == "confirmed"


@pytest.mark.parametrize(
    "form",
    [
        VerdictForm(outcome="confirmed"),
        VerdictForm(outcome="confirmed", clause="CS-9"),
        VerdictForm(outcome="confirmed", clause="CS-1", classifications={"x": "A1"}),
        VerdictForm(outcome="confirmed", clause="CS-1", annotations=["loud"]),
        VerdictForm(outcome="dismissed", note="x" * 5001),
    ],
)
def test_a_verdict_that_makes_no_sense_changes_nothing(
    bank: Bank, account: Account, reviewer: Staff, form: VerdictForm
) -> None:
    case = quarantined(account)
    with pytest.raises(Invalid):
        held(case, reviewer, form)
    case.refresh_from_db()
    assert case.state == "open"
    assert not case.verdicts.exists()


def test_an_operator_does_not_review(bank: Bank, account: Account, operator: Staff) -> None:
    with pytest.raises(Forbidden):
        take_case(case=quarantined(account), staff=operator)


def test_a_case_of_hashes_alone_is_reported_without_files(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    from kinward.findings.upload import prepare, receive
    from kinward.matching.services import Upload

    prepared = prepare(KNOWN_PNG)
    about = Upload(
        content_id="clip",
        uploaded_at=timezone.now(),
        digests=prepared.digests,
        hashed=prepared.hashed,
    )
    outcome = receive(actor=Actor.key("test"), account_id="member-1", upload=about)
    held(Case.objects.get(pk=str(outcome.case_id)), reviewer, CONFIRM)
    draft = from_json(Report.objects.get().draft)
    assert draft.files == []
    assert "content clip: md5" in draft.additional_info


def test_contacts_who_may_be_victims_are_found_and_named(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    for name, lower, upper in (("sprat", 12, 13), ("elver", 13, 18), ("heron", 30, 31)):
        put_account(platform_id=name, profile=Profile(age=AgeRange(lower, upper)))
    earlier = receive_user_report(
        report=UserReportIn(account_id="member-1", category="contact", reporter_id="heron"),
        actor=Actor.key("test"),
    ).finding.case
    take_case(case=earlier, staff=reviewer)
    details = ReportDetails(victims=["elver"])
    form = VerdictForm(outcome="confirmed", clause="CS-2", details=details)
    decide_case(case_id=earlier.id, staff=reviewer, form=form)
    case = quarantined(account, sent_to=["heron", "sprat", "member-1", "nobody we know"])

    found = contacts_of_case(case)
    assert [(each.account.platform_id, each.maybe_child) for each in found] == [
        *(("elver", True), ("sprat", True)),
        ("heron", False),
    ]
    assert found[2].why == ["was sent post-1", "reported this account (contact)"]
    assert found[0].why == [f"was named in case {str(earlier.id)[:8]}"]

    page = signed_in(reviewer)
    take_case(case=case, staff=reviewer)
    shown = page.get(f"/cases/{case.id}").text
    assert "possibly a child: 12 to under 13" in shown
    ticked = {"outcome": "confirmed", "clause": "CS-1", "victim": ["sprat"], "victims": "sprat"}
    sees(case, reviewer)
    gives(page, case, {**ticked, "recipient": ["sprat", "heron"]})
    minute_is_over(case)
    given = Verdict.objects.get(case=case)
    assert given.details == {"victims": ["sprat"], "recipients": ["sprat", "heron"]}


def test_numbers_that_are_none_are_refused(bank: Bank, account: Account, reviewer: Staff) -> None:
    case, page = quarantined(account), signed_in(reviewer)
    take_case(case=case, staff=reviewer)
    for wrong in ("²", "9" * 5000, "x"):
        sent = {"outcome": "dismissed", "silent_days": wrong}
        assert page.post(f"/cases/{case.id}/decide", sent).status_code == 422
        assert page.post(f"/cases/{case.id}/silence", {"days": wrong}).status_code == 422
    assert page.get(f"/banks/of/{bank.name}?after={'9' * 19}").status_code == 422


def test_a_case_is_shown_and_dismissed_although_its_authority_s_plug_in_fails(
    account: Account, bank: Bank, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a plug-in that cannot be loaded keeps what is innocent from being given back."""

    def broken(name: str) -> None:
        raise ImportError(name)

    case = quarantined(account)
    monkeypatch.setattr("kinward.reporting.authority.authority_class", broken)
    assert page_of(case, reviewer).choices.annotations == {}
    take_case(case=case, staff=reviewer)
    decided = decide_case(case_id=case.id, staff=reviewer, form=VerdictForm(outcome="dismissed"))
    assert decided.state == "dismissed"
