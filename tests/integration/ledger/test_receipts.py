"""Who is told something gets a receipt, which strangers' software verifies without Kinward."""

import hashlib
import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from django.db import transaction

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.enforcement.models import Action
from kinward.families.models import Notice
from kinward.families.notices import notice_sentence, tell
from kinward.ledger.bundle import verifier_text
from kinward.ledger.models import CosignedTree, Entry, Log
from kinward.ledger.notes import Note, cosign_text, parse_note
from kinward.ledger.proofs import parse_proof
from kinward.ledger.sequencing import sequence_all
from kinward.ledger.signing import publish_checkpoint
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.redress.models import Statement
from tests.integration.gate.test_gate import Caller
from tests.support import golang
from tests.support.families import make_account
from tests.support.helpers import confirmed, run_jobs
from tests.support.ledgers import past_the_triggers, write
from tests.support.transparency import witness_signer
from tests.support.visits import visitor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def adult(db: None) -> Account:
    profile = Profile(age=AgeRange(34, 35), jurisdiction="DE", language="de-AT")
    return put_account(platform_id="heron", profile=profile)[0]


@pytest.fixture
def app(db: None) -> Caller:
    return Caller(create_key(name="app", scopes=frozenset(SCOPES), actor=Actor.operator("test")))


def sign() -> Log:
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET signed_at = NULL")
    publish_checkpoint()
    return Log.objects.get()


def verify(folder: Path, policy: str, receipt: bytes) -> "subprocess.CompletedProcess[str]":
    """Run the exported verifier in a Python that finds none of our modules."""
    folder.mkdir(exist_ok=True)
    (folder / "verify.py").write_text(verifier_text())
    (folder / "policy").write_text(policy)
    (folder / "my.tlog-proof").write_bytes(receipt)
    command = [sys.executable, "-I", str(folder / "verify.py")]
    command += ["--policy", str(folder / "policy"), "--receipt", str(folder / "my.tlog-proof")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def said_in(receipt: bytes) -> str:
    data = json.loads(json.loads(parse_proof(receipt).extra)["data"][1])
    return str(data["fact"]["said"])


def address_in(url: str) -> str:
    assert url.startswith("http")
    return "/transparency/receipt/" + url.rpartition("/transparency/receipt/")[2]


def test_a_statement_carries_its_receipt_on_each_way_out(
    adult: Account, reviewer: Staff, app: Caller, tmp_path: Path
) -> None:
    confirmed(adult, reviewer, "SF-1", "post-1")
    statement = Statement.objects.get()
    # It is told before it is signed: then there is the address where the receipt will be.
    (listed,) = app("GET", f"/v1/accounts/{adult.platform_id}/statements").json()["statements"]
    assert listed["receipt"] is None
    address = address_in(listed["receipt_url"])
    assert Caller("")("GET", address).status_code == 409
    page = visitor(adult)
    assert page.get(f"/family/receipt/{statement.id}").status_code == 302
    log = sign()
    # The log goes on, and the receipt of the newest tree verifies as well.
    write(300, together=True)
    log = sign()
    fetched = Caller("")("GET", address)
    assert (fetched.status_code, fetched.headers["cache-control"]) == (200, "private, no-store")
    receipt = fetched.content
    (listed,) = app("GET", f"/v1/accounts/{adult.platform_id}/statements").json()["statements"]
    assert listed["receipt"].encode() == receipt
    shown = page.get("/family/decisions").content.decode()
    assert f"/family/receipt/{statement.id}" in shown
    saved = page.get(f"/family/receipt/{statement.id}")
    assert saved.content == receipt
    assert ".tlog-proof" in saved.headers["content-disposition"]
    (notice,) = [
        action.notice
        for action in Action.objects.filter(account=adult)
        if action.notice and action.notice["topic"] == "statement"
    ]
    assert address_in(notice["receipt"]) == address
    # It is about what the person was told, and strangers verify it.
    assert said_in(receipt) == hashlib.sha256(notice["sentence"].encode()).hexdigest()
    done = verify(tmp_path / "v", f"log {log.vkey}\nquorum none\n", receipt)
    assert done.returncode == 0, done.stderr
    assert "statement.told" in done.stdout
    if golang.find_go():
        binary, file = golang.build(tmp_path), tmp_path / "v" / "my.tlog-proof"
        assert golang.judge_receipt(binary, log.vkey, file).startswith("ok: entry ")
        file.write_bytes(receipt.replace(b"index ", b"index 1"))
        assert golang.judge_receipt(binary, log.vkey, file).startswith("refused: ")
    else:
        golang.say_that_go_is_missing()
    changed = receipt.replace(b"\nindex ", b"\nindex 1")
    assert verify(tmp_path / "v", f"log {log.vkey}\nquorum none\n", changed).returncode == 1


def test_a_family_notice_carries_its_receipt(app: Caller, tmp_path: Path) -> None:
    teen = make_account("wren", 15)
    with transaction.atomic():
        notice = tell(teen, "report.taken")
    run_jobs()
    (told,) = [action.notice for action in Action.objects.filter(account=teen) if action.notice]
    log = sign()
    receipt = Caller("")("GET", address_in(told["receipt"])).content
    assert said_in(receipt) == hashlib.sha256(told["sentence"].encode()).hexdigest()
    assert told["sentence"] == notice_sentence(notice)
    done = verify(tmp_path / "v", f"log {log.vkey}\nquorum none\n", receipt)
    assert done.returncode == 0, done.stderr
    assert "notice.made" in done.stdout
    assert f"/family/receipt/{notice.receipt}" in visitor(teen).get("/family").content.decode()
    # A notice from before has none, and no link either.
    Notice.objects.update(receipt=None)
    assert "/family/receipt/" not in visitor(teen).get("/family").content.decode()


def test_the_receipt_has_the_cosignatures_and_meets_a_quorum(tmp_path: Path) -> None:
    teen = make_account("wren", 15)
    with transaction.atomic():
        notice = tell(teen, "report.taken")
    log, witness = sign(), witness_signer()
    text = parse_note(bytes(log.note)).text
    cosignature = cosign_text(text, 1_800_000_000, witness.verifier, witness.sign)
    note = Note(text, (*parse_note(bytes(log.note)).signatures, cosignature)).to_bytes()
    assert log.signed_at is not None
    CosignedTree.objects.create(
        origin=log.origin,
        size=log.signed_size,
        root=log.signed_root,
        note=note,
        is_met=True,
        at=log.signed_at,
    )
    policy = f"log {log.vkey}\nwitness W {witness.verifier.vkey}\nquorum W\n"
    write(3)
    sign()
    address = f"/transparency/receipt/{notice.receipt}"
    done = verify(tmp_path / "v", policy, Caller("")("GET", address).content)
    assert done.returncode == 0, done.stderr
    # What was told after that is under the log's own signature, until witnesses have cosigned.
    with transaction.atomic():
        later = tell(teen, "report.closed")
    sign()
    alone = Caller("")("GET", f"/transparency/receipt/{later.receipt}").content
    done = verify(tmp_path / "v", policy, alone)
    assert (done.returncode, "quorum" in done.stderr) == (1, True)


def test_nobody_gets_a_receipt_of_anything_else(adult: Account, reviewer: Staff) -> None:
    confirmed(adult, reviewer, "SF-1", "post-1")
    sign()
    stranger = Caller("")
    statement = Statement.objects.get()
    assert stranger("GET", f"/transparency/receipt/{uuid.uuid4()}").status_code == 404
    assert stranger("GET", f"/transparency/receipt/{statement.case_id}").status_code == 404
    assert stranger("GET", "/transparency/receipt/7").status_code in (400, 404)
    # While an account holder is kept silent, there is an entry of the statement, but no receipt.
    past_the_triggers("DELETE FROM ledger_entry WHERE kind = 'statement.told'")
    assert Entry.objects.filter(subject=str(statement), kind="statement.made").exists()
    assert stranger("GET", f"/transparency/receipt/{statement.id}").status_code == 404


def test_the_key_of_a_notice_counts_nothing() -> None:
    """It is random: whoever has two keys does not learn how many notices were made between them."""
    teen = make_account("wren", 15)
    with transaction.atomic():
        keys = [tell(teen, "report.taken").receipt for _ in range(3)]
    assert all(key is not None and key.version == 4 for key in keys)
    assert len(set(keys)) == 3
