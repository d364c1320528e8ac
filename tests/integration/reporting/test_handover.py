"""Authorities to which a person brings the report: sealed, waited for, written down."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.db import transaction

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.cli.doctor import examine
from kinward.evidence.models import Evidence
from kinward.evidence.packing import read_manifest, signing_key
from kinward.evidence.sealing import decrypt, new_key, public_half
from kinward.ground.errors import Forbidden, Invalid, NotConfigured
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.policy.signed import new_signing_key
from kinward.redress import services as redress
from kinward.redress.models import Statement
from kinward.reporting.authorities.cybertipline import client
from kinward.reporting.authorities.cybertipline.sandbox import Sandbox
from kinward.reporting.authority import authorities, authority_for
from kinward.reporting.models import Report
from kinward.reporting.production import production_in_use
from kinward.reporting.services import file_report
from kinward.review.lease import take_case
from kinward.verdicts.appeals import decide_appeal
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.report import hand_over_report
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.helpers import KNOWN, quarantined, run_jobs
from tests.support.verdicts import decide_case, told_to

pytestmark = pytest.mark.django_db(transaction=True)
AGENCY = new_key()


@pytest.fixture(autouse=True)
def _places(configure: Configure, tmp_path: Path) -> None:
    configure(
        authorities="cybertipline,GB=nca,DE=eu",
        handover_keys=f"nca={public_half(AGENCY)}",
        handover_dir=str(tmp_path),
        package_key=new_signing_key(),
    )


@pytest.fixture
def custodian(db: None) -> Staff:
    return Staff.objects.create_user(
        username="cleo", password="x" * 12, roles=["evidence custodian"]
    )


def confirmed_in(place: str, account: Account, reviewer: Staff) -> Case:
    Account.objects.filter(pk=account.pk).update(jurisdiction=place)
    case = quarantined(Account.objects.get(pk=account.pk))
    take_case(case=case, staff=reviewer)
    form = VerdictForm(outcome="confirmed", clause="CS-1")
    return decide_case(case_id=case.id, staff=reviewer, form=form)


def test_the_place_says_which_authority(configure: Configure) -> None:
    assert authority_for("GB-SCT") == authority_for("GB") == "nca"
    assert authority_for("US-CA") == authority_for("") == "cybertipline"
    configure(authorities="eu, US = cybertipline")
    assert authorities() == {"*": "eu", "US": "cybertipline"}


def test_a_person_brings_the_package_there(
    bank: Bank,
    account: Account,
    reviewer: Staff,
    custodian: Staff,
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    case = confirmed_in("GB", account, reviewer)
    run_jobs()
    report = Report.objects.get()
    assert (report.authority, report.state) == ("nca", "packaged")
    assert sandbox.state.all() == [], "nothing went to another authority"
    path = tmp_path / "nca" / f"{report.id}.age"
    assert str(path) in report.problem
    assert KNOWN[300:360] not in path.read_bytes()
    made_at = path.stat().st_mtime_ns
    assert file_report(report.id).state == "packaged", "asked again, it is the same package"
    assert path.stat().st_mtime_ns == made_at
    with zipfile.ZipFile(io.BytesIO(decrypt(path.read_bytes(), AGENCY))) as archive:
        manifest = read_manifest(archive, signing_key())
        assert manifest["title"] == "Report to the National Crime Agency"
        said = json.loads(archive.read("report.json"))
        assert said["incident"] == "imagery"
        assert archive.read(f"files/{Evidence.objects.get().id}") == KNOWN
    with pytest.raises(Forbidden):
        hand_over_report(report_id=report.id, reference="7", to="x", staff=reviewer)
    with pytest.raises(Invalid):
        hand_over_report(report_id=report.id, reference=" ", to="x", staff=custodian)
    page = signed_in(custodian)
    assert "Reports to hand over" in page.get("/releases").content.decode()
    sent = {"reference": "NCA-7", "to": "An officer of a test"}
    assert page.post(f"/releases/reports/{report.id}", sent).status_code == 302
    report.refresh_from_db()
    case.refresh_from_db()
    assert (report.state, report.external_id, case.state) == ("finished", "NCA-7", "reported")
    assert "An officer of a test" in report.receipt
    assert Evidence.objects.get().expires_at, "the year of preservation has begun"
    assert Entry.objects.get(kind="report.handed_over").actor == "staff:cleo"
    assert page.post(f"/releases/reports/{report.id}", sent).status_code == 422


@pytest.mark.parametrize("handed", ["eu", "nca"])
def test_of_two_packages_of_a_case_the_one_that_was_delivered_is_finished(
    bank: Bank,
    account: Account,
    reviewer: Staff,
    custodian: Staff,
    configure: Configure,
    handed: str,
) -> None:
    keys = ",".join(f"{name}={public_half(AGENCY)}" for name in ("eu", "nca"))
    configure(handover_keys=keys)
    case = confirmed_in("GB", account, reviewer)
    with transaction.atomic():
        told_to("eu", case)
    for report in Report.objects.all():
        assert file_report(report.id).state == "packaged"
    report = Report.objects.get(authority=handed)
    hand_over_report(report_id=report.id, reference="R-7", to="An officer", staff=custodian)
    states = dict(Report.objects.values_list("authority", "state"))
    assert states == {"eu": "packaged", "nca": "packaged"} | {handed: "finished"}
    assert Report.objects.get(external_id="R-7") == report
    assert Entry.objects.get(kind="report.handed_over").subject == str(report)
    assert Evidence.objects.get().expires_at is None, "another report is not finished yet"
    case.refresh_from_db()
    assert case.state == "confirmed"


def test_staff_are_told_how_reports_get_to_each_authority(
    sandbox: Sandbox, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ways() -> dict[str, str]:
        return {used.name: used.way for used in production_in_use()}

    assert ways() == {"cybertipline": "practice", "nca": "person", "eu": "person"}
    monkeypatch.setattr(client, "PRODUCTION_HOSTS", {"127.0.0.1"})
    assert ways()["cybertipline"] == "production"
    configure(cybertipline_url="")
    assert ways()["cybertipline"] == "unset"


def test_a_key_that_is_missing_is_said_and_nothing_is_lost(
    bank: Bank, account: Account, reviewer: Staff, configure: Configure
) -> None:
    confirmed_in("DE", account, reviewer)
    report = Report.objects.get()
    with pytest.raises(NotConfigured, match="KINWARD_HANDOVER_KEYS=eu"):
        file_report(report.id)
    report.refresh_from_db()
    assert report.state == "waiting"
    assert "KINWARD_HANDOVER_KEYS" in report.problem
    configure(handover_keys=f"eu={public_half(new_key())}")
    assert file_report(report.id).state == "packaged"


def test_a_won_appeal_takes_the_package_back(
    bank: Bank, account: Account, reviewer: Staff, second_reviewer: Staff, tmp_path: Path
) -> None:
    case = confirmed_in("GB", account, reviewer)
    run_jobs()
    statement = Statement.objects.get(case_id=case.id, stage="verdict")
    made = redress.file_appeal(
        account=account, statement_id=statement.id, text="x", days=14, actor=Actor.account("x")
    )
    take_case(case=case, staff=second_reviewer)
    decide_appeal(appeal_id=made.id, overturn=True, note="x", staff=second_reviewer)
    run_jobs()
    assert Report.objects.get().state == "withdrawn"
    assert list((tmp_path / "nca").iterdir()) == []


def test_the_doctor_asks_each_authority(sandbox: Sandbox, configure: Configure) -> None:
    assert "KINWARD_HANDOVER_KEYS=eu" in examine()["authority"].text
    configure(authorities="GB=nca,*=nca")
    assert examine()["authority"].level == "ok"
