"""What is given away is verified by a file that knows nothing of Kinward's database."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from kinward.cli.ledger import export, prove
from kinward.ground.errors import NotFound
from kinward.ledger.checkpoints import parse_checkpoint
from kinward.ledger.exporting import NotSignedYet, export_log, prove_entry, read_tile
from kinward.ledger.merkle import tree_root
from kinward.ledger.models import Leaf, Log
from kinward.ledger.notes import parse_note
from kinward.ledger.sequencing import sequence_all
from kinward.ledger.signing import publish_checkpoint
from kinward.ledger.tiles import tiles_of
from tests.integration.cli.test_commands import run
from tests.support.ledgers import past_the_triggers, write

pytestmark = pytest.mark.django_db(transaction=True)


def signed() -> Log:
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET signed_at = %s", None)
    assert publish_checkpoint() is not None
    return Log.objects.get()


def policy(folder: Path, log: Log) -> Path:
    path = folder / "policy"
    path.write_text(f"log {log.vkey}\nquorum none\n")
    return path


def verify(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the exported verifier in a Python that finds none of our modules."""
    command = [sys.executable, "-I", str(folder / "verify.py"), *arguments, "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_an_export_verifies_without_kinward(tmp_path: Path) -> None:
    numbers = write(3)
    signed()
    numbers += write(300, together=True)
    log = signed()
    folder = tmp_path / "export"
    run(export, str(folder))
    trust = policy(tmp_path, log)
    done = verify(folder, str(folder), "--policy", str(trust))
    assert done.returncode == 0, done.stderr
    assert "303" in done.stdout
    receipt = tmp_path / "9.tlog-proof"
    receipt.write_text(run(prove, str(numbers[9]), "--open"))
    alone = verify(folder, "--policy", str(trust), "--receipt", str(receipt))
    assert alone.returncode == 0, alone.stderr

    # A value that was changed is named.
    path = folder / "entries" / "000000.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    entry = json.loads(lines[7])
    entry["actor"][1] = '"system:tesu"'
    lines[7] = json.dumps(entry) + "\n"
    path.write_text("".join(lines))
    done = verify(folder, str(folder), "--policy", str(trust))
    assert done.returncode == 1
    assert "ntry 7" in done.stderr


def test_hashes_alone_verify_and_say_nothing(tmp_path: Path) -> None:
    write(5)
    log, folder = signed(), tmp_path / "export"
    export_log(folder, opened=False, progress=lambda done: None)
    done = verify(folder, str(folder), "--policy", str(policy(tmp_path, log)))
    assert done.returncode == 0, done.stderr
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "verify.py":
            assert b"thing:" not in path.read_bytes()


def test_what_is_not_signed_is_not_proved() -> None:
    write(1)
    signed()
    (later,) = write(1)
    with pytest.raises(NotSignedYet):
        prove_entry(later)
    sequence_all()
    with pytest.raises(NotSignedYet):
        prove_entry(later)
    with pytest.raises(NotFound):
        prove_entry(10**12)
    signed()
    assert prove_entry(later).index == 1
    assert timezone.now() is not None


def test_tiles_are_those_of_what_is_shown() -> None:
    write(260, together=True)
    log = signed()
    write(5, together=True)
    sequence_all()
    hashes = [bytes(leaf) for leaf in Leaf.objects.values_list("hash", flat=True)[:260]]
    assert read_tile("tile/0/000") == b"".join(hashes[:256])
    assert read_tile("tile/0/001.p/4") == b"".join(hashes[256:])
    assert read_tile("tile/0/001.p/1") == hashes[256]
    assert read_tile("tile/1/000.p/1") == tree_root(hashes[:256])
    past_the_triggers("DELETE FROM ledger_tile WHERE level = 1")
    assert read_tile("tile/1/000.p/1") == b"", "nobody's error: `verify` names it"
    assert {tile.path for tile in tiles_of(260)} == {
        "tile/0/000",
        "tile/0/001.p/4",
        "tile/1/000.p/1",
    }
    for path in ("tile/0/001.p/5", "tile/0/001", "tile/1/000", "tile/0/0", "tile/64/000", "x"):
        with pytest.raises(NotFound):
            read_tile(path)
    assert parse_checkpoint(parse_note(bytes(log.note)).text).size == 260
