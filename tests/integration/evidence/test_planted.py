"""What was planted in the table or in the store reaches no authority and no court, in no package.

The report is agreed, and the release is approved, before somebody plants: so no verdict is in the
way, and only the file itself can say that it is another one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.custody.models import Release
from kinward.custody.release import make_package
from kinward.evidence import care, storage
from kinward.evidence.authenticity import Damaged
from kinward.evidence.keys import keys_of
from kinward.evidence.models import Evidence
from kinward.evidence.sealing import encrypt, new_key, public_half
from kinward.evidence.viewing import open_evidence
from kinward.ground.config import config
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.policy.signed import new_signing_key
from kinward.reporting.models import Report
from kinward.reporting.services import file_report
from kinward.review.lease import take_case
from kinward.verdicts.form import VerdictForm
from tests.integration.conftest import Configure
from tests.integration.evidence.test_authenticity import (
    change_check,
    other_key_id,
    plant,
    rows,
    swap_contents,
)
from tests.support.compared import gaps
from tests.support.factories import agreed_release
from tests.support.families import make_account
from tests.support.helpers import KNOWN, quarantined
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db(transaction=True)
Forge = Callable[[Evidence, Evidence], object]
CUSTODIAN = Actor.operator("test")


def swap_in_store(evidence: Evidence, other: Evidence) -> None:
    one, two = (storage.read_object(file.location) for file in (evidence, other))
    storage.write_object(evidence.location, two)
    storage.write_object(other.location, one)


def old_in_store(evidence: Evidence, _: Evidence) -> None:
    """Bytes that the file's own key opens, to what was sealed: of another sealing."""
    wrapped = bytes(evidence.wrapped_key or b"")
    data_key = keys_of(evidence.key_id).unwrap(wrapped, evidence.key_id, evidence.pk)
    storage.write_object(evidence.location, encrypt(KNOWN, public_half(data_key)))


def old_in_table(evidence: Evidence, _: Evidence) -> None:
    """The same, beside the object of the store: the row's bytes come first."""
    wrapped = bytes(evidence.wrapped_key or b"")
    data_key = keys_of(evidence.key_id).unwrap(wrapped, evidence.key_id, evidence.pk)
    rows(evidence, ciphertext=encrypt(KNOWN, public_half(data_key)))


def plant_in_store(evidence: Evidence, other: Evidence) -> None:
    """The planted file of `plant`, in the store, and a row to fit."""
    plant(evidence, other)
    planted = Evidence.objects.get(pk=evidence.pk)
    storage.write_object(evidence.location, bytes(planted.ciphertext or b""))
    rows(evidence, ciphertext=None)


@pytest.fixture
def agreed(
    bank: Bank, account: Account, reviewer: Staff, configure: Configure, tmp_path: Path
) -> tuple[Report, Release]:
    """A report that waits to be packaged, and a release, of the first of two files in a store."""
    court, agency = public_half(new_key()), public_half(new_key())
    configure(
        authorities="cybertipline,GB=nca",
        handover_keys=f"nca={agency}",
        handover_dir=str(tmp_path / "handover"),
        package_key=new_signing_key(),
        evidence_key=new_key(),
        evidence_store=f"file://{tmp_path}/store",
    )
    Account.objects.filter(pk=account.pk).update(jurisdiction="GB")
    case = quarantined(Account.objects.get(pk=account.pk))
    quarantined(make_account("other", 30), data=KNOWN + b"more")
    take_case(case=case, staff=reviewer)
    form = VerdictForm(outcome="confirmed", clause="CS-1")
    decide_case(case_id=case.id, staff=reviewer, form=form)
    release = agreed_release(Account.objects.get(pk=account.pk))
    Release.objects.filter(pk=release.pk).update(recipient=court)
    return Report.objects.get(), release


def files_of(report: Report) -> tuple[Evidence, Evidence]:
    one = Evidence.objects.get(case_id=report.case_id)
    return one, Evidence.objects.exclude(pk=one.pk).get()


def require_refused(
    report: Report, release: Release, reviewer: Staff, forge: Forge, tmp_path: Path
) -> None:
    while care.store_next_file():
        pass
    forge(*files_of(report))
    evidence = Evidence.objects.get(case_id=report.case_id)
    assert str(evidence) in {gap.subject for gap in gaps(["evidence"])}, "the comparison names it"
    with pytest.raises(Damaged):
        file_report(report.pk)
    report.refresh_from_db()
    assert report.state == "waiting"
    assert "has changed since it was sealed" in report.problem
    with pytest.raises(Damaged):
        make_package(release_id=release.pk, path=tmp_path / "court.age", actor=CUSTODIAN)
    with pytest.raises(Damaged):
        open_evidence(evidence=evidence, staff=reviewer, reason="review")
    assert care.scrub_evidence() >= 1
    written = [path.name for path in tmp_path.rglob("*") if path.suffix in (".age", ".partial")]
    assert set(written) <= {f"{file.pk}.age" for file in Evidence.objects.all()}, "of the store"
    told = Entry.objects.filter(subject=str(evidence)).values_list("kind", flat=True)
    assert told.filter(kind="evidence.damaged").count() == 1
    assert not set(told) & {"evidence.read", "evidence.released", "evidence.viewed"} - SEEN


SEEN = {"evidence.viewed"}  # by the reviewer who confirmed the case, before


@pytest.mark.parametrize(
    "forge",
    [
        plant,
        plant_in_store,
        swap_contents,
        swap_in_store,
        old_in_table,
        old_in_store,
        other_key_id,
        change_check,
    ],
    ids=lambda forge: forge.__name__,
)
def test_no_package_has_what_was_planted(
    agreed: tuple[Report, Release], reviewer: Staff, forge: Forge, tmp_path: Path
) -> None:
    require_refused(*agreed, reviewer, forge, tmp_path)


@pytest.mark.parametrize("forge", [swap_in_store, old_in_store], ids=lambda one: one.__name__)
def test_no_package_has_what_was_planted_in_an_object_store(
    agreed: tuple[Report, Release],
    reviewer: Staff,
    forge: Forge,
    tmp_path: Path,
    aws: str,
    configure: Configure,
) -> None:
    boto3.client("s3", endpoint_url=aws).create_bucket(Bucket="vault")
    configure(evidence_store="s3://vault/evidence")
    require_refused(*agreed, reviewer, forge, tmp_path)


def test_a_row_from_before_its_key_was_wrapped_anew_is_refused(
    agreed: tuple[Report, Release], reviewer: Staff, configure: Configure, tmp_path: Path
) -> None:
    """It was true once, and its MAC still is."""
    evidence, _ = files_of(agreed[0])
    earlier = {name: getattr(evidence, name) for name in ("wrapped_key", "key_id", "mac")}
    configure(evidence_key=f"{new_key()}\n{config().evidence_key}")
    assert care.rewrap_keys() == 2
    require_refused(*agreed, reviewer, lambda file, _: rows(file, **earlier), tmp_path)


@pytest.mark.parametrize("honest", [True, False])
def test_a_report_has_the_files_of_its_own_case(
    agreed: tuple[Report, Release], honest: bool, tmp_path: Path
) -> None:
    """Every file is true, and the draft names one of somebody else."""
    report, _ = agreed
    draft: dict[str, Any] = report.draft
    if not honest:
        draft["files"][0]["evidence_id"] = str(files_of(report)[1].pk)
        Report.objects.update(draft=draft)
    filed = file_report(report.pk)
    assert filed.state == ("packaged" if honest else "parked")
    assert bool(list((tmp_path / "handover").rglob("*.age"))) == honest
    if not honest:
        assert "not the file that was reported" in filed.problem


def test_no_package_leaves_out_a_file_whose_row_says_that_it_was_destroyed(
    agreed: tuple[Report, Release], tmp_path: Path
) -> None:
    report, release = agreed
    evidence, _ = files_of(report)
    rows(evidence, ciphertext=None, wrapped_key=None, destroyed_at=timezone.now())
    with pytest.raises(Damaged, match="and the ledger does not"):
        make_package(release_id=release.pk, path=tmp_path / "court.age", actor=CUSTODIAN)
    with pytest.raises(Damaged):
        file_report(report.pk)
    assert not (tmp_path / "court.age").exists()
