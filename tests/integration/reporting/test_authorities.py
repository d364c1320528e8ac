"""What an authority can take, its own numbers and settings; and one case at two authorities."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, cast

import pytest
from click.testing import CliRunner
from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.cli.doctor import examine
from kinward.cli.operations import report as report_command
from kinward.cli.roles import worker
from kinward.custody import destruction
from kinward.custody.destruction import DestructionForm, StillNeeded
from kinward.custody.package import items
from kinward.evidence.models import Evidence
from kinward.evidence.sealing import new_key, public_half
from kinward.ground.config import Section
from kinward.ground.errors import Invalid, NotConfigured
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.policy.signed import new_signing_key
from kinward.redress import services as redress
from kinward.redress.models import Statement
from kinward.reporting.authorities.cybertipline.documents import (
    Reporter,
    parse_xml,
    report_document,
)
from kinward.reporting.authorities.cybertipline.sandbox import Fault, Sandbox
from kinward.reporting.authority import authority, check_authority_settings
from kinward.reporting.draft import Draft
from kinward.reporting.filing import TryLater
from kinward.reporting.models import Report
from kinward.reporting.services import draft_of, file_report
from kinward.review.lease import take_case
from kinward.review.timeline import timeline_of_case
from kinward.verdicts.appeals import decide_appeal
from kinward.verdicts.draft import ReportDetails
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.incidents import Where
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.factories import agreed_release
from tests.support.helpers import confirmed, quarantined, run_jobs
from tests.support.tide import Tide
from tests.support.verdicts import decide_case, told_to

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def custodian(db: None) -> Staff:
    return Staff.objects.create_user(
        username="cleo", password="x" * 12, roles=["evidence custodian"]
    )


@pytest.fixture
def tide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configure: Configure) -> Path:
    """The plug-in is installed, configured, and where all reports go; its folder."""
    about = tmp_path / "tide-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tide\nVersion: 1\n")
    (about / "entry_points.txt").write_text(
        "[kinward.authorities]\ntide = tests.support.tide:Tide\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "drop"
    folder.mkdir()
    configure(authorities="tide", tide_folder=folder)
    return folder


@pytest.fixture
def handed(configure: Configure, tmp_path: Path) -> Path:
    """The United Kingdom's agency is set up to be handed reports; where its packages lie."""
    configure(
        handover_keys=f"nca={public_half(new_key())}",
        handover_dir=tmp_path,
        package_key=new_signing_key(),
    )
    return tmp_path / "nca"


@pytest.fixture
def twice(bank: Bank, account: Account, reviewer: Staff, sandbox: Sandbox, handed: Path) -> Case:
    """A confirmed case that is reported to NCMEC and to the agency; no job has run yet."""
    case = confirm(account, reviewer)
    with transaction.atomic():
        told_to("nca", case)
    return case


def confirm(account: Account, reviewer: Staff, **form: object) -> Case:
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    filled = VerdictForm(**{"outcome": "confirmed", "clause": "CS-1", **form})  # type: ignore[arg-type]
    return decide_case(case_id=case.id, staff=reviewer, form=filled)


def drafted(**fields: object) -> Draft:
    return draft_of(Report.objects.get(**fields))


def hand_over(staff: Staff) -> str:
    """Hand the package over on the page, and read what the page says."""
    report = Report.objects.get(authority="nca")
    sent = {"reference": "NCA-7", "to": "An officer of a test"}
    return signed_in(staff).post(f"/releases/reports/{report.id}", sent, follow=True).text


def win_appeal(case: Case, staff: Staff) -> None:
    statement = Statement.objects.get(case_id=case.id, stage="verdict")
    appeal = redress.file_appeal(
        account=case.account, statement_id=statement.id, text="x", days=14, actor=Actor.account("x")
    )
    take_case(case=case, staff=staff)
    decide_appeal(appeal_id=appeal.id, overturn=True, note="x", staff=staff)
    run_jobs()


# ---- its own numbers


def test_a_report_names_only_what_the_same_authority_has(
    bank: Bank,
    account: Account,
    reviewer: Staff,
    custodian: Staff,
    sandbox: Sandbox,
    handed: Path,
    configure: Configure,
) -> None:
    configure(authorities="nca")
    first = confirmed(account, reviewer, "CS-1", "post-7")
    run_jobs()
    report = Report.objects.get()
    sent = {"reference": "20261234", "to": "An officer of a test"}
    assert signed_in(custodian).post(f"/releases/reports/{report.id}", sent).status_code == 302
    first.refresh_from_db()
    assert first.state == "reported"

    configure(authorities="cybertipline")
    second = confirmed(account, reviewer, "CS-1", "post-8")
    run_jobs()
    (entry,) = sandbox.state.all()
    assert parse_xml(entry["xml"].encode()).find(".//priorCTReports") is None
    assert drafted(case_id=second.id).account.prior_reports == []

    third = confirmed(account, reviewer, "CS-1", "post-9")
    assert drafted(case_id=third.id).account.prior_reports == [str(entry["id"])]
    configure(authorities="nca")
    fourth = confirmed(account, reviewer, "CS-1", "post-10")
    assert drafted(case_id=fourth.id).account.prior_reports == ["20261234"]


def test_a_draft_of_before_says_what_it_said() -> None:
    account = {"platform_id": "x", "prior_reports": [7]}
    draft = {"case_id": "0" * 32, "incident": "imagery", "platform": "", "account": account}
    old = draft | {"incident_at": "2026-01-01T00:00:00Z", "annotations": ["csamSolicitation"]}
    said = draft_of(Report(authority="cybertipline", draft=old))
    assert said.account.prior_reports == ["7"]
    document = report_document(said, reporter=Reporter(email="a@b.example"), now=timezone.now())
    assert document.find("incidentSummary/reportAnnotations/csamSolicitation") is not None


# ---- its own words


def test_the_form_has_the_words_of_the_authority(
    tide: Path, bank: Bank, account: Account, reviewer: Staff
) -> None:
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    text = signed_in(reviewer).get(f"/cases/{case.id}").text
    assert "<option>red</option>" in text
    assert "Loud and often" in text
    assert "Web pages" in text
    for other in ("<option>A1</option>", "Sextortion", "An online game"):
        assert other not in text
    evidence = str(Evidence.objects.get().id)
    with pytest.raises(Invalid, match="red, blue"):
        decide_case(case_id=case.id, staff=reviewer, form=form(classifications={evidence: "A1"}))
    with pytest.raises(Invalid, match="spam"):
        decide_case(case_id=case.id, staff=reviewer, form=form(annotations=["spam"]))
    filled = form(classifications={evidence: "red"}, annotations=["loud"])
    decide_case(case_id=case.id, staff=reviewer, form=filled)
    draft = drafted()
    assert (draft.files[0].classification, draft.annotations) == ("red", ["loud"])


def form(**fields: object) -> VerdictForm:
    return VerdictForm(outcome="confirmed", clause="CS-1", **fields)  # type: ignore[arg-type]


def test_each_report_says_what_its_authority_has_words_for(
    tide: Path, bank: Bank, account: Account, reviewer: Staff
) -> None:
    where = [Where("pages", "https://a.example/1"), Where("games", "Shapes", "In its lobby.")]
    case = confirm(account, reviewer, annotations=["loud"], details=ReportDetails(where=where))
    with transaction.atomic():
        told_to("cybertipline", case)
    here, there = drafted(authority="tide"), drafted(authority="cybertipline")
    assert (here.annotations, there.annotations) == (["loud"], [])
    assert [len(here.pages), len(there.pages), len(here.games), len(there.games)] == [1, 1, 0, 1]
    assert "(games): name Shapes, info In its lobby." in here.additional_info, "nothing is lost"
    assert "Shapes" not in there.additional_info


def test_what_the_authority_has_no_word_for_waits_for_a_person(
    tide: Path, account: Account, reviewer: Staff
) -> None:
    confirmed(account, reviewer, "CS-2")
    run_jobs()
    report = Report.objects.get()
    assert report.state == "parked"
    assert "tide takes no reports of 'enticement'" in report.problem
    assert cast("Tide", authority("tide")).submitted() == []


def test_the_authority_itself_judges_its_answers(
    tide: Path, bank: Bank, account: Account, reviewer: Staff
) -> None:
    case = confirm(account, reviewer)
    report = Report.objects.get()
    for _ in range(2):
        with pytest.raises(TryLater, match="closed"):
            file_report(report.id)
    (tide / "open").touch()
    run_jobs()
    assert cast("Tide", authority("tide")).submitted() == ["T1"], "what succeeded is not sent again"
    case.refresh_from_db()
    assert (Report.objects.get().external_id, case.state) == ("T1", "reported")
    second = confirmed(account, reviewer, "CS-1", "post-8")
    assert drafted(case_id=second.id).account.prior_reports == ["earlier:T1"]


# ---- its own settings


def test_a_plug_in_reads_its_own_variables(tide: Path, configure: Configure) -> None:
    check_authority_settings()
    text = examine()["settings"].text
    assert "tide: KINWARD_TIDE_FOLDER (set), KINWARD_TIDE_MOST (not set)." in text
    assert str(tide) not in text, "a value may be a secret"
    assert "cybertip-ca, esafety, eu, nca: KINWARD_HANDOVER_KEYS" in text
    configure(tide_most="many")
    with pytest.raises(NotConfigured, match="KINWARD_TIDE_MOST is 'many'"):
        check_authority_settings()
    assert examine()["settings"].level == "fault"
    started = CliRunner().invoke(worker)
    assert isinstance(started.exception, NotConfigured), "nothing starts"
    del os.environ["KINWARD_TIDE_MOST"], os.environ["KINWARD_TIDE_FOLDER"]
    configure()
    with pytest.raises(NotConfigured, match="Set KINWARD_TIDE_FOLDER"):
        check_authority_settings()
    configure(authorities="cybertipline")
    check_authority_settings()


class Greedy(Section, frozen=True, kw_only=True):
    """It asks for what is Kinward's own, KINWARD_DATA_DIR."""

    prefix: ClassVar[str] = "data"

    dir: str = ""


def test_a_variable_has_one_reader(tide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_authority_settings()
    monkeypatch.setattr(Tide, "settings", Greedy)
    with pytest.raises(NotConfigured, match="tide reads KINWARD_DATA_DIR"):
        check_authority_settings()


def test_an_authority_that_is_not_installed_is_said_at_the_start(configure: Configure) -> None:
    configure(authorities="cybertipline,DE=nobody")
    with pytest.raises(NotConfigured, match="'nobody'"):
        check_authority_settings()


def test_a_verdict_does_not_depend_on_its_authority(
    bank: Bank, account: Account, reviewer: Staff, configure: Configure
) -> None:
    case = confirm(account, reviewer)
    with transaction.atomic():
        told_to("nobody", case)
    with pytest.raises(NotConfigured, match="'nobody'"):
        file_report(Report.objects.get(authority="nobody").id)
    assert "'nobody'" in Report.objects.get(authority="nobody").problem


# ---- one case at two authorities


def test_a_case_closes_with_the_last_of_its_reports(
    twice: Case, account: Account, custodian: Staff, reviewer: Staff, sandbox: Sandbox
) -> None:
    run_jobs()
    states = dict(Report.objects.values_list("authority", "state"))
    assert states == {"cybertipline": "finished", "nca": "packaged"}
    twice.refresh_from_db()
    assert twice.state == "confirmed"
    assert Evidence.objects.get().expires_at is None, "no term before the last is finished"
    asked = DestructionForm(case_id=twice.id, asked_for_by="x", reference="y")
    with pytest.raises(StillNeeded, match="report to nca is packaged"):
        destruction.request_destruction(form=asked, staff=custodian)
    page = signed_in(reviewer).get(f"/cases/{twice.id}").text
    number = Report.objects.get(authority="cybertipline").external_id
    words = " ".join(page.split())
    assert f'</span> cybertipline no. <span class="mono">{number}</span>' in words
    assert "</span> nca" in words

    assert "the case is closed" in hand_over(custodian)
    twice.refresh_from_db()
    assert twice.state == "reported"
    finished = max(report.finished_at for report in Report.objects.all() if report.finished_at)
    expires = Evidence.objects.get().expires_at
    assert expires is not None
    assert (expires - finished).days == 365
    destruction.request_destruction(form=asked, staff=custodian)

    entries = list(timeline_of_case(twice))
    of_reports = [entry.subject for entry in entries if entry.kind == "report.finished"]
    assert set(of_reports) == {str(report) for report in Report.objects.all()}
    closing = next(entry for entry in entries if entry.kind == "case.reported")
    assert closing.data["numbers"] == {"cybertipline": number, "nca": "NCA-7"}
    since = timezone.now() - timedelta(days=1)
    until = timezone.now() + timedelta(days=1)
    made = items(account, since, until, agreed=agreed_release(account), actor=Actor.system("test"))
    packed = {item.name: item.data for item in made if item.name.endswith(".json")}
    numbers = {report["external_id"] for report in json.loads(packed["reports.json"])}
    assert numbers == {number, "NCA-7"}


def test_whichever_is_last_closes_it(twice: Case, custodian: Staff, sandbox: Sandbox) -> None:
    sandbox.faults.replace([Fault("error", "submit", probability=1)])
    file_report(Report.objects.get(authority="nca").id)
    assert "waits for its other report" in hand_over(custodian)
    twice.refresh_from_db()
    assert (twice.state, Evidence.objects.get().expires_at) == ("confirmed", None)
    sandbox.faults.replace([])
    run_jobs()
    twice.refresh_from_db()
    assert twice.state == "reported"
    assert Evidence.objects.get().expires_at is not None


def test_a_won_appeal_withdraws_what_is_not_finished_and_keeps_what_is(
    twice: Case, handed: Path, second_reviewer: Staff, sandbox: Sandbox
) -> None:
    run_jobs()
    assert len(list(handed.iterdir())) == 1
    win_appeal(twice, second_reviewer)
    states = dict(Report.objects.values_list("authority", "state"))
    assert states == {"cybertipline": "finished", "nca": "withdrawn"}
    assert list(handed.iterdir()) == []
    assert [entry["state"] for entry in sandbox.state.all()] == ["finished"]
    finished_at = Report.objects.get(authority="cybertipline").finished_at
    expires = Evidence.objects.get().expires_at
    assert finished_at is not None
    assert expires is not None
    assert (expires - finished_at).days == 365, "what an authority has is kept its whole term"


def test_a_won_appeal_withdraws_both(
    twice: Case, handed: Path, second_reviewer: Staff, sandbox: Sandbox
) -> None:
    sandbox.faults.replace([Fault("error", "finish", probability=1)])
    run_jobs()
    win_appeal(twice, second_reviewer)
    assert set(Report.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert [entry["state"] for entry in sandbox.state.all()] == ["retracted"]
    assert list(handed.iterdir()) == []
    expires = Evidence.objects.get().expires_at
    assert expires is not None
    assert expires < timezone.now() + timedelta(days=100), "kept a short while"
    twice.refresh_from_db()
    assert twice.state == "overturned"


def test_an_authority_has_one_report_of_a_case(twice: Case) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        told_to("nca", twice)


def test_only_its_own_reports_are_held_to_the_schema(twice: Case) -> None:
    run = CliRunner().invoke(report_command, ["validate"])
    assert (run.exit_code, "1 report is valid." in run.output) == (0, True)
    other = str(Report.objects.get(authority="nca").id)
    run = CliRunner().invoke(report_command, ["validate", other])
    assert isinstance(run.exception, Invalid)
