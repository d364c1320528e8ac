"""Who can write to the database, and has no secret, gets no other file seen, reported or stored."""

import ast
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from pyrage.x25519 import Identity

import kinward
from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.gravity import Act
from kinward.casebook.models import Case, Verdict
from kinward.cli.doctor import examine
from kinward.evidence import care
from kinward.evidence import services as vault
from kinward.evidence.authenticity import Damaged
from kinward.evidence.keys import keys
from kinward.evidence.models import Evidence
from kinward.evidence.sealing import encrypt, new_key, public_half
from kinward.evidence.viewing import open_evidence, play_evidence, record_evidence_watched
from kinward.evidence.warrants import issue_warrant
from kinward.ledger.api import kinds, record
from kinward.ledger.models import Entry
from kinward.matching.models import Bank, Check
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.verdicts.draft import draft_report
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.compared import gaps
from tests.support.custody import agreed_destruction, end_term
from tests.support.helpers import KNOWN, quarantined, run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

Forge = Callable[[Evidence, Evidence], object]


@pytest.fixture
def files(bank: Bank, account: Account) -> list[Evidence]:
    """Two sealed files, each of a case of its own."""
    other = put_account(platform_id="member-2", profile=Profile())[0]
    quarantined(account)
    quarantined(other, data=KNOWN + b"more")
    return list(Evidence.objects.order_by("sealed_at"))


@pytest.fixture
def custodian(db: None) -> Staff:
    return Staff.objects.create_user(
        username="cal", password="x" * 12, roles=["evidence custodian"]
    )


def rows(evidence: Evidence, **columns: object) -> None:
    Evidence.objects.filter(pk=evidence.pk).update(**columns)


def plant(evidence: Evidence, _: Evidence) -> None:
    """Another file, sealed for the real key, with every digest in the database to fit."""
    planted, data_key = b"planted", Identity.generate()
    sealed = encrypt(planted, str(data_key.to_public()))
    rows(
        evidence,
        ciphertext=sealed,
        sealed_sha256=hashlib.sha256(sealed).hexdigest(),
        wrapped_key=encrypt(str(data_key).encode(), evidence.key_id),
        sha256=hashlib.sha256(planted).hexdigest(),
        size=len(planted),
    )
    change_check(evidence, _, planted)


def change_check(evidence: Evidence, _: Evidence, data: bytes = b"planted") -> None:
    digests = {name: hashlib.new(name, data).hexdigest() for name in ("sha256", "sha1", "md5")}
    Check.objects.filter(pk=str(evidence.check_made_id)).update(**digests)


def change_md5(evidence: Evidence, _: Evidence) -> None:
    Check.objects.filter(pk=str(evidence.check_made_id)).update(md5="0" * 32)


def swap_cases(evidence: Evidence, other: Evidence) -> None:
    rows(evidence, case_id=other.case_id)
    rows(other, case_id=evidence.case_id)


def swap_contents(evidence: Evidence, other: Evidence) -> None:
    """Everything that opens a file, with its digests, in the row of another."""
    names = ("ciphertext", "wrapped_key", "sealed_sha256", "sha256", "size", "key_id", "mac")
    rows(evidence, check_made=other.check_made, **{name: getattr(other, name) for name in names})


def swap_objects(evidence: Evidence, other: Evidence) -> None:
    rows(evidence, ciphertext=other.ciphertext)


def seal_again(evidence: Evidence, _: Evidence) -> None:
    """The true bytes, under a key that the forger knows."""
    data_key = new_key()
    sealed = encrypt(KNOWN, public_half(data_key))
    rows(
        evidence,
        ciphertext=sealed,
        sealed_sha256=hashlib.sha256(sealed).hexdigest(),
        wrapped_key=keys().wrap(data_key, evidence.pk),
    )


def other_key_id(evidence: Evidence, _: Evidence) -> None:
    rows(evidence, key_id="vault:other")


def hide(evidence: Evidence, _: Evidence) -> None:
    """A file that claims to have nothing to see, so that nobody needs to see it."""
    rows(evidence, decodable=False)


def no_mac(evidence: Evidence, _: Evidence) -> None:
    rows(evidence, mac=b"")


def second_entry(evidence: Evidence, _: Evidence) -> None:
    fact = kinds.EvidenceSealed(case=str(uuid4()), sha256="0" * 64, size=1)
    with transaction.atomic():
        record(actor=Actor.system("evidence"), subject=str(evidence), fact=fact)


def lead_elsewhere(evidence: Evidence, other: Evidence) -> None:
    """The object of another file, whose own row says that it is there."""
    rows(evidence, location=f"file:///nowhere/{other.pk}.age")


def seen(evidence: Evidence, staff: Staff) -> dict[str, Any]:
    return {"evidence": evidence, "staff": staff, "reason": "review"}


# Each function that reads the bytes of evidence. The test below fails for one that is not here.
DOORS: dict[str, Callable[[Evidence, Staff, Staff], object]] = {
    "viewing.open_evidence": lambda file, reviewer, _: open_evidence(**seen(file, reviewer)),
    "viewing.play_evidence": lambda file, reviewer, _: play_evidence(
        **seen(file, reviewer), strand=0
    ),
    "viewing.record_evidence_watched": lambda file, reviewer, _: record_evidence_watched(
        **seen(file, reviewer), strand=0, seconds=1.0
    ),
    "services.veil_evidence": lambda file, reviewer, _: vault.veil_evidence(**seen(file, reviewer)),
    "services.read_for_report": lambda file, _, __: vault.read_for_report(
        evidence=file, report_id=uuid4()
    ),
    "services.read_for_restoration": lambda file, _, __: vault.read_for_restoration(
        case_id=file.case_id, content_id=file.content_id, actor=Actor.key("app")
    ),
    "services.read_for_release": lambda file, _, custodian: vault.read_for_release(
        evidence_id=file.pk, agreed=agreed_destruction(file.case_id), actor=custodian.actor
    ),
}
# What else touches sealed bytes or wrapped keys, and why it gives nobody a file.
INSIDE = {
    "services._seal": "writes them",
    "services.unsealed_bytes": "compares, and gives them to the doors",
    "services.sealed_bytes": "gives them, still sealed, to those here",
    "services._destroy": "empties them",
    "counterparts._authentic": "compares",
    "care._find_rot": "compares",
    "care.store_next_file": "compares, and moves them sealed",
    "care._rewrap": "compares, and wraps the key again",
    "authenticity._told": "makes the MAC",
    "cli.backups.objects.copy_object": "copies them sealed",
    "cli.backups.objects.put_objects": "compares with the row, and puts them back sealed",
    "cli.doctor.evidence.check_keys": "a sample of its own",
    "cli.doctor.evidence.check_unsealable": "unwraps a key, and opens nothing",
    "sealing.decrypt": "opens what it is given: only `unsealed_bytes` and the keys call it",
}
READERS = {"unsealed_bytes", "sealed_bytes", "read_object", "unwrap", "ciphertext", "wrapped_key"}


def _names_in(function: ast.AST) -> set[str]:
    nodes = list(ast.walk(function))
    called = {node.id for node in nodes if isinstance(node, ast.Name)}
    return called | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_each_reader_of_sealed_bytes_is_a_door_of_the_table_or_says_why_not() -> None:
    source = Path(kinward.__file__).parent
    found = set()
    for path in source.rglob("*.py"):
        if "migrations" in path.parts or path.name.startswith(("keys_", "storage")):
            continue  # the keys' own protocols, and the store's
        module = ".".join(path.relative_to(source).with_suffix("").parts)
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and _names_in(function) & READERS:
                found.add(f"{module.removeprefix('evidence.')}.{function.name}")
    assert found == {*DOORS, *INSIDE}, "a new door compares first, and is in the table"


FORGERIES: list[Forge] = [
    plant,
    change_check,
    change_md5,
    swap_cases,
    swap_contents,
    swap_objects,
    lead_elsewhere,
    seal_again,
    other_key_id,
    hide,
    no_mac,
    second_entry,
]


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_no_door_takes_what_was_forged(
    forge: Forge,
    files: list[Evidence],
    reviewer: Staff,
    custodian: Staff,
    configure: Configure,
    tmp_path: Path,
) -> None:
    forge(*files)
    evidence = Evidence.objects.get(pk=files[0].pk)
    assert str(evidence) in {gap.subject for gap in gaps(["evidence"])}, "the comparison names it"
    case = Case.objects.get(pk=evidence.case_id)
    with pytest.raises(Damaged):
        open_evidence(evidence=evidence, staff=reviewer, reason="review")
    assert Evidence.objects.get(pk=evidence.pk).damaged_at, "the custodian sees it at once"
    assert Entry.objects.filter(kind="evidence.damaged", subject=str(evidence)).count() == 1
    assert examine()["vault"].level == "fault"
    assert not Entry.objects.filter(kind="evidence.viewed").exists()
    shown = signed_in(custodian).get("/releases").content.decode()
    assert "Damaged files" in shown
    assert str(evidence.pk) in shown
    for name, door in DOORS.items():
        with pytest.raises(Damaged):
            door(evidence, reviewer, custodian)
            pytest.fail(f"{name} took it")
    assert care.scrub_evidence() >= 1
    assert Entry.objects.filter(kind="evidence.damaged", subject=str(evidence)).count() == 1
    configure(evidence_store=f"file://{tmp_path}")
    while care.store_next_file():
        pass
    assert not (tmp_path / f"{evidence.pk}.age").exists()
    if forge is not swap_objects:  # bytes are compared where bytes are used
        verdict = Verdict(case=case, outcome="confirmed", given_by=reviewer, details={})
        with pytest.raises(Damaged):
            issue_warrant(case=case, verdict=verdict, acts=[Act.REPORT])


def test_no_file_takes_the_object_of_another_with_it(
    files: list[Evidence], configure: Configure, tmp_path: Path
) -> None:
    """The row of a file that expires is made to name the object of one that must stay."""
    configure(evidence_store=f"file://{tmp_path}")
    while care.store_next_file():
        pass
    evidence, other = (Evidence.objects.get(pk=file.pk) for file in files)
    rows(evidence, location=other.location)
    end_term(evidence, timezone.now())
    assert vault.destroy_expired_evidence(timezone.now()) == 1
    run_jobs()
    assert sorted(path.name for path in tmp_path.glob("*.age")) == [f"{other.pk}.age"]


def test_nobody_wraps_again_what_was_forged(files: list[Evidence]) -> None:
    forge, old = files[0], new_key()
    sealed = encrypt(new_key().encode(), public_half(old))
    rows(forge, wrapped_key=sealed, key_id=public_half(old))
    assert care.rewrap_keys() == 0
    forge.refresh_from_db()
    assert bytes(forge.wrapped_key or b"") == sealed
    assert forge.damaged_at


@pytest.mark.parametrize("forge", [plant, change_check, change_md5, hide])
def test_no_report_is_drafted_from_what_was_forged(
    forge: Forge, files: list[Evidence], reviewer: Staff
) -> None:
    case = Case.objects.get(pk=files[0].case_id)
    verdict = Verdict.objects.create(case=case, outcome="confirmed", given_by=reviewer)
    forge(*files)
    with pytest.raises(Damaged):
        draft_report(case, verdict, "imagery", "cybertipline")
