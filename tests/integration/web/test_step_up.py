"""What is grave asks whoever is at the console for a fresh second factor."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from django.test import Client, RequestFactory

from kinward.access.models import Staff
from kinward.access.step_up import NEVER, FactorNotFresh, at_console
from kinward.casebook.gravity import Act, Gravity
from kinward.casebook.models import Case, PendingVerdict, Verdict, VerdictProposal
from kinward.cli.demo import give_second_factor, one_time_code
from kinward.evidence.warrants import SecondPersonNeeded, issue_warrant
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.review.lease import take_case
from kinward.verdicts.proposals import open_proposal, write_second_word
from kinward.web.sessions import factor_age
from tests.integration.web.test_console import signed_in
from tests.support.consoles import show_factor
from tests.support.helpers import KNOWN_PNG, quarantined
from tests.support.verdicts import gives, minute_is_over, sees

pytestmark = pytest.mark.django_db
SENTENCE: Final = FactorNotFresh().sentence
GRAVE: Final = {act for act in Act if act.gravity is not Gravity.REVERSIBLE}
OF_VERDICTS: Final = {
    *(Act.TERMINATE, Act.REPORT, Act.BLOCK_REGISTRATION, Act.REMOVE_EVERYWHERE, Act.BANK),
    *(Act.DISMISS_MATCH, Act.LEAVE_UNREPORTED, Act.SUSPEND_LONG),
}
CONFIRM: Final = {"outcome": "confirmed", "clause": "CS-1", "note": "Seen."}
DISMISS: Final = {"outcome": "dismissed", "note": "It is a drawing."}
APPROVE: Final = {"decision": "approve"}
SOME: Final = "00000000-0000-4000-8000-000000000000"
RELEASE: Final = {
    "account_id": "member-1",
    "since": "2026-01-01",
    "until": "2026-01-02",
    "recipient": "age1",
    "to": "Police",
    "reference": "1",
    "why": "An order.",
}
# Every page but those of verdicts that leads to a grave act, with what is sent to it.
PAGES: Final[dict[Act, list[tuple[str, dict[str, str]]]]] = {
    Act.LONG_SILENCE: [
        ("/cases/{case}/silence", {"days": "100", "why": "An order.", "reference": "1"}),
        (f"/cases/{{case}}/silences/{SOME}", APPROVE),
    ],
    Act.END_HOLD: [
        ("/releases/hold", {"case": "{case}", "ends": "yes", "why": "It is over."}),
        (f"/releases/holds/{SOME}", APPROVE),
    ],
    Act.DESTROY: [
        ("/releases/destruction", {"case": "{case}", "asked_for_by": "Police", "reference": "1"}),
        (f"/releases/destruction/{SOME}", {"decision": "agree"}),
    ],
    Act.HAND_OVER: [
        ("/releases/ask", RELEASE),
        (f"/releases/{SOME}/decide", APPROVE),
        (f"/releases/{SOME}/hand-over", {"to": "Inspector"}),
        (f"/releases/reports/{SOME}", {"reference": "1", "to": "Police"}),
    ],
    Act.ERASE: [
        ("/releases/erasure", {"account": "member-1", "why": "They asked."}),
        (f"/releases/erasure/{SOME}", APPROVE),
    ],
}
# Every form that gives power or ends it for good. {robin} is a colleague.
POWER: Final[list[tuple[str, dict[str, str]]]] = [
    ("/staff/invite", {"name": "newcomer", "role": "auditor"}),
    ("/staff/{robin}", {"verb": "give", "role": "auditor"}),
    ("/staff/{robin}", {"verb": "give", "role": "operator"}),
    ("/staff/{robin}", {"verb": "end", "sure": "yes"}),
    ("/staff/{robin}", {"verb": "reset", "why": "They called me."}),
    (f"/quality/glass/{SOME}", {"justified": "yes", "note": "I asked."}),
]
PROTECTS: Final[list[dict[str, str]]] = [
    {"verb": "suspend"},
    {"verb": "sign-out"},
    {"take": "reviewer"},
]


@pytest.fixture
def case(bank: Bank, account: Account) -> Case:
    return quarantined(account, data=KNOWN_PNG)  # exact, so that a dismissal is grave


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user(username="sasha", password="x" * 12, roles=["administrator"])


def is_refused(answer: Any) -> bool:
    text = answer.content.decode()
    refused = answer.status_code == 403 and SENTENCE in text
    assert refused == ('href="/account/confirm/"' in text), "the page says where to confirm"
    return refused


def test_the_table_has_every_grave_act() -> None:
    assert OF_VERDICTS | set(PAGES) == GRAVE


@pytest.mark.parametrize(("path", "sent"), [page for pages in PAGES.values() for page in pages])
def test_each_page_asks_before_anything_else(
    case: Case, boss: Staff, account: Account, path: str, sent: dict[str, str]
) -> None:
    if path.endswith("/silence"):  # there is a statement only once there is a verdict
        page = reviewing(case, boss)
        gives(page, case, CONFIRM | {"silent_days": "30", "silent_why": "An order."})
        minute_is_over(case)
    page = signed_in(boss)
    path = path.format(case=case.pk)
    sent = {name: value.format(case=case.pk) for name, value in sent.items()}
    for age in (NEVER, 600.0):
        show_factor(page, boss, ago=age if age < NEVER else 10**9)
        before = Entry.objects.count()
        assert is_refused(page.post(path, sent)), path
        assert Entry.objects.count() == before
    show_factor(page, boss, ago=590)
    assert not is_refused(page.post(path, sent)), path
    show_factor(page, boss, ago=10**9)
    if "decision" in sent:
        assert not is_refused(page.post(path, {"decision": "refuse"})), "a refusal takes nothing"


@pytest.mark.parametrize(("path", "sent"), POWER)
def test_who_gives_power_or_ends_it_is_asked_too(
    boss: Staff, reviewer: Staff, path: str, sent: dict[str, str]
) -> None:
    page, path = signed_in(boss), path.format(robin=reviewer.pk)
    give_second_factor(reviewer)
    show_factor(page, boss, ago=600)
    before = Entry.objects.count()
    assert is_refused(page.post(path, sent))
    assert Entry.objects.count() == before
    show_factor(page, boss)
    assert not is_refused(page.post(path, sent))


def test_each_page_with_a_form_says_where_to_confirm() -> None:
    """Whoever is refused by a form finds the link there, and keeps what they typed."""
    pages = Path("src/kinward/web/templates/web").rglob("*.html")
    shows = [page for page in pages if "problem.sentence" in page.read_text()]
    assert len(shows) > 3
    without = {page.name for page in shows if "_confirm.html" not in page.read_text()}
    assert without == {"bank_search.html"}, "this one changes nothing"


@pytest.mark.parametrize("sent", PROTECTS)
def test_who_takes_power_for_now_is_not(boss: Staff, reviewer: Staff, sent: dict[str, str]) -> None:
    page = signed_in(boss)
    show_factor(page, boss, ago=10**9)
    assert page.post(f"/staff/{reviewer.pk}", sent).status_code == 302
    assert Entry.objects.filter(subject=str(reviewer.actor), actor=str(boss.actor)).exists()


@pytest.mark.parametrize("act", sorted(GRAVE))
def test_no_warrant_of_a_person_comes_without_it(case: Case, reviewer: Staff, act: Act) -> None:
    sees(case, reviewer)
    verdict = Verdict(case=case, outcome="confirmed", clause="CS-1", given_by=reviewer)

    def issue() -> None:
        with suppress(SecondPersonNeeded):
            issue_warrant(case=case, verdict=verdict, acts=[act])

    for age in (NEVER, 600.0):
        with at_console(age), pytest.raises(FactorNotFresh):
            issue()
    with at_console(599.0):
        issue()
    issue()  # a job, or the command line


def reviewing(case: Case, staff: Staff) -> Client:
    take_case(case=case, staff=staff)
    sees(case, staff)
    return signed_in(staff)


@pytest.mark.parametrize("sent", [CONFIRM, DISMISS], ids=["confirm", "dismiss"])
def test_a_grave_verdict_asks_when_it_is_read_and_when_it_is_given(
    case: Case, reviewer: Staff, sent: dict[str, str]
) -> None:
    page = reviewing(case, reviewer)
    show_factor(page, reviewer, ago=600)
    for headers in ({"HX-Request": "true"}, {}):
        answer = page.post(f"/cases/{case.pk}/preview", sent, headers=headers)
        assert is_refused(answer)
        assert headers or "Seen." in answer.content.decode() or sent is DISMISS, "what was typed"
    assert is_refused(page.post(f"/cases/{case.pk}/decide", {**sent, "read": "x"}))
    assert not PendingVerdict.objects.exists()
    show_factor(page, reviewer)
    assert gives(page, case, sent).status_code == 302
    assert PendingVerdict.objects.count() == 1


def test_who_agrees_is_asked_too_and_who_does_not_is_not(
    case: Case, reviewer: Staff, second_reviewer: Staff
) -> None:
    gives(reviewing(case, reviewer), case, DISMISS)
    minute_is_over(case)
    case.refresh_from_db()
    proposal = open_proposal(case)
    assert proposal is not None
    page = reviewing(case, second_reviewer)
    write_second_word(proposal_id=proposal.pk, words="I see it.", staff=second_reviewer)
    show_factor(page, second_reviewer, ago=600)
    address = f"/cases/{case.pk}/proposals/{proposal.pk}/answer"
    assert is_refused(page.post(address, {"decision": "agree"}))
    assert VerdictProposal.objects.get().state == "asked"
    assert not is_refused(page.post(address, {"decision": "disagree"}))


def test_what_is_reversible_asks_for_nothing(case: Case, reviewer: Staff) -> None:
    page = reviewing(case, reviewer)
    show_factor(page, reviewer, ago=600)
    sent = {"outcome": "escalated", "note": "Not sure."}
    assert gives(page, case, sent).status_code == 302
    case.refresh_from_db()
    assert case.state == "escalated"


@pytest.mark.parametrize(
    ("confirm", "counts"),
    [
        (lambda secret: ("/account/2fa/reauthenticate/", {"code": one_time_code(secret)}), True),
        (lambda secret: ("/account/2fa/reauthenticate/", {"code": "wrong"}), False),
        (lambda secret: ("/account/reauthenticate/", {"password": "a long test word"}), False),
    ],
    ids=["a code", "a wrong code", "a password"],
)
def test_the_link_leads_to_the_factor_and_only_the_factor_counts(
    reviewer: Staff, confirm: Callable[[str], tuple[str, dict[str, str]]], counts: bool
) -> None:
    secret, page = give_second_factor(reviewer), Client()
    page.force_login(reviewer)
    asked = page.get("/account/confirm/")
    assert asked["Location"] == "/account/2fa/reauthenticate/?next=%2Faccount%2Fconfirmed%2F"
    assert page.get(asked["Location"]).status_code == 200
    path, sent = confirm(secret)
    answer = page.post(f"{path}?next=/account/confirmed/", {**sent, "next": "/account/confirmed/"})
    shown = page.session.get("kinward_factor", {})
    assert (shown.get("staff") == reviewer.pk) == counts
    if counts:
        assert answer["Location"] == "/account/confirmed/"
        assert "press the button again" in page.get(answer["Location"]).content.decode()


def test_the_sign_in_counts_and_another_persons_factor_does_not(
    reviewer: Staff, second_reviewer: Staff
) -> None:
    secret, page = give_second_factor(reviewer), Client()
    page.post("/account/login/", {"login": "robin", "password": "a long test word"})
    page.post("/account/2fa/authenticate/", {"code": one_time_code(secret)})
    assert page.session["kinward_factor"]["staff"] == reviewer.pk
    request = RequestFactory().get("/")
    request.session, request.user = page.session, second_reviewer
    assert factor_age(request) == NEVER
