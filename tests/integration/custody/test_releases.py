"""Records for legal process: two people, a package that only its reader opens, proof of it all."""

import hashlib
import io
import json
import re
import zipfile
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.agreement import AlreadyDecided
from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.cli.package import package
from kinward.custody import destruction
from kinward.custody.destruction import DestructionForm, StillNeeded
from kinward.custody.models import Destruction, Release
from kinward.custody.release import (
    NotApproved,
    ReleaseForm,
    decide_release,
    make_package,
    record_hand_over,
    request_release,
)
from kinward.evidence import holds, packing
from kinward.evidence import services as vault
from kinward.evidence.models import Evidence, HoldEnding
from kinward.evidence.packing import PackageItem, read_manifest, signing_key, write_package
from kinward.evidence.sealing import CannotUnseal, decrypt, new_key, public_half
from kinward.ground.errors import Forbidden, Invalid, NotFound
from kinward.ledger.leaves import commit
from kinward.ledger.models import Entry
from kinward.ledger.verification import verify_ledger
from kinward.ledger.words import says
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.policy.signed import new_signing_key
from kinward.reporting.authorities.cybertipline.sandbox import Sandbox
from kinward.review.lease import take_case
from kinward.verdicts.form import VerdictForm
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.helpers import KNOWN, quarantined, run_jobs, two_files_one_seen
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db(transaction=True)
POLICE = new_key()


@pytest.fixture(autouse=True)
def _own_keys(configure: Configure) -> None:
    configure(package_key=new_signing_key(), evidence_key=new_key())


@pytest.fixture
def custodians(db: None) -> tuple[Staff, Staff]:
    role = "evidence custodian"
    return (
        Staff.objects.create_user(username="cleo", password="x" * 12, roles=[role]),
        Staff.objects.create_user(username="dara", password="x" * 12, roles=[role]),
    )


def form(**changes: Any) -> ReleaseForm:
    today = datetime.now(UTC).date()
    asked = ReleaseForm(
        account_id="member-1",
        since=today - timedelta(days=30),
        until=today,
        recipient=public_half(POLICE),
        to="The police of a test",
        reference="ref-4711",
        why="A court of a test ordered it.",
    )
    return msgspec.structs.replace(asked, **changes)


def approved(custodians: tuple[Staff, Staff], **changes: Any) -> Release:
    made = request_release(form=form(**changes), staff=custodians[0])
    return decide_release(release_id=made.id, approve=True, staff=custodians[1])


def opened(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(decrypt(path.read_bytes(), POLICE)))


def test_two_people_and_only_the_reader_opens_it(
    bank: Bank,
    account: Account,
    reviewer: Staff,
    custodians: tuple[Staff, Staff],
    sandbox: object,
    tmp_path: Path,
) -> None:
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    decide_case(
        case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1")
    )
    run_jobs()
    made = request_release(form=form(), staff=custodians[0])
    path = tmp_path / "package.age"
    with pytest.raises(NotApproved):
        make_package(release_id=made.id, path=path, actor=Actor.operator("test"))
    with pytest.raises(Forbidden):
        decide_release(release_id=made.id, approve=True, staff=custodians[0])
    with pytest.raises(Forbidden):
        decide_release(release_id=made.id, approve=True, staff=reviewer)
    with pytest.raises(IntegrityError, match="two_people"), transaction.atomic():
        Release.objects.update(state="approved", decided_by=custodians[0])
    decide_release(release_id=made.id, approve=True, staff=custodians[1])
    packed = make_package(release_id=made.id, path=path, actor=Actor.operator("test"))
    assert KNOWN[200:260] not in path.read_bytes()
    assert not list(tmp_path.glob("*.partial"))
    with pytest.raises(CannotUnseal):
        decrypt(path.read_bytes(), new_key())
    with opened(path) as archive:
        manifest = read_manifest(archive, signing_key())
        names = {each["name"] for each in manifest["files"]}
        evidence = Evidence.objects.get()
        assert archive.read(f"files/{evidence.id}") == KNOWN
        assert names >= {"account.json", "cases.json", "reports.json", "ledger.json"}
        assert packed.files == len(names)
        (told,) = json.loads(archive.read("cases.json"))
        assert told["verdicts"][0]["by"] == "staff:robin"
        (report,) = json.loads(archive.read("reports.json"))
        assert report["state"] == "finished"
        assert report["calls"][-1]["step"] == "finish"
        (seen,) = json.loads(archive.read("uploads.json"))
        assert seen["ip"] == "203.0.113.7"
        assert archive.read("summary.pdf")[:5] == b"%PDF-"
        assert manifest["facts"]["Reference"] == "ref-4711"
        assert manifest["ledger"] is None, "nothing is signed before its transaction has ended"
        (first, *_) = json.loads(archive.read("ledger.json"))
        salt, value = first["proof"]["actor"]
        assert (
            commit("actor", json.loads(value), bytes.fromhex(salt)).hex() in first["proof"]["leaf"]
        )
    released = Entry.objects.get(kind="evidence.released")
    assert released.data["reason"] == f"release:{made.id}"
    record_hand_over(release_id=made.id, to="Inspector of a test", staff=custodians[0])
    told = Entry.objects.get(kind="release.handed_over").data["to"]
    assert says(told, "Inspector of a test")
    assert verify_ledger().ok


EVIL = "\u202egnp.\u2066\u200bgpj\U000e0041"


def test_no_file_of_a_package_turns_its_words_around(
    bank: Bank, account: Account, custodians: tuple[Staff, Staff], tmp_path: Path
) -> None:
    """A reader sees what a stranger called a file, and a program reads what was sent."""
    quarantined(account, filename=EVIL)
    Account.objects.update(screen_name=EVIL)
    path = tmp_path / "package.age"
    made = approved(custodians, to=f"The police {EVIL}")
    make_package(release_id=made.id, path=path, actor=Actor.operator("test"))
    with opened(path) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist() if "json" in name}
        read_manifest(archive, signing_key())
        assert archive.read("manifest.sig")
    assert len(texts) > 5
    for name, text in texts.items():
        assert not set(EVIL) - set("gnp.gpj") & set(text), name
    assert json.loads(texts["account.json"])["screen_name"] == EVIL
    assert json.loads(texts["uploads.json"])[0]["filename"] == EVIL
    assert json.loads(texts["manifest.json"])["facts"]["For"] == f"The police {EVIL}"


def test_only_what_lies_between_the_days(
    bank: Bank, account: Account, custodians: tuple[Staff, Staff], tmp_path: Path
) -> None:
    quarantined(account)
    today = datetime.now(UTC).date()
    release = approved(custodians, since=today - timedelta(days=9), until=today - timedelta(days=2))
    path = tmp_path / "package.age"
    make_package(release_id=release.id, path=path, actor=Actor.operator("test"))
    with opened(path) as archive:
        assert json.loads(archive.read("cases.json")) == []
        assert json.loads(archive.read("uploads.json")) == []
        assert not [name for name in archive.namelist() if name.startswith("files/")]


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "age1notakey"},
        {"recipient": POLICE},
        {"to": " "},
        {"reference": "x" * 201},
        {"why": ""},
        {"until": datetime(2020, 1, 1, tzinfo=UTC).date()},
    ],
)
def test_what_makes_no_sense_is_not_asked(
    account: Account, custodians: tuple[Staff, Staff], changes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        request_release(form=form(**changes), staff=custodians[0])
    assert not Release.objects.exists()


def test_a_changed_package_is_told(
    account: Account, custodians: tuple[Staff, Staff], tmp_path: Path
) -> None:
    path = tmp_path / "package.age"
    release = approved(custodians)
    make_package(release_id=release.id, path=path, actor=Actor.operator("test"))
    with opened(path) as archive:
        with pytest.raises(Invalid, match="not signed"):
            read_manifest(archive, "00" * 32)
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["account.json"] += b" "
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with zipfile.ZipFile(changed) as archive, pytest.raises(Invalid, match=r"account\.json"):
        read_manifest(archive, signing_key())


def words_of(paper: bytes) -> str:
    """The words of a PDF, as its built-in fonts write them. Where a line breaks is left out."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", paper, re.DOTALL)
    drawn = b"".join(zlib.decompress(stream) for stream in streams if stream[:1] == b"x")
    lines = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", drawn, re.DOTALL)
    return " ".join(re.sub(rb"\\(.)", rb"\1", b" ".join(lines)).decode("latin-1").split())


def test_the_paper_of_a_package_says_what_is_in_it_and_has_a_place_to_sign(
    db: None, tmp_path: Path
) -> None:
    path = tmp_path / "p.age"
    items = [
        PackageItem("files/1", b"x" * 1234, "a file of M\u00fcller"),
        PackageItem("files/2", b"y", "\u0416 \u2014 and\nSignature: forged"),
    ]
    facts = {"Reference": "ref-4711", "Case": "case:9"}
    write_package(
        path, recipients=[public_half(POLICE)], title="Records (a test)", facts=facts, items=items
    )
    with opened(path) as archive:
        words, manifest = words_of(archive.read("summary.pdf")), archive.read("manifest.json")
    expected = [
        "Records (a test)",
        "Reference: ref-4711",
        "Case: case:9",
        f"SHA-256 of manifest.json: {hashlib.sha256(manifest).hexdigest()}",
        f"Signed with Ed25519, public key: {signing_key()}",
        "Files",
        "files/1 (1,234 bytes): a file of M\u00fcller",
        f"SHA-256 {hashlib.sha256(b'x' * 1234).hexdigest()}",
        "files/2 (1 bytes): \\u0416",
        "and Signature: forged",
        f"SHA-256 {hashlib.sha256(b'y').hexdigest()}",
        "Declaration I declare that I am authorised to make this declaration;",
        "the digests above are those of the files in this package.",
        *(f"{what}: ____" for what in ("Name", "Function", "Place and date", "Signature")),
    ]
    places = [words.find(text) for text in expected]
    assert -1 not in places, [text for text in expected if text not in words]
    assert places == sorted(places), "in this order"


def test_a_package_that_fails_leaves_nothing(db: None, tmp_path: Path) -> None:
    def failing() -> Any:
        yield PackageItem("one", b"x" * 3_000_000, "first")
        raise OSError("the disk is full")

    path = tmp_path / "package.age"
    with pytest.raises(OSError, match="disk is full"):
        write_package(path, recipients=[public_half(POLICE)], title="t", facts={}, items=failing())
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_said(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_new_file", lambda path: open("/dev/full", "wb"))  # noqa: SIM115
    many = (PackageItem(f"{number}", b"x" * 1_000_000, "noise") for number in range(8))
    with pytest.raises(OSError, match=r"(?i)no space|broken pipe"):
        write_package(
            tmp_path / "p.age", recipients=[public_half(POLICE)], title="t", facts={}, items=many
        )
    assert list(tmp_path.iterdir()) == []


def test_the_command_and_the_console(
    account: Account, custodians: tuple[Staff, Staff], tmp_path: Path
) -> None:
    from click.testing import CliRunner

    first, second = (signed_in(each) for each in custodians)
    sent = {key: str(value) for key, value in msgspec.structs.asdict(form()).items()}
    wrong = first.post("/releases/ask", sent | {"recipient": "hunter2"})
    assert wrong.status_code == 422
    assert "age recipient" in wrong.content.decode()
    assert "A court of a test" in wrong.content.decode(), "what was written is still there"
    asked = first.post("/releases/ask", sent, follow=True).content.decode()
    assert "Release requested. Another custodian must approve it." in asked
    release = Release.objects.get()
    own = first.post(f"/releases/{release.id}/decide", {"decision": "approve"})
    assert own.status_code == 403
    second.post(f"/releases/{release.id}/decide", {"decision": "approve"})
    text = second.get("/releases").content.decode()
    assert f"kinward package make {release.id}" in text
    path = tmp_path / "package.age"
    run = CliRunner().invoke(package, ["make", str(release.id), "--out", str(path)])
    assert run.exit_code == 0, run.output
    clear = tmp_path / "package.zip"
    clear.write_bytes(decrypt(path.read_bytes(), POLICE))
    run = CliRunner().invoke(package, ["check", str(clear), "--key", signing_key()])
    assert "files are unchanged." in run.output
    first.post(f"/releases/{release.id}/hand-over", {"to": "Inspector"})
    release.refresh_from_db()
    assert (release.state, release.handed_to) == ("handed over", "Inspector")


def test_a_hold_in_the_console(
    bank: Bank, account: Account, custodians: tuple[Staff, Staff]
) -> None:
    case = quarantined(account)
    page = signed_in(custodians[0])
    assert page.post("/releases/hold", {"case": "x", "reference": "r"}).status_code == 422
    assert page.post("/releases/hold", {"case": str(case.id)}).status_code == 422
    sent = {"case": str(case.id), "reference": "ref-1"}
    shown = page.post("/releases/hold", sent, follow=True).content.decode()
    assert Evidence.objects.get().hold_reference == "ref-1"
    assert "ref-1" in shown
    assert "1 file is under legal hold." in shown
    quarantined(account, content_id="post-2")
    assert (
        "2 files are under legal hold."
        in page.post("/releases/hold", sent, follow=True).content.decode()
    )
    sent = {"case": str(case.id), "ends": "yes", "why": "The court is done."}
    asked_end = page.post("/releases/hold", sent, follow=True).content.decode()
    assert "Another custodian must approve the end of this hold." in asked_end
    ending = HoldEnding.objects.get()
    alone = page.post(f"/releases/holds/{ending.id}", {"decision": "approve"})
    assert alone.status_code == 403
    assert set(Evidence.objects.values_list("hold_reference", flat=True)) == {"ref-1"}
    other = signed_in(custodians[1])
    assert "The court is done." in other.get("/releases").content.decode()
    other.post(f"/releases/holds/{ending.id}", {"decision": "approve"})
    assert set(Evidence.objects.values_list("hold_reference", flat=True)) == {""}


def asked(case: Case, staff: Staff) -> Destruction:
    form = DestructionForm(case_id=case.id, asked_for_by="Police", reference="4711")
    return destruction.request_destruction(form=form, staff=staff)


def test_two_people_destroy_what_an_authority_asks_for(
    bank: Bank,
    account: Account,
    reviewer: Staff,
    custodians: tuple[Staff, Staff],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = custodians
    case, seen, _ = two_files_one_seen(account, reviewer)
    with pytest.raises(StillNeeded, match="no verdict"):
        asked(case, first)
    confirmed = VerdictForm(outcome="confirmed", clause="CS-1")
    decide_case(case_id=case.id, staff=reviewer, form=confirmed)
    with pytest.raises(StillNeeded, match="report to cybertipline is waiting"):
        asked(case, first)
    run_jobs()
    with pytest.raises(Forbidden):
        asked(case, reviewer)
    made = asked(case, first)
    with pytest.raises(Forbidden):
        destruction.decide_destruction(destruction_id=made.id, agree=True, staff=first)

    # What somebody else holds is not destroyed, nor half of it.
    Evidence.objects.filter(pk=seen.pk).update(hold_reference="court 12")
    with pytest.raises(vault.UnderLegalHold, match="court 12"):
        destruction.decide_destruction(destruction_id=made.id, agree=True, staff=second)
    assert not Evidence.objects.exclude(destroyed_at=None).exists()
    made.refresh_from_db()
    assert made.state == "asked"

    asked_end = holds.request_hold_end(case_id=case.id, why="The court is done.", staff=first)
    with pytest.raises(Forbidden):
        holds.decide_hold_end(ending_id=asked_end.id, approve=True, staff=first)
    holds.decide_hold_end(ending_id=asked_end.id, approve=True, staff=second)
    with pytest.raises(vault.UnderLegalHold, match="less than 7 days"):
        destruction.decide_destruction(destruction_id=made.id, agree=True, staff=second)
    week = timezone.now() + timedelta(days=7)
    with monkeypatch.context() as later:
        later.setattr(timezone, "now", lambda: week)
        destruction.decide_destruction(destruction_id=made.id, agree=True, staff=second)
    with pytest.raises(AlreadyDecided):
        destruction.decide_destruction(destruction_id=made.id, agree=True, staff=second)
    for evidence in Evidence.objects.all():
        assert (evidence.wrapped_key, evidence.ciphertext) == (None, None)
        with pytest.raises(vault.EvidenceGone):
            vault.read_for_report(evidence=evidence, report_id=uuid4())
    gone = Entry.objects.filter(kind="evidence.destroyed")
    assert {(each.actor, each.data["reason"]) for each in gone} == {(str(second.actor), str(made))}
    assert gone.count() == 2
    assert verify_ledger().ok
    with pytest.raises(NotFound, match="no evidence"):
        destruction.decide_destruction(
            destruction_id=asked(case, first).id, agree=True, staff=second
        )


def test_a_destruction_in_the_console(
    bank: Bank, account: Account, reviewer: Staff, custodians: tuple[Staff, Staff]
) -> None:
    case, _, _ = two_files_one_seen(account, reviewer)
    decide_case(case_id=case.id, staff=reviewer, form=VerdictForm(outcome="dismissed"))
    mine, other = (signed_in(each) for each in custodians)
    form = {"case": str(case.id), "asked_for_by": "Police", "reference": "4711"}
    assert mine.post("/releases/destruction", {**form, "case": "x"}).status_code == 422
    assert mine.post("/releases/destruction", {**form, "reference": " "}).status_code == 422
    mine.post("/releases/destruction", form)
    address = f"/releases/destruction/{Destruction.objects.get().id}"
    assert mine.post(address, {"decision": "agree"}).status_code == 403
    assert "Approve and destroy the evidence" not in mine.get("/releases").text
    assert "Approve and destroy the evidence" in other.get("/releases").text
    other.post(address, {"decision": "refuse"})
    assert not Evidence.objects.exclude(destroyed_at=None).exists()
    mine.post("/releases/destruction", form)
    second = Destruction.objects.get(state="asked")
    other.post(f"/releases/destruction/{second.id}", {"decision": "agree"})
    assert not Evidence.objects.filter(destroyed_at=None).exists()
