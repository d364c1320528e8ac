"""Disputes, quiet and not: who hears what, what a guardian can still do, and how they are settled.

`test_quiet_twin.py` holds that a guardian notices nothing of a quiet one.
"""

from typing import Any

import pytest
from django.test import Client

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.casebook.models import UserReport
from kinward.experience.settings import decide_afresh
from kinward.families.asks import answers, requests
from kinward.families.errors import PairingNeedsPerson, PairingPaused
from kinward.families.models import Notice, Pairing, Side, TrustedAdult
from kinward.families.pairing import disputes, ending, invitations, trusted_adults
from kinward.families.settings import choices, keywords
from kinward.findings.user_reports import UserReportIn, receive_user_report, report_pairing
from kinward.ground.errors import Forbidden, Invalid
from kinward.ledger.models import Entry
from kinward.people.models import Account
from kinward.review.lease import take_case
from kinward.verdicts.decision import allow_again, settle_case_dispute
from kinward.verdicts.disputes import disputed_pairings
from tests.integration.gate.test_gate import Caller
from tests.integration.web.test_console import signed_in
from tests.support.families import make_account, pair
from tests.support.visits import visitor

pytestmark = pytest.mark.django_db

REACH = "after school, at the library"


@pytest.fixture
def senior(db: None) -> Staff:
    return Staff.objects.create_user(
        username="sam", password="a long test word", roles=["senior reviewer"]
    )


@pytest.fixture
def pairing(teen: Account, heron: Account) -> Pairing:
    return pair(heron, teen)


def quietly(pairing: Pairing) -> UserReport:
    report = report_pairing(teen=pairing.teen, pairing_id=pairing.pk, quiet=True, reach=REACH)
    assert report is not None
    return report


def settle(report: UserReport, staff: Staff, *, ends: bool) -> None:
    case = report.finding.case
    take_case(case=case, staff=staff)
    assert report.pairing_id is not None
    settle_case_dispute(case=case, pairing_id=report.pairing_id, ends=ends, staff=staff)


def topics(account: Account) -> list[str]:
    return list(Notice.objects.filter(account=account).values_list("topic", flat=True))


def chooses(heron: Account, teen: Account, capability: str, value: Any) -> None:
    choices.choose_setting(
        guardian=heron, teen_id=teen.platform_id, capability=capability, value=value
    )


# ---- what is said


def test_the_page_says_who_hears_what_before_the_teen_decides(
    teen: Account, pairing: Pairing
) -> None:
    page = " ".join(visitor(teen).get("/family").content.decode().split())
    for said in (
        *("They notice nothing.", "it does not count for you", "and no adult you trust"),
        *("They are told at once that the pairing is paused", "Adults you trust are told now"),
        *("they are told that it ended", "cannot pair again then without a person"),
        *("cannot get more power by ending it", "all they did in the meantime counts"),
        *("How and when can we reach you safely?", "No guardian ever sees it."),
    ):
        assert said in page, said


def test_a_dispute_says_how_and_a_way_to_be_reached_has_a_bound(
    teen: Account, pairing: Pairing
) -> None:
    browser, address = visitor(teen), f"/family/pairings/{pairing.pk}/dispute"
    for form in ({}, {"way": "loudly"}, {"way": "quiet", "reach": "x" * 301}):
        assert browser.post(address, form).status_code == 422
    pairing.refresh_from_db()
    assert pairing.disputed_at is None
    assert browser.post(address, {"way": "quiet", "reach": "x" * 300}).status_code == 302


def test_quietly_nobody_is_told_and_nobody_is_called(
    teen: Account, heron: Account, pairing: Pairing
) -> None:
    aunt = make_account("egret", 44)
    code, _ = invitations.create_invitation(maker=teen, side=Side.TRUSTING)
    named = invitations.accept_invitation(account=aunt, typed=code)
    assert isinstance(named, TrustedAdult)
    trusted_adults.confirm_trusted_adult(teen=teen, trusted_id=named.pk)
    before = [topics(account) for account in (teen, heron, aunt)]
    quietly(pairing)
    assert [topics(account) for account in (teen, heron, aunt)] == before
    # The teen can still decide that it shall be known.
    disputes.pause_disputed_pairing(teen=teen, pairing_id=pairing.pk)
    assert (topics(heron)[0], topics(aunt)[0]) == ("paused", "called")
    with pytest.raises(PairingPaused):
        chooses(heron, teen, "session.time", 15)
    # And not the other way round: what is known is no secret any more.
    disputes.pause_disputed_pairing(teen=teen, pairing_id=pairing.pk, quiet=True)
    pairing.refresh_from_db()
    assert not pairing.quiet


def test_the_teen_s_own_pages_and_notices_tell_of_no_report_about_a_guardian(
    teen: Account, heron: Account, pairing: Pairing, reviewer: Staff
) -> None:
    before = topics(teen)
    page = visitor(teen).get("/family/report").content
    for category in ("home", "abuse", "contact"):
        about = UserReportIn(account_id="heron", reporter_id="sandpiper", category=category)
        receive_user_report(report=about, actor=Actor.key("app"))
    quietly(pairing)
    assert topics(teen) == before
    assert b"My reports" not in page
    assert b"My reports" not in visitor(teen).get("/family/report").content


# ---- what holds meanwhile


def test_what_is_done_meanwhile_neither_loosens_nor_shuts_out(
    teen: Account, heron: Account, pairing: Pairing
) -> None:
    names = ("session.hours", "session.time", "profile.private", "purchase.make", "dm.receive")
    before = {name: decide_afresh(teen, name).value for name in names}
    quietly(pairing)
    chooses(heron, teen, "session.hours", "15:00-18:30")
    chooses(heron, teen, "session.time", 15)
    chooses(heron, teen, "profile.private", "public")
    chooses(heron, teen, "purchase.make", "allow")
    about = {"teen": teen, "capability": "session.time", "reason": "please"}
    for sent in ({"minutes": 60}, {"value": "unlimited"}):
        ask = requests.ask_guardians(**about, **sent)  # type: ignore[arg-type]
        answers.answer_ask(guardian=heron, ask_id=ask.pk, said="yes")
    assert {name: decide_afresh(teen, name).value for name in names} == before
    shown = choices.decide_as_shown(teen, "session.hours", heron)
    assert (shown.value, shown.layer) == ("15:00-18:30", "guardian")


def test_another_guardian_sees_what_is_in_force_and_still_decides(
    teen: Account, heron: Account, pairing: Pairing
) -> None:
    egret = make_account("egret", 44)
    pair(egret, teen)
    quietly(pairing)
    chooses(heron, teen, "session.time", 15)
    assert choices.decide_as_shown(teen, "session.time", egret).value == 60
    assert "differ" not in topics(egret)
    chooses(egret, teen, "session.time", 45)
    assert decide_afresh(teen, "session.time").value == 45
    assert choices.decide_as_shown(teen, "session.time", heron).value == 15
    assert topics(heron)[0] == "differ"
    assert "differ" not in topics(egret)


def test_a_word_that_the_teen_wants_too_holds(
    teen: Account, heron: Account, pairing: Pairing
) -> None:
    quietly(pairing)
    about: dict[str, Any] = {"teen_id": teen.platform_id, "account": teen}
    keywords.add_keyword(word="a", guardian=heron, **about)
    assert keywords.keywords_of(teen) == []
    keywords.add_keyword(word="a", guardian=None, **about)
    assert [keyword.word for keyword in keywords.keywords_of(teen)] == ["a"]


# ---- ending, and pairing again


def test_a_disputed_guardian_does_not_end_the_pairing(
    teen: Account, heron: Account, pairing: Pairing
) -> None:
    report_pairing(teen=teen, pairing_id=pairing.pk)
    browser = visitor(heron)
    assert "End this pairing" not in browser.get("/family").content.decode()
    assert browser.post(f"/family/pairings/{pairing.pk}/end").status_code == 403
    pairing.refresh_from_db()
    assert (pairing.ended_at, pairing.disputed_at is None) == (None, False)


@pytest.mark.parametrize("by", ["teen", "guardian"])
def test_a_dispute_outlasts_its_pairing_and_nobody_pairs_around_it(
    teen: Account, heron: Account, pairing: Pairing, reviewer: Staff, by: str
) -> None:
    if by == "teen":  # of 16, who leaves at once
        Account.objects.filter(pk=teen.pk).update(age_lower=16, age_upper=17)
        report = report_pairing(teen=teen, pairing_id=pairing.pk)
    else:
        report = quietly(pairing)
    assert report is not None
    ending.end_pairing(account=teen if by == "teen" else heron, pairing_id=pairing.pk)
    if by == "teen":
        with pytest.raises(PairingNeedsPerson):
            pair(heron, teen)
    else:
        again = pair(heron, teen)
        assert (again.quiet, again.reach) == (True, REACH)
        before = decide_afresh(teen, "session.hours").value
        chooses(heron, teen, "session.hours", "15:00-18:30")
        assert decide_afresh(teen, "session.hours").value == before != "15:00-18:30"
        page = signed_in(reviewer).get(f"/cases/{report.finding.case_id}").content.decode()
        assert page.count("<h2>Disputed pairing</h2>") == 2
    settle(report, reviewer, ends=True)
    assert not Pairing.objects.filter(ended_at=None).exists()
    assert not Pairing.objects.filter(disputed_at__isnull=False).exists()
    with pytest.raises(PairingNeedsPerson):
        pair(heron, teen)


def test_after_not_a_guardian_the_two_pair_again_by_a_senior_reviewer(
    teen: Account, heron: Account, pairing: Pairing, reviewer: Staff, senior: Staff
) -> None:
    report = quietly(pairing)
    settle(report, reviewer, ends=True)
    assert (topics(heron)[0], topics(teen)[0]) == ("ended", "ended")
    with pytest.raises(PairingNeedsPerson):
        pair(heron, teen)
    case = report.finding.case
    with pytest.raises(Forbidden):
        allow_again(case=case, pairing_id=pairing.pk, staff=reviewer)
    answer = signed_in(senior).post(f"/cases/{case.pk}/pairings/{pairing.pk}/again")
    assert answer.status_code == 302
    pair(heron, teen)
    kinds = ("pairing.disputed_quietly", "pairing.barred", "pairing.allowed")
    assert {entry.kind for entry in Entry.objects.filter(kind__in=kinds)} == set(kinds)
    with pytest.raises(Invalid):
        disputes.allow_pairing_again(pairing_id=pairing.pk, actor=senior.actor)


def test_a_quiet_dispute_that_is_restored_tells_nobody_and_lets_go_what_was_held(
    teen: Account, heron: Account, pairing: Pairing, reviewer: Staff
) -> None:
    chooses(heron, teen, "purchase.make", "allow")
    report = quietly(pairing)
    chooses(heron, teen, "comment.receive", "nobody")
    chooses(heron, teen, "purchase.make", None)
    about: dict[str, Any] = {"teen_id": teen.platform_id, "account": heron}
    keywords.add_keyword(word="a", guardian=heron, **about)
    before = [topics(account) for account in (teen, heron)]
    settle(report, reviewer, ends=False)
    assert [topics(account) for account in (teen, heron)] == before
    assert decide_afresh(teen, "comment.receive").value == "nobody"
    assert decide_afresh(teen, "purchase.make").effect == "deny"
    assert [keyword.word for keyword in keywords.keywords_of(teen)] == ["a"]
    pairing.refresh_from_db()
    assert (pairing.disputed_at, pairing.reach) == (None, REACH)
    chooses(heron, teen, "purchase.make", "allow")
    assert decide_afresh(teen, "purchase.make").effect == "allow"


# ---- what the reviewer sees, and who else does not


def test_the_reviewer_reads_how_to_reach_the_teen_and_the_guardian_never(
    teen: Account, heron: Account, pairing: Pairing, reviewer: Staff
) -> None:
    report = quietly(pairing)
    chooses(heron, teen, "session.time", 15)
    page = signed_in(reviewer).get(f"/cases/{report.finding.case_id}").content.decode()
    for said in (REACH, "the guardian must not notice", "session.time"):
        assert said in page
    browser: Client = visitor(heron)
    for address in ("/family", f"/family/teens/{pairing.pk}", "/family/report", "/family/safe"):
        assert REACH not in browser.get(address).content.decode()
    assert REACH not in visitor(teen).get("/family").content.decode()


def test_a_report_that_home_is_not_safe_counts_whatever_was_reported_before(
    teen: Account, heron: Account
) -> None:
    about = UserReportIn(account_id="heron", reporter_id="sandpiper", category="home")
    first = receive_user_report(report=about, actor=Actor.key("app"))
    assert first.pairing is None
    for number in range(19):
        other = UserReportIn(
            account_id=make_account(f"someone-{number}", 30).platform_id,
            reporter_id="sandpiper",
            category="bullying",
        )
        receive_user_report(report=other, actor=Actor.key("app"))
    made = pair(heron, teen)
    assert receive_user_report(report=about, actor=Actor.key("app")) == first
    first.refresh_from_db()
    made.refresh_from_db()
    assert first.pairing_id == made.pk
    assert made.quiet
    assert disputed_pairings(first.finding.case_id) == [made]


@pytest.mark.django_db(transaction=True)
def test_a_report_that_home_is_not_safe_pauses_quietly_within_the_call(
    teen: Account, heron: Account, pairing: Pairing
) -> None:
    call = Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))
    about = {"account_id": "heron", "category": "home"}
    make_account("social-worker", 40)
    for reporter in ("social-worker", ""):
        sent = about | ({"reporter_id": reporter} if reporter else {})
        assert call("POST", "/v1/reports", json=sent).status_code == 201
        pairing.refresh_from_db()
        assert pairing.disputed_at is None, "who is no ward of theirs decides about no pairing"
    sent = about | {"reporter_id": "sandpiper"}
    assert call("POST", "/v1/reports", json=sent).status_code == 201
    pairing.refresh_from_db()
    assert pairing.quiet
    assert pairing.disputed_at is not None
    assert UserReport.objects.get(reporter=teen).pairing == pairing
