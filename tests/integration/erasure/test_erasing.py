"""A person is erased from every room, and nothing that was proved before stops being proved."""

import hmac
import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.cli.backups.sealing import find_tool
from kinward.enforcement.models import BlockedIdentifier
from kinward.erasure.errors import ErasureAsked, ErasureDelayed
from kinward.erasure.export import export_data
from kinward.erasure.list import list_path
from kinward.erasure.models import Erasure
from kinward.erasure.services import decide_erasure, request_erasure
from kinward.evidence.holds import set_legal_hold
from kinward.ground.errors import Forbidden
from kinward.ledger.api import kinds, record
from kinward.ledger.exporting import export_log, prove_entry
from kinward.ledger.leaves import commit
from kinward.ledger.models import Entry
from kinward.ledger.sequencing import sequence_all
from kinward.ledger.verification import verify_ledger
from kinward.matching.models import Bank, HeldBlock
from kinward.people.models import Account
from kinward.people.services import AccountUnknown
from kinward.reporting.models import Report
from tests.integration.conftest import Configure
from tests.integration.ledger.test_exporting import policy, signed, verify
from tests.support.compared import gaps
from tests.support.custody import two_custodians
from tests.support.helpers import Receiver
from tests.support.ledgers import past_the_triggers
from tests.support.marked_person import MARKS, NAME, leave, live

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def marks(
    configure: Configure, bank: Bank, receiver: Receiver, reviewer: Staff, second_reviewer: Staff
) -> list[str]:
    configure(identifier_key="a key of a test")
    return live(reviewer, second_reviewer)


def erase(name: str = NAME) -> Erasure:
    one, two = two_custodians()
    request = request_erasure(account_id=name, why="They asked.", staff=one)
    return decide_erasure(erasure_id=request.pk, approve=True, staff=two)


def dumped() -> bytes:
    settings = connection.settings_dict
    address = {"PGHOST": settings["HOST"], "PGPORT": settings["PORT"], "PGUSER": settings["USER"]}
    address["PGPASSWORD"] = settings["PASSWORD"]
    given = {name: str(value) for name, value in address.items() if value}
    command = [find_tool("pg_dump"), "--format=plain", settings["NAME"]]
    return subprocess.run(command, env=os.environ | given, capture_output=True, check=True).stdout


def found_in(data: bytes, marks: list[str]) -> list[str]:
    return [mark for mark in marks if mark.encode() in data]


def test_no_marker_is_left_in_a_dump_and_old_proofs_hold(marks: list[str], tmp_path: Path) -> None:
    leave()
    differed = set(gaps())  # looks and staff that the test made by itself
    planted = found_in(dumped(), marks)
    assert len(planted) >= 29, "but the screen name, which the deletion forgets already"
    sequence_all()
    before = signed()
    theirs = Entry.objects.filter(subject=f"account:{NAME}").order_by("pk").first()
    assert theirs is not None
    receipt = tmp_path / "old.tlog-proof"
    receipt.write_bytes(prove_entry(theirs.pk, opened=True).to_bytes())
    seen = (theirs.subject, bytes(theirs.subject_salt or b""))

    erasure = erase()

    assert not Account.objects.filter(platform_id=NAME).exists()
    assert found_in(dumped(), marks) == []
    new = {gap for gap in gaps() if not gap.subject.startswith("staff:keeps-")}  # `two_custodians`
    assert new <= differed
    assert verify_ledger().ok
    after = signed()
    folder = tmp_path / "export"
    export_log(folder, opened=True, progress=lambda count: None)
    exported = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert found_in(exported, marks) == []
    trust = policy(tmp_path, after)
    assert before.vkey == after.vkey
    alone = verify(folder, "--policy", str(trust), "--receipt", str(receipt))
    assert alone.returncode == 0, alone.stderr
    whole = verify(folder, str(folder), "--policy", str(trust))
    assert whole.returncode == 0, whole.stderr
    # Whoever kept the salt could still test a guess. Without it the true values confirm nothing.
    theirs.refresh_from_db()
    assert (theirs.subject, theirs.subject_salt) == (None, None)
    kept = bytes(theirs.subject_commitment or b"")
    assert hmac.compare_digest(commit("subject", seen[0], seen[1]), kept)
    for salt in (b"", bytes(32), b"subject", *_salts_left()):
        assert commit("subject", f"account:{NAME}", salt) != kept
    said = Entry.objects.get(kind="account.erased")
    assert said.subject == str(erasure)
    assert said.data == {"rows": erasure.rows, "values": erasure.values}
    assert found_in(list_path().read_bytes(), marks) == []


def _salts_left() -> list[bytes]:
    rows = Entry.objects.values_list("actor_salt", "subject_salt", "data_salt")
    return [bytes(salt) for row in rows for salt in row if salt is not None]


def test_what_is_packed_is_removed_and_a_run_goes_on(marks: list[str]) -> None:
    leave()
    numbers = list(HeldBlock.objects.values_list("pk", flat=True))
    assert HeldBlock.objects.exclude(count=0).exists()
    erase()
    assert list(HeldBlock.objects.values_list("pk", flat=True)) == numbers
    assert all((block.count, bytes(block.records)) == (0, b"") for block in HeldBlock.objects.all())


def test_nobody_erases_alone_or_by_another_road(marks: list[str], reviewer: Staff) -> None:
    leave()
    one, _ = two_custodians()
    request = request_erasure(account_id=NAME, why="They asked.", staff=one)
    with pytest.raises(Forbidden, match="another person"):
        decide_erasure(erasure_id=request.pk, approve=True, staff=one)
    with pytest.raises(ErasureAsked):
        request_erasure(account_id=NAME, why="Again.", staff=one)
    with pytest.raises(Forbidden):
        request_erasure(account_id=NAME, why="x", staff=reviewer)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Entry.objects.filter(subject=f"account:{NAME}").update(subject=None, subject_salt=None)
    assert Account.objects.filter(platform_id=NAME).exists()


def test_an_entry_of_an_erasure_lets_nothing_else_of_entries_change() -> None:
    entry = _entry("thing:1")
    for changes in (
        {"subject": "thing:2"},
        {"subject": None},
        {"kind": "x"},
        {"at": timezone.now()},
    ):
        with pytest.raises(DatabaseError, match=r"append-only|violates"), transaction.atomic():
            _says_erased()
            Entry.objects.filter(pk=entry.pk).update(**changes)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        _says_erased()
        Entry.objects.filter(pk=entry.pk).delete()


def _entry(subject: str) -> Entry:
    with transaction.atomic():
        record(actor=Actor.system("test"), subject=subject, fact=kinds.AccountDeleted())
    return Entry.objects.latest("pk")


def _says_erased() -> None:
    fact = kinds.AccountErased(rows=0, values=0)
    record(actor=Actor.system("test"), subject="erasure:1", fact=fact)


def test_values_that_went_without_an_erasure_are_an_alarm(marks: list[str]) -> None:
    leave()
    erase()
    entry = _entry("account:somebody-unknown")
    assert gaps(["ledger"]) == []
    with transaction.atomic():
        _says_erased()
        Entry.objects.filter(pk=entry.pk).update(subject=None, subject_salt=None)
    assert "values are gone from it, and erasures say" in str(gaps(["ledger"]))


def test_no_entry_of_an_erasure_is_blanked_to_hide_how_many_values_went(marks: list[str]) -> None:
    leave()
    erase()
    entry = _entry("account:somebody-unknown")
    blank = {"data": None, "data_salt": None}
    with pytest.raises(DatabaseError, match="stays whole"), transaction.atomic():
        _says_erased()
        Entry.objects.filter(pk=entry.pk).update(**blank)
        Entry.objects.filter(kind="account.erased").update(**blank)
    of_erasures = "WHERE kind = 'account.erased'"
    for data in ("'{}'", "'[1]'", "'7'", "'{\"values\": 1.5}'", "NULL, data_salt = NULL"):
        past_the_triggers(f"UPDATE ledger_entry SET data = {data} {of_erasures}")
        assert "An entry of an erasure is blank or of another form" in str(gaps(["ledger"]))


def test_data_of_another_form_stops_no_erasure(marks: list[str]) -> None:
    leave()
    entry = _entry("thing:1")
    for data in ('"x"', "[1]", "7"):
        past_the_triggers("UPDATE ledger_entry SET data = %s WHERE seq = %s", data, entry.pk)
    erase()
    assert Entry.objects.filter(kind="account.erased").exists()


def delayed(name: str = NAME) -> str:
    one, _ = two_custodians()
    with pytest.raises(ErasureDelayed) as refused:
        request_erasure(account_id=name, why="x", staff=one)
    return str(refused.value)


def test_whatever_must_stay_refuses_with_its_reason_and_date(marks: list[str]) -> None:
    assert "platform has not deleted" in delayed()
    leave()
    account = Account.objects.get(platform_id=NAME)
    case = account.cases.earliest("opened_at")
    finished = timezone.now() - timedelta(days=5)
    report = Report.objects.create(
        case=case,
        authority="ncmec",
        draft={},
        state="finished",
        external_id="1",
        finished_at=finished,
    )
    until = finished + timedelta(days=365)
    assert f"18 USC 2258A(h)), until {until:%Y-%m-%d}" in delayed()
    report.delete()
    case.state = "open"
    case.save()
    assert "case about the account is open" in delayed()
    case.state = "dismissed"
    case.save()
    one, two = two_custodians()
    request = request_erasure(account_id=NAME, why="They asked.", staff=one)
    set_legal_hold(case_id=case.pk, reference="AZ 9", actor=one.actor)
    with pytest.raises(ErasureDelayed, match="legal hold"):
        decide_erasure(erasure_id=request.pk, approve=True, staff=two)
    request.refresh_from_db()
    assert request.state == "asked"
    assert not list_path().exists()


def test_the_export_tells_what_is_theirs_and_of_nobody_else(marks: list[str]) -> None:
    told = str(export_data(NAME))
    wanted = ("screen name", "file name", "content", "address", "keyword", "ask", "report by")
    for name in (*wanted, "appeal"):
        assert MARKS[name] in told, name
    for name in ("report about", "comment", "note"):
        assert MARKS[name] not in told, name
    assert not re.search(
        r"guardian-of-mark|other-member|'matched'|dispute", told.partition("withheld")[0]
    )
    with pytest.raises(AccountUnknown):
        export_data("nobody")


def test_a_terminated_person_is_erased_and_stays_blocked(marks: list[str]) -> None:
    case = Account.objects.get(platform_id=NAME).cases.first()
    BlockedIdentifier.objects.create(case=case, digest=b"d" * 32, kind="device")
    leave()
    erase()
    blocked = BlockedIdentifier.objects.get()
    assert (blocked.case_id, bytes(blocked.digest)) == (None, b"d" * 32)
