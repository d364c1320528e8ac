"""One case, one finished report, with all its files, however the authority misbehaves."""

import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from kinward.access.actor import Actor
from kinward.access.agreement import AlreadyDecided
from kinward.access.models import Staff
from kinward.casebook.models import Case, Verdict
from kinward.casebook.states import MoveForbidden
from kinward.cli.doctor import examine
from kinward.evidence.models import Evidence
from kinward.ground.config import PRODUCTION_CONSENT, section
from kinward.ground.errors import Forbidden, Invalid, KinwardError, NotConfigured
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.media import digest_bytes
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.reporting import production
from kinward.reporting.authorities.cybertipline import client
from kinward.reporting.authorities.cybertipline.documents import parse_xml
from kinward.reporting.authorities.cybertipline.sandbox import Fault, Sandbox
from kinward.reporting.authorities.cybertipline.settings import CyberTiplineSettings
from kinward.reporting.authorities.cybertipline.validating import faults_of
from kinward.reporting.authority import authority
from kinward.reporting.draft import from_json, to_json
from kinward.reporting.filing import Refused, TryLater
from kinward.reporting.models import Attempt, Call, Production, Report
from kinward.reporting.services import file_report, filing_of, withdraw_report
from kinward.review.lease import take_case
from kinward.verdicts.draft import ReportDetails
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.incidents import Where
from kinward.verdicts.report import close_reported, refile_report
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.helpers import (
    Receiver,
    confirmed,
    quarantined,
    run_jobs,
    two_files_one_seen,
)
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def report(bank: Bank, account: Account, reviewer: Staff) -> Report:
    """A confirmed case of two files, the first of which the reviewer looked at."""
    case, seen, _ = two_files_one_seen(account, reviewer)
    form = VerdictForm(
        outcome="confirmed",
        clause="CS-1",
        classifications={str(seen.id): "A1"},
        annotations=["spam"],
    )
    decide_case(case_id=case.id, staff=reviewer, form=form)
    return Report.objects.get()


def filed(sandbox: Sandbox, state: str = "finished") -> list[dict[str, Any]]:
    return [entry for entry in sandbox.state.all() if entry["state"] == state]


def keep_trying(report: Report, tries: int = 30) -> Report:
    """What the queue does, without its pauses."""
    for _ in range(tries):
        try:
            return file_report(report.id)
        except KinwardError:
            continue
    raise AssertionError("it was never filed")


def test_a_report_says_everything(
    report: Report, sandbox: Sandbox, receiver: Receiver, account: Account
) -> None:
    run_jobs()
    (entry,) = sandbox.state.all()
    assert entry["state"] == "finished"
    document = parse_xml(entry["xml"].encode())
    said = {
        path: document.findtext(path)
        for path in (
            "incidentSummary/incidentType",
            "reporter/reportingPerson/email",
            "personOrUserReported/espIdentifier",
            "personOrUserReported/screenName",
            "personOrUserReported/ipCaptureEvent/ipAddress",
            "personOrUserReported/ipCaptureEvent/port",
            "personOrUserReported/accountPermanentlyDisabled",
        )
    }
    assert list(said.values()) == [
        "Child Pornography (possession, manufacture, and distribution)",
        "safety@community.example",
        "member-1",
        "driftwood",
        "203.0.113.7",
        "4711",
        "true",
    ]
    assert document.find("incidentSummary/reportAnnotations/spam") is not None
    first, second = (parse_xml(file["details"].encode()) for file in entry["files"])
    assert first.findtext("fileViewedByEsp") == "true"
    assert first.findtext("industryClassification") == "A1"
    assert second.findtext("fileViewedByEsp") == "false"
    assert second.findtext("industryClassification") is None
    for file, details in zip(entry["files"], (first, second), strict=True):
        hashes = {e.get("hashType"): e.text for e in details.findall("originalFileHash")}
        assert hashes["MD5"] == file["md5"]
        assert hashes["SHA256"] == file["sha256"]
        assert len(hashes["PDQ"] or "") == 64
        assert details.findtext("originalFileName") == "IMG_1.jpg"
    assert Case.objects.get().state == "reported"
    assert sorted(receiver.types) == [
        "account.suspend",
        "account.terminate",
        "content.quarantine",
        "content.quarantine",
        "content.remove",
        "content.remove",
        "notice.notify",
        "notice.notify",
    ]


def test_the_receipt_starts_the_year_of_preservation(report: Report, sandbox: Sandbox) -> None:
    done = file_report(report.id)
    assert done.state == "finished"
    assert "<responseCode>0</responseCode>" in done.receipt
    assert done.finished_at is not None
    for evidence in Evidence.objects.all():
        assert evidence.expires_at is not None
        assert (evidence.expires_at - done.finished_at).days == 365
    calls = Call.objects.order_by("pk").values_list("step", "code", "request_id")
    assert [step for step, _, _ in calls] == [
        "submit",
        "upload:1",
        "fileinfo:1",
        "upload:2",
        "fileinfo:2",
        "finish",
    ]
    assert all(code == 0 and request_id for _, code, request_id in calls)
    assert Entry.objects.filter(kind="report.finished").count() == 1


def test_a_second_filing_files_nothing(report: Report, sandbox: Sandbox) -> None:
    file_report(report.id)
    file_report(report.id)
    assert len(sandbox.state.all()) == 1


def test_what_is_settled_is_not_withdrawn_any_more(report: Report, sandbox: Sandbox) -> None:
    """The job may run twice, or after the authority has the report."""
    file_report(report.id)
    finished = filed(sandbox)
    assert withdraw_report(report.id).state == "finished"
    assert filed(sandbox) == finished
    Report.objects.update(state="withdrawn")
    calls = Call.objects.count()
    assert withdraw_report(report.id).state == "withdrawn"
    assert Call.objects.count() == calls, "the authority is not asked"
    assert not Entry.objects.filter(kind="report.withdrawn").exists()
    assert Entry.objects.filter(kind="report.finished").count() == 1


@pytest.mark.parametrize("endpoint", ["submit", "upload", "fileinfo", "finish"])
@pytest.mark.parametrize(
    "kind", ["error", "bare-error", "lost-request", "lost-answer", "wrong-hash"]
)
def test_one_finished_report_with_two_files_whatever_goes_wrong(
    report: Report, sandbox: Sandbox, endpoint: str, kind: str
) -> None:
    sandbox.faults.replace([Fault(kind, endpoint, times=1)])
    keep_trying(report)
    (entry,) = filed(sandbox)
    assert len(entry["files"]) == 2
    assert all(file["details"] for file in entry["files"])
    assert entry["id"] == int(Report.objects.get().external_id)
    if kind in ("bare-error", "lost-answer") and endpoint == "submit":
        # Nobody can name the report whose number was lost; the authority lets it expire.
        assert len(filed(sandbox, "open")) == 1
    else:
        assert filed(sandbox, "open") == []


def test_a_sandbox_that_misbehaves_all_the_time(report: Report, sandbox: Sandbox) -> None:
    kinds = ("error", "bare-error", "lost-request", "lost-answer")
    sandbox.faults.replace([Fault(kind, probability=0.12) for kind in kinds])
    keep_trying(report, 200)
    (entry,) = filed(sandbox)
    assert len(entry["files"]) == 2


@pytest.mark.parametrize("step", ["submit", "upload:1", "fileinfo:1", "upload:2", "finish"])
@pytest.mark.parametrize("answered", [True, False])
def test_killed_at_any_step_it_resumes(
    report: Report, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, step: str, answered: bool
) -> None:
    """As after SIGKILL: the process is gone before or after the answer was written down."""
    from kinward.reporting.filing import Filing

    class Killed(BaseException):
        pass

    keep = Filing._keep

    def killed(self: Filing, call: Call, answer: Any) -> None:
        if answered:
            keep(self, call, answer)
        if call.step == step:
            raise Killed
        if not answered:
            keep(self, call, answer)

    monkeypatch.setattr(Filing, "_keep", killed)
    with pytest.raises(Killed):
        file_report(report.id)
    monkeypatch.undo()
    keep_trying(report)
    (entry,) = filed(sandbox)
    assert len(entry["files"]) == 2
    lost_number = step == "submit" and not answered
    assert len(filed(sandbox, "open")) == int(lost_number)


def test_an_attempt_that_expired_at_the_authority_starts_again(
    report: Report, sandbox: Sandbox
) -> None:
    sandbox.faults.replace([Fault("error", "upload", times=1)])
    with pytest.raises(TryLater):
        file_report(report.id)
    sandbox.state._scale = 0.0
    sandbox.state.all()
    sandbox.state._scale = 1.0
    assert file_report(report.id).state == "finished"
    attempts = Attempt.objects.order_by("number").values_list("number", "abandoned")
    assert list(attempts) == [(1, "5001 Report does not exist"), (2, "")]


def test_while_another_worker_files_it_nobody_else_does(report: Report, sandbox: Sandbox) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    sandbox.faults.replace([Fault("slow", "submit", seconds=0.5)])

    def worker(_: int) -> str:
        try:
            return file_report(report.id).state
        except TryLater:
            return "later"
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        outcomes = sorted(threads.map(worker, range(3)))
    assert outcomes == ["finished", "later", "later"]
    assert len(sandbox.state.all()) == 1


def test_wrong_credentials_park_the_report_and_it_can_be_sent_again(
    report: Report, sandbox: Sandbox, receiver: Receiver, configure: Configure
) -> None:
    configure(cybertipline_password="wrong")
    run_jobs()
    parked = Report.objects.get()
    assert parked.state == "parked"
    assert "2000" in parked.problem
    assert Case.objects.get().state == "confirmed"
    with pytest.raises(Refused):
        authority("cybertipline").check()
    configure(cybertipline_password="word")
    assert "Remote User : esp" in authority("cybertipline").check()
    refile_report(report=parked, actor=Actor.operator("test"))
    run_jobs()
    assert Report.objects.get().state == "finished"
    assert Case.objects.get().state == "reported"


def test_an_authority_that_is_down_is_waited_for(report: Report, configure: Configure) -> None:
    configure(cybertipline_url="http://127.0.0.1:1/ispws")
    with pytest.raises(TryLater, match="does not answer at port"):
        file_report(report.id)
    waiting = Report.objects.get()
    assert (waiting.state, "does not answer" in waiting.problem) == ("waiting", True)
    assert not Call.objects.exists()


def test_production_is_never_called_without_the_operators_word(
    report: Report, configure: Configure
) -> None:
    for consent, host in (
        ("", "report.cybertip.org"),
        ("yes", "REPORT.cybertip.org"),
        ("true", "report.cybertip.org."),
    ):
        configure(cybertipline_url=f"https://{host}/ispws", production_reporting=consent)
        with pytest.raises(NotConfigured, match=PRODUCTION_CONSENT):
            authority("cybertipline").file(filing_of(report))
        with pytest.raises(NotConfigured):
            file_report(report.id)
    assert not Call.objects.exists()


@pytest.fixture
def real(
    report: Report, sandbox: Sandbox, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> Report:
    """A report for a loopback address that is taken for NCMEC's own; the operator set it."""
    monkeypatch.setattr(client, "PRODUCTION_HOSTS", {"127.0.0.1"})
    configure(production_reporting=PRODUCTION_CONSENT)
    return report


def test_a_report_never_travels_in_clear(report: Report, configure: Configure) -> None:
    configure(cybertipline_url="http://authority.example/ispws")
    with pytest.raises(NotConfigured, match="must be https"):
        file_report(report.id)
    assert not Call.objects.exists()


def test_reports_are_real_when_two_people_agreed_and_until_one_ends_it(
    real: Report, operator: Staff, sandbox: Sandbox, configure: Configure
) -> None:
    other = Staff.objects.create_user(username="uma", password="x" * 16, roles=["administrator"])
    with pytest.raises(NotConfigured, match="Two people have to agree"):
        file_report(real.id)
    assert "Two people have to agree" in Report.objects.get().problem
    assert examine()["authority"].level == "fault"
    made = production.request_production(name="cybertipline", why="We go live.", staff=operator)
    with pytest.raises(AlreadyDecided):
        production.request_production(name="cybertipline", why="We too.", staff=other)
    with pytest.raises(Forbidden):
        production.approve_production(production_id=made.id, staff=operator)
    with pytest.raises(NotConfigured, match="Two people have to agree"):
        file_report(real.id)
    assert not Call.objects.exists()
    assert not sandbox.state.all()
    production.approve_production(production_id=made.id, staff=other)
    with pytest.raises(AlreadyDecided):
        production.approve_production(production_id=made.id, staff=other)
    production.require_agreement("cybertipline")
    assert examine()["authority"].level == "ok"

    # Another address is another agreement.
    address = section(CyberTiplineSettings).url
    configure(cybertipline_url=address + "/")
    with pytest.raises(NotConfigured, match="Two people have to agree"):
        file_report(real.id)
    configure(cybertipline_url=address)
    production.end_production(production_id=made.id, staff=operator)
    with pytest.raises(NotConfigured, match="Two people have to agree"):
        file_report(real.id)
    again = production.request_production(name="cybertipline", why="Again.", staff=other)
    production.approve_production(production_id=again.id, staff=operator)
    assert file_report(real.id).state == "finished"
    kinds = Entry.objects.filter(kind__startswith="production.").order_by("seq")
    assert [each.kind.partition(".")[2] for each in kinds] == [
        *("asked", "agreed", "ended"),
        *("asked", "agreed"),
    ]


def test_production_is_agreed_to_in_the_console(real: Report, operator: Staff) -> None:
    uma = Staff.objects.create_user(username="uma", password="x" * 16, roles=["operator"])
    mine, other = signed_in(operator), signed_in(uma)
    assert "waiting for two people" in mine.get("/operations").text
    nothing = mine.post("/operations/production", {"authority": "cybertipline", "why": " "})
    assert (nothing.status_code, "Say why" in nothing.text) == (422, True)
    mine.post("/operations/production", {"authority": "cybertipline", "why": "We go live."})
    address = f"/operations/production/{Production.objects.get().id}"
    own = mine.post(address, {"decision": "agree"})
    assert (own.status_code, "another person must approve it" in own.text) == (403, True)
    other.post(address, {"decision": "agree"})
    assert "approved by uma" in other.get("/operations").text
    mine.post(address, {"decision": "end"})
    assert "waiting for two people" in mine.get("/operations").text


@pytest.mark.parametrize(
    ("why", "accepted"), [(" ", False), ("x" * 2000, True), ("x" * 2001, False)]
)
def test_real_reports_need_a_reason_of_at_most_2000_characters(
    real: Report, operator: Staff, why: str, accepted: bool
) -> None:
    if accepted:
        asked = production.request_production(name="cybertipline", why=why, staff=operator)
        assert asked.why == why
        return
    with pytest.raises(Invalid, match="at most 2000 characters"):
        production.request_production(name="cybertipline", why=why, staff=operator)


def test_practice_needs_nobodys_agreement(
    report: Report, sandbox: Sandbox, operator: Staff
) -> None:
    with pytest.raises(Invalid, match="not an authority that is set to its production"):
        production.request_production(name="cybertipline", why="x", staff=operator)
    assert "practice: reports reach nobody" in signed_in(operator).get("/operations").text
    assert file_report(report.id).state == "finished"


def test_evidence_that_is_not_what_was_reported_is_not_sent(
    report: Report, sandbox: Sandbox
) -> None:
    draft = report.draft
    draft["files"][1]["hashes"]["MD5"] = "0" * 32
    Report.objects.update(draft=draft)
    assert file_report(report.id).state == "parked"
    assert filed(sandbox) == []
    assert len(filed(sandbox, "retracted")) == 1


def test_a_case_closes_only_when_its_report_is_finished(
    report: Report, account: Account, bank: Bank, sandbox: Sandbox
) -> None:
    close_reported(report.case_id)
    assert Case.objects.get().state == "confirmed"
    file_report(report.id)
    close_reported(report.case_id)
    close_reported(report.case_id)
    assert Entry.objects.filter(kind="case.reported").count() == 1
    another = quarantined(account, content_id="post-3")
    with pytest.raises(MoveForbidden):
        close_reported(another.id)


def test_the_sandbox_shows_what_was_filed(report: Report, sandbox: Sandbox) -> None:
    file_report(report.id)
    url = f"http://127.0.0.1:{sandbox.server_port}/sandbox/reports"
    assert httpx.get(url).status_code == 401
    shown = json.loads(httpx.get(url, auth=("esp", "word")).content)
    assert shown[0]["files"][0]["number"] == 1


def test_what_a_reviewer_adds_is_in_the_report(
    bank: Bank, account: Account, reviewer: Staff, sandbox: Sandbox
) -> None:
    put_account(platform_id="child", profile=Profile(age=AgeRange(12, 13), screen_name="wren"))
    put_account(platform_id="friend", profile=Profile())
    first = confirmed(account, reviewer, "CS-2")
    run_jobs()
    assert Case.objects.get(pk=first.id).state == "reported"
    case = quarantined(account, content_id="post-9")
    take_case(case=case, staff=reviewer)
    details = ReportDetails(
        escalate="They are to meet tonight.",
        description="Between eight and nine.",
        victims=["child"],
        recipients=["friend"],
        chat="neutral words <of> a chat",
        where=[
            Where("pages", "https://a.example/1 https://b.example/2", "Linked in the profile."),
            Where("phones", "+49 30 000", "Called at night."),
        ],
    )
    unknown = msgspec.structs.replace(details, victims=["nobody"])
    with pytest.raises(Invalid, match="nobody"):
        decide_case(case_id=case.id, staff=reviewer, form=confirming(unknown))
    long = msgspec.structs.replace(details, escalate="x" * 3001)
    with pytest.raises(Invalid, match="escalate"):
        decide_case(case_id=case.id, staff=reviewer, form=confirming(long))
    unknown_kind = Where("planet")  # type: ignore[arg-type]
    for places in ([Where("pages")] * 21, [Where("pages", "x" * 2001)], [unknown_kind]):
        much = msgspec.structs.replace(details, where=places)
        with pytest.raises(Invalid, match="here it happened"):
            decide_case(case_id=case.id, staff=reviewer, form=confirming(much))
    decide_case(case_id=case.id, staff=reviewer, form=confirming(details))
    run_jobs()
    prior, entry = sandbox.state.all()
    document = parse_xml(entry["xml"].encode())
    assert document.findtext("incidentSummary/escalateToHighPriority") == details.escalate
    pages = document.findall("internetDetails/webPageIncident/url")
    assert [each.text for each in pages] == ["https://a.example/1", "https://b.example/2"]
    assert document.findtext("internetDetails/cellPhoneIncident/phoneNumber") == "+49 30 000"
    excerpt = Evidence.objects.get(check_made=None, case=case)
    chat = document.find("internetDetails/chatImIncident")
    assert chat is not None
    assert excerpt.content_id in (chat.findtext("additionalInfo") or "")
    (file,) = [each for each in entry["files"] if each["details"] and "chat-" in each["details"]]
    about = parse_xml(file["details"].encode())
    assert about.findtext("originalFileName") == f"{excerpt.content_id}.txt"
    assert about.findtext("fileRelevance") == "Supplemental Reported"
    assert about.findtext("fileViewedByEsp") == "false", "nobody opened it in its case"
    assert about.findtext("originalFileHash") == digest_bytes(details.chat.encode()).md5
    assert "neutral words" not in entry["xml"]
    assert not Verdict.objects.filter(details__chat__isnull=False).exists(), "sealed, and nowhere"
    assert document.findtext("victim/espIdentifier") == "child"
    assert document.findtext("victim/victimPerson/age") == "12"
    assert document.findtext("intendedRecipient/espIdentifier") == "friend"
    assert document.findtext("personOrUserReported/priorCTReports") == str(prior["id"])


def confirming(details: ReportDetails) -> VerdictForm:
    return VerdictForm(outcome="confirmed", clause="CS-2", details=details)


def test_a_meme_is_one_report_of_many_accounts(report: Report, sandbox: Sandbox) -> None:
    draft = msgspec.structs.replace(
        from_json(report.draft),
        viral_accounts=["member-1", "member-2", "member-3"],
        escalate="not in such a report",
        additional_info="nor this",
    )
    report.draft = to_json(draft)
    report.save()
    assert faults_of(report) == []
    file_report(report.id)
    (entry,) = filed(sandbox)
    assert len(entry["files"]) == 1, "the authority takes no second file"
    document = parse_xml(entry["xml"].encode())
    people = document.findall("personOrUserReported")
    assert [each.findtext("espIdentifier") for each in people] == draft.viral_accounts
    assert document.find("additionalInfo") is None


def test_a_report_is_held_to_the_authority_s_own_schema(report: Report, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from kinward.cli.operations import report as command
    from kinward.reporting.authorities.cybertipline.schema import xsd

    own = tmp_path / "own.xsd"
    own.write_bytes(xsd())
    run = CliRunner().invoke(command, ["validate", "--xsd", str(own)])
    assert (run.exit_code, "1 report is valid." in run.output) == (0, True)
    assert CliRunner().invoke(command, ["validate", str(report.id)]).exit_code == 0
    other = xsd().replace(b'name="espIdentifier"', b'name="somethingElse"')
    own.write_bytes(other)
    run = CliRunner().invoke(command, ["validate", "--xsd", str(own)])
    assert run.exit_code == 1
    assert "espIdentifier" in run.output
    own.write_text("this is no schema")
    run = CliRunner().invoke(command, ["validate", "--xsd", str(own)])
    assert isinstance(run.exception, Invalid)
