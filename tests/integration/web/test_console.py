"""The console's pages: who may see what, and what a reviewer does there."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import caches
from django.core.cache.backends import locmem
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.roles import ROLES
from kinward.casebook.models import Case, Finding
from kinward.cli.demo import give_second_factor, one_time_code
from kinward.enforcement.models import Action
from kinward.evidence.models import Evidence
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ledger.models import Entry
from kinward.matching.models import Bank, BankedHash
from kinward.matching.services import add_hashes, create_bank, file_hashes
from kinward.media import digest_bytes, read_picture
from kinward.people.models import Account
from kinward.reporting.models import Report
from kinward.reporting.services import file_report
from kinward.review.lease import take_case
from kinward.verdicts.report import close_reported
from kinward.web.urls import urlpatterns
from tests.support.consoles import show_factor
from tests.support.families import make_account
from tests.support.helpers import UNKNOWN, quarantined
from tests.support.verdicts import gives, minute_is_over, sees

pytestmark = pytest.mark.django_db


def signed_in(staff: Staff) -> Client:
    if not Authenticator.objects.filter(user=staff).exists():
        give_second_factor(staff)
    client = Client()
    client.force_login(staff)
    show_factor(client, staff)
    return client


@pytest.fixture
def page(reviewer: Staff) -> Client:
    return signed_in(reviewer)


@pytest.fixture
def case(bank: Bank, account: Account) -> Case:
    return quarantined(account)


def routes(case: Case) -> Iterator[tuple[str, str, str]]:
    """Every address of the console with its method and its name, read from the URLs themselves."""
    ids = {
        "case_id": str(case.id),
        "evidence_id": str(Evidence.objects.earliest("sealed_at").id),
        "hash_id": str(BankedHash.objects.get(kind="pdq").pk),
        "name": "known",
        "staff_id": "0",
        "alert_id": "0",
        "wave_id": "0",
        "rule_id": "r",
    }
    for pattern in urlpatterns:
        if not isinstance(pattern, URLPattern) or str(pattern.pattern).startswith("account/"):
            continue
        route = str(pattern.pattern)
        for name in pattern.pattern.converters:
            route = re.sub(rf"<\w+:{name}>", ids.get(name, str(uuid4())), route)
        for method in METHODS.get(str(pattern.name), ("post",)):
            yield method, f"/{route}", str(pattern.name)


GET = ("get",)
METHODS = {
    **dict.fromkeys(
        ("home", "queue", "case", "veil", "policy", "proposal", "touched", "banks", "bank"), GET
    ),
    **dict.fromkeys(("operations", "guidelines", "edition", "counted", "appeals", "quality"), GET),
    **dict.fromkeys(("releases", "staff", "viewing", "places", "new_edition"), GET),
    "rule": ("get", "post"),
}
WORK = {
    *("home", "queue", "take_next", "case", "take", "give_up", "decide", "veil", "show"),
    *("viewing", "choose_viewing", "played"),
    *("preview_verdict", "take_back", "second_word", "answer_verdict", "decide_long_silence"),
    *(
        "settle_pairing",
        "order_pairing",
        "decide_order",
        "silence",
        "comment",
        "appeals",
        "take_appeal",
        "decide_appeal",
    ),
}
LOOKS = {"banks", "bank", "search_banks"}
BANKS = LOOKS | {"mark_hash"}
SILENCES = {"ask_silence", "end_silence", "decide_silence"}
TUNES = {"tune_bank", "decide_weakening"}
GUIDELINES = {"guidelines", "edition", "counted"}
RULES = {"policy", "proposal", "touched", "places", "new_edition"}
CHANGES = {
    *("propose_guidelines", "decide_edition", "propose_pack", "revert", "rule", "shadow"),
    "decide_proposal",
}
CONFIRMS = {"staff", "decide_appointment"}  # a role of a colleague
STAFF = {"change_staff", "invite_staff", "withdraw_invitation", "decide_factor_reset"}
RELEASES = {
    *("releases", "ask_release", "decide_release", "hand_over", "hand_over_report", "hold"),
    *("ask_destruction", "decide_destruction", "decide_hold_end", "correct_report"),
    *("ask_erasure", "decide_erasure"),
}
ALLOWED: dict[str, set[str]] = {
    "reviewer": WORK | BANKS | CONFIRMS,
    "senior reviewer": WORK
    | BANKS
    | CONFIRMS
    | SILENCES
    | {
        "free",
        "allow_pairing",
        "quality",
        "read_staff_alert",
        "read_verdict",
        "release_flood",
        "review_glass",
    },
    "operator": {"home", "operations", "replay", "refile", "switch_bank"}
    | {"allow_withdrawal", "decide_withdrawal"}
    | CONFIRMS
    | TUNES
    | {"ask_production", "decide_production", "end_wave"}
    | BANKS,
    "auditor": {"home", "queue", "case", "appeals", "quality", "releases", "staff", "review_glass"}
    | GUIDELINES
    | RULES,
    "policy lead": {"home"} | CONFIRMS | TUNES | LOOKS | SILENCES | GUIDELINES | RULES | CHANGES,
    "evidence custodian": {"home"} | CONFIRMS | RELEASES,
}
ALLOWED["administrator"] = STAFF.union(*ALLOWED.values())


def test_the_matrix_knows_every_role_and_every_address(case: Case) -> None:
    assert set(ALLOWED) == set(ROLES)
    named = {name for _, _, name in routes(case)}
    assert ALLOWED["administrator"] == named, "add new routes to this matrix"


@pytest.mark.parametrize("role", ALLOWED)
def test_every_route_for_every_role(case: Case, role: str) -> None:
    staff = Staff.objects.create_user(username=role, password="x" * 12, roles=[role])
    client = signed_in(staff)
    for method, path, name in routes(case):
        status = getattr(client, method)(path).status_code
        assert (status != 403) == (name in ALLOWED[role]), f"{role} {method} {path}: {status}"
        assert status < 500, f"{role} {method} {path}: {status}"


def test_a_hundred_files_are_settled_at_once(
    case: Case, page: Client, account: Account, reviewer: Staff
) -> None:
    for number in range(3):
        quarantined(account, content_id=f"more-{number}")
    page.post(f"/cases/{case.id}/take")
    text = page.get(f"/cases/{case.id}").content.decode()
    assert "All 4 files" in text
    first = Evidence.objects.order_by("sealed_at")[0]
    sent = {"outcome": "confirmed", "clause": "CS-1", "all_files": "B2"}
    for file in Evidence.objects.all():
        sees(case, reviewer, file)
    gives(page, case, sent | {f"classification:{first.id}": "A1"})
    minute_is_over(case)
    files = Report.objects.get().draft["files"]
    assert sorted(each["classification"] for each in files) == ["A1", "B2", "B2", "B2"]


def test_every_page_says_who_reads_it(case: Case, page: Client) -> None:
    page.post(f"/cases/{case.id}/take")
    assert 'class="reader"' in page.get(f"/cases/{case.id}").content.decode()
    shown = page.post(f"/cases/{case.id}/files/{Evidence.objects.get().id}/show")
    assert 'data-reader="robin 20' in shown.content.decode()


def test_an_auditor_follows_a_case_on_one_page(
    case: Case, page: Client, reviewer: Staff, sandbox: object
) -> None:
    """From the upload to the report: who looked at what, when and why."""
    take_case(case=case, staff=reviewer)
    evidence = Evidence.objects.get()
    page.post(f"/cases/{case.id}/files/{evidence.id}/show")
    gives(page, case, {"outcome": "confirmed", "clause": "CS-1"})
    minute_is_over(case)
    file_report(Report.objects.get().id)
    close_reported(case.id)
    auditor = Staff.objects.create_user(username="audrey", password="x" * 12, roles=["auditor"])
    text = signed_in(auditor).get(f"/cases/{case.id}").content.decode()
    timeline = " ".join(re.sub(r"<[^>]+>", " ", text.split('class="timeline"')[1]).split())
    after = -1
    for said in (
        "case.opened key:test",
        "case.finding_added key:test",
        "post-1",
        "evidence.sealed key:test",
        "content.quarantine",
        "account.suspend",
        "case.taken staff:robin",
        "evidence.viewed staff:robin",
        "to decide this case",
        "case.confirmed staff:robin",
        "CS-1",
        "content.remove",
        "account.terminate",
        "report.opened staff:robin",
        "evidence.read system:reporting",
        "report.finished system:reporting",
    ):
        found = timeline.find(said, after + 1)
        assert found > after, said
        after = found


CELL = re.compile(r"<t[hd]>(.*?)</t[hd]>", re.DOTALL)


def queue_cells(page: Client) -> dict[str, dict[str, str]]:
    """The queue as a reviewer reads it: the cells of each row by the account, by their headings."""
    table = page.get("/queue").content.decode().split("<table>")[1].split("</table>")[0]
    headings, *rows = [
        [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in CELL.findall(row)]
        for row in table.split("<tr>")[1:]
    ]
    return {row[1]: dict(zip(headings, row, strict=True)) for row in rows}


def flag(account: Account) -> None:
    """Report an account, as another person would."""
    report = UserReportIn(account_id=account.platform_id, category="bullying", text="x")
    receive_user_report(report=report, actor=Actor.key("test"))


def test_the_queue_counts_findings_in_words(page: Client, case: Case, account: Account) -> None:
    rumours = create_bank(name="rumours", confidence="unverified", actor=Actor.system("test"))
    hashes = file_hashes(digest_bytes(UNKNOWN), read_picture(UNKNOWN, 10**8), "generated 3")
    add_hashes(bank=rumours, hashes=hashes, provenance="a test", actor=Actor.system("test"))
    other = make_account("heron", 40)
    flag(other)
    assert queue_cells(page)["member-1"]["Findings"] == "1 verified match"
    assert queue_cells(page)["heron"]["Findings"] == "1 user report"
    quarantined(account, content_id="post-2")
    quarantined(account, data=UNKNOWN, content_id="post-3")
    flag(account)
    flag(account)
    assert queue_cells(page)["member-1"]["Findings"] == (
        "2 verified matches, 1 unverified match, 2 user reports"
    )
    assert queue_cells(page)["member-1"]["Leased by"] == "nobody"


def test_a_finding_of_a_kind_that_is_gone_stays_on_the_queue_and_the_case(
    page: Client, case: Case
) -> None:
    Finding.objects.create(
        case=case, kind="whistle", confidence="unverified", at=timezone.now(), grounds=[{"new": 1}]
    )
    assert queue_cells(page)["member-1"]["Findings"] == "1 verified match, 1 unreadable finding"
    page.post(f"/cases/{case.id}/take")
    assert (
        "cannot read findings of the kind &#x27;whistle&#x27;"
        in page.get(f"/cases/{case.id}").content.decode()
    )


def test_a_longer_queue_asks_the_database_no_more(
    page: Client, case: Case, django_assert_num_queries: Any
) -> None:
    page.get("/queue")  # notes that this person is at work
    with CaptureQueriesContext(connection) as short:
        page.get("/queue")
    for number in range(5):
        flag(make_account(f"heron-{number}", 40))
    with django_assert_num_queries(len(short)):
        assert len(queue_cells(page)) == 6


def test_an_error_in_a_form_is_shown_on_its_page(page: Client, case: Case) -> None:
    page.post(f"/cases/{case.id}/take")
    answer = page.post(f"/cases/{case.id}/comment", {"text": ""})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'role="alert"' in text
    assert "Your verdict" in text
    for method, path, name in routes(case):
        if method == "post" and name != "rule":
            assert page.get(path).status_code == 405, path
        if name == "comment":
            assert page.post(path.replace(str(case.id), str(uuid4()))).status_code == 404


def test_strangers_are_sent_to_the_sign_in(case: Case) -> None:
    for method, path, _ in routes(case):
        response = getattr(Client(), method)(path)
        assert response.status_code == 302, path
        assert response["Location"].startswith("/account/login/"), path
    assert Client().get("/account/signup/").status_code == 404


def test_without_a_second_factor_nobody_gets_further(case: Case, reviewer: Staff) -> None:
    client = Client()
    client.force_login(reviewer)
    for method, path, _ in routes(case):
        response = getattr(client, method)(path)
        assert response["Location"] == "/account/2fa/", path
    assert not Entry.objects.filter(kind__startswith="evidence.v").exists()


def as_another_process() -> None:
    """Forget what Django's cache has in this process's memory."""
    locmem._caches.clear()  # type: ignore[attr-defined]
    del caches["default"]


def test_a_code_is_good_once_whatever_process_is_asked(reviewer: Staff) -> None:
    code = one_time_code(give_second_factor(reviewer))
    answers = []
    for _ in range(2):
        client = Client()
        client.post("/account/login/", {"login": "robin", "password": "a long test word"})
        answers.append(client.post("/account/2fa/authenticate/", {"code": code}))
        as_another_process()
    assert [each.status_code for each in answers] == [302, 200]
    assert "Incorrect code" in answers[1].text


def test_failed_sign_ins_are_counted_in_the_database(reviewer: Staff) -> None:
    for _ in range(6):
        wrong = {"login": "robin", "password": "not the word"}
        answer = Client().post("/account/login/", wrong)
    assert "Too many attempts" in answer.text


def test_the_second_factors_secret_is_sealed_at_rest(reviewer: Staff) -> None:
    secret = give_second_factor(reviewer)
    stored = Authenticator.objects.get(user=reviewer, type="totp").data["secret"]
    assert secret not in stored


def test_pages_are_strict_and_kept_nowhere(page: Client, case: Case) -> None:
    for path in ("/queue", f"/cases/{case.id}"):
        response = page.get(path)
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert "unsafe" not in response["Content-Security-Policy"]
        assert response["Cache-Control"] == "no-store, private"
        text = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", text)


def test_the_case_page_says_why_and_shows_nothing_yet(page: Client, case: Case) -> None:
    text = page.get(f"/cases/{case.id}").content.decode()
    assert "Looks the same as an entry of the verified bank “known”" in text
    assert "driftwood" in text
    assert "Take this case" in text
    assert '<img src="/cases/' not in text
    assert not Entry.objects.filter(kind__startswith="evidence.v").exists()


def test_a_shift(page: Client, case: Case, account: Account) -> None:
    assert page.post("/next")["Location"] == f"/cases/{case.id}"
    text = page.get(f"/cases/{case.id}").content.decode()
    for key in "scde":
        assert f"<kbd>{key}</kbd>" in text
    evidence = Evidence.objects.get()
    files = f"/cases/{case.id}/files/{evidence.id}"
    veil = page.get(f"{files}/veil")
    assert veil["Content-Type"] == "image/jpeg"
    assert len(veil.content) < 8000
    shown = page.post(f"{files}/show", headers={"HX-Request": "true"})
    assert re.search(
        rb'<div class="shown" data-reader="[^"]+">\s+<img src="data:image/jpeg;base64,',
        shown.content,
    )
    assert b"<html" in page.post(f"{files}/show").content
    assert Entry.objects.filter(kind="evidence.viewed").count() == 2
    refused = page.post(f"/cases/{case.id}/decide", {"outcome": "confirmed"})
    assert refused.status_code == 422
    assert b"Choose the clause" in refused.content
    sent = {
        "outcome": "confirmed",
        "clause": "CS-1",
        "note": "<b>plain</b>",
        f"classification:{evidence.id}": "A2",
        "annotations": ["spam"],
    }
    assert page.post(f"/cases/{case.id}/decide", sent).status_code == 409, "it was not read"
    assert gives(page, case, sent).status_code == 302
    minute_is_over(case)
    case.refresh_from_db()
    assert case.state == "confirmed"
    text = page.get(f"/cases/{case.id}").content.decode()
    assert "&lt;b&gt;plain&lt;/b&gt;" in text
    assert "evidence.viewed" in text
    assert page.get(f"{files}/veil").status_code == 409
    again = page.post(f"/cases/{case.id}/decide", {"outcome": "dismissed"})
    assert again.status_code == 409
    assert b"cannot become dismissed" in again.content


def test_two_reviewers_do_not_share_a_case(
    page: Client, case: Case, second_reviewer: Staff
) -> None:
    take_case(case=case, staff=second_reviewer)
    assert b"leased by noor" in page.get(f"/cases/{case.id}").content
    refused = page.post(f"/cases/{case.id}/take")
    assert refused.status_code == 409
    assert b"noor has it until" in refused.content
    assert "The queue is empty." in page.post("/next", follow=True).content.decode()
    evidence = Evidence.objects.get()
    assert page.post(f"/cases/{case.id}/files/{evidence.id}/show").status_code == 409


def test_what_is_parked_can_be_sent_again(case: Case, account: Account, operator: Staff) -> None:
    client = signed_in(operator)
    Action.objects.update(state="parked", attempts=16, tried_at=timezone.now(), answer="HTTP 500")
    Report.objects.create(
        case_id=case.id, authority="cybertipline", state="parked", draft={}, problem="4100 wrong"
    )
    text = client.get("/operations").content.decode()
    assert "4 parked" in text
    assert "4100 wrong" in text
    action = Action.objects.first()
    assert action is not None
    assert client.post(f"/operations/actions/{action.id}/replay").status_code == 302
    assert client.post(f"/operations/reports/{Report.objects.get().id}/refile").status_code == 302
    assert Report.objects.get().state == "waiting"
    assert client.post(f"/operations/actions/{action.id}/replay").status_code == 422


def test_pages_that_do_not_exist(page: Client) -> None:
    response = page.get(f"/cases/{uuid4()}")
    assert response.status_code == 404
    assert b"There is nothing here by that name." in response.content


def test_what_no_browser_sends_is_refused(page: Client, case: Case) -> None:
    page.post(f"/cases/{case.id}/take")
    assert page.post(f"/cases/{case.id}/comment", {"text": "a\0b"}).status_code == 400
    assert page.get(f"/cases/{case.id}", {"q": "a\0b"}).status_code == 400


def test_a_form_from_elsewhere_is_refused(reviewer: Staff, case: Case) -> None:
    give_second_factor(reviewer)
    client = Client(enforce_csrf_checks=True)
    client.force_login(reviewer)
    assert client.post("/next").status_code == 403
