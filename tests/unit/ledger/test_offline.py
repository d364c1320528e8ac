"""The verification of an export: what it finds, what it names, and that it goes on."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from kinward.ledger import bundle, export_files, offline
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.export_files import NotVerified, check_part, leaf_bytes
from kinward.ledger.merkle import tree_root
from kinward.ledger.offline import Verification, Verified
from kinward.ledger.proofs import ProofFile
from kinward.ledger.verifier import main, verify_files
from kinward.ledger.witness_policy import parse_policy
from tests.support.transparency import (
    COSIGNED_AT,
    LOG_VKEY,
    ORIGIN,
    WITNESS_VKEY,
    Signer,
    entry_line,
    leaf_of,
    log_signer,
    receipt,
    signed,
    witness_signer,
    write_export,
)

SMALL_PART = 512
SIZE = 1500
LINES = [entry_line(number) for number in range(SIZE)]
EARLIER = (1, 256, 300, 512, 1024, 1300)
POLICY = f"log {LOG_VKEY}\nquorum none\n"
LATER = 1400  # where history is rewritten in most tests


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (export_files, offline):
        monkeypatch.setattr(module, "PART", SMALL_PART)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    write_export(folder, LINES, earlier=EARLIER, part=SMALL_PART)
    (tmp_path / "policy").write_text(POLICY)
    return folder


def verify(
    folder: Path, receipts: list[tuple[str, ProofFile]] | None = None, policy: str = POLICY
) -> Verified:
    trusted = parse_policy(policy.encode())
    return Verification(folder, trusted, receipts=receipts or [], workers=1).run()


def rewrite(folder: Path, change: Callable[[list[str]], object], **other: object) -> None:
    """Write the export anew as somebody with the key of the log could, consistently."""
    lines = list(LINES)
    change(lines)
    fresh = folder.with_name("fresh")
    write_export(fresh, lines, earlier=EARLIER, part=SMALL_PART, **other)  # type: ignore[arg-type]
    folder.rename(folder.with_name("old"))
    fresh.rename(folder)


def test_a_whole_export_verifies(export: Path) -> None:
    found = verify(export, [("kept", receipt(LINES, 700, 1100))])
    assert (found.origin, found.size, found.opened, found.closed) == (ORIGIN, SIZE, 3 * SIZE, 0)
    assert (found.earlier, found.receipts, found.only_hashes) == (len(EARLIER), 1, False)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 513, 1024])
def test_an_export_of_any_size_verifies(tmp_path: Path, size: int) -> None:
    write_export(tmp_path / "export", LINES[:size], part=SMALL_PART)
    assert verify(tmp_path / "export").size == size


def test_what_is_withheld_or_erased_is_counted_and_proves_nothing_else(tmp_path: Path) -> None:
    lines = [entry_line(number) for number in range(20)]
    lines[3] = entry_line(3, actor=True, subject=True, data=True)
    lines[4] = entry_line(4, data=True)
    lines[0] = json.dumps({"leaf": 'kinward.chain/1\n[9,"00"]'})
    write_export(tmp_path / "export", lines, part=SMALL_PART)
    found = verify(tmp_path / "export")
    assert (found.opened, found.closed) == (60 - 3 - 1 - 3, 7)


def test_without_entries_the_hashes_are_verified(export: Path) -> None:
    for path in (export / "entries").iterdir():
        path.unlink()
    (export / "entries").rmdir()
    assert verify(export).only_hashes


def change_entry(folder: Path, number: int, line: str | None) -> None:
    """Change or remove one entry in its file, and nothing else."""
    path = folder / "entries" / f"{number // SMALL_PART:06}.jsonl"
    lines = path.read_text().splitlines()
    lines[number % SMALL_PART : number % SMALL_PART + 1] = [] if line is None else [line]
    path.write_text("".join(f"{text}\n" for text in lines))


def changed_value(number: int, name: str, value: str) -> str:
    line = json.loads(LINES[number])
    line[name][1] = value
    return json.dumps(line)


HOUR_AND_KIND: Final = ("2026-11-21T12:00:00Z", "case.opened")


def committed_to(content: list[object], salt: str) -> str:
    """Return the line of an entry with data, whose leaf has this content."""
    leaf = "kinward.entry/1\n" + json.dumps(content, separators=(",", ":"))
    return json.dumps({"leaf": leaf, "data": [salt, "{}"]})


@pytest.mark.parametrize(
    ("number", "line", "why"),
    [
        (9, entry_line(10), "Entry 9 is not the one in the tree: tile/0/000 differs"),
        (700, entry_line(0), "Entry 700 is not the one in the tree: tile/0/002 differs"),
        (SIZE - 1, entry_line(0), f"Entry {SIZE - 1} is not the one in the tree"),
        (9, changed_value(9, "actor", '"staff:alex"'), "Entry 9: actor is not what the leaf"),
        (9, changed_value(9, "subject", '"case:10"'), "Entry 9: subject is not what the leaf"),
        (9, changed_value(9, "data", "{}"), "Entry 9: data is not what the leaf"),
        (9, None, "Entry 9 is not the one in the tree"),
        (9, "not json", "Entry 9 is not JSON"),
        (9, "[]", "Entry 9 has no leaf"),
        (9, '{"leaf": 7}', "Entry 9 has no leaf"),
        (9, '{"leaf": "\\ud800"}', "The leaf of entry 9 is not text"),
        (9, '{"leaf": "x", "note": "believe me"}', "Entry 9 has fields that nothing proves"),
        (9, '{"leaf": "x", "data": ["00", "{}"]}', "The leaf of entry 9 has no commitments"),
        (9, '{"leaf": "x\\n[]", "data": ["00", "{}"]}', "has no commitments"),
        (9, committed_to([1, 2, 3, 4, 5], "00"), "has no commitments"),
        (9, committed_to(["h", "k", *[["0" * 64]] * 3], "00"), "has no commitments"),
        (9, committed_to([*HOUR_AND_KIND, *["0" * 64] * 2], "00"), "has no commitments"),
        (9, committed_to([*HOUR_AND_KIND, *["0" * 64] * 3], "00"), "data is no salt with a value"),
        (
            9,
            committed_to([*HOUR_AND_KIND, *["0" * 64] * 3], "g" * 64),
            "data is no salt with a value",
        ),
        (9, '{"leaf": "x"} {"leaf": "y"}', "Entry 9 is not one line of JSON"),
        (9, "[" * 100_000, "Entry 9 is not JSON"),
    ],
)
def test_a_changed_entry_is_named(export: Path, number: int, line: str | None, why: str) -> None:
    change_entry(export, number, line)
    with pytest.raises(NotVerified, match=why):
        verify(export)


@pytest.mark.parametrize("salt", ["0" * 60 + "    ", "A" * 64, "\u0661" * 64, "0" * 63])
def test_a_salt_has_one_form(export: Path, salt: str) -> None:
    change_entry(export, 9, committed_to([*HOUR_AND_KIND, *["0" * 64] * 3], salt))
    with pytest.raises(NotVerified, match="data is no salt with a value"):
        verify(export)


def test_a_file_that_cannot_be_read_at_all_is_said(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "trusted"
    policy.write_text(POLICY)
    (export / "rotations.jsonl").unlink(missing_ok=True)
    (export / "rotations.jsonl").symlink_to("x" * 300)
    assert main([str(export), "--policy", str(policy), "--quiet"]) == 1
    assert "Not verified: a file cannot be read. OSError" in capsys.readouterr().err


def test_swapped_missing_and_added_entries_are_named(export: Path) -> None:
    path = export / "entries" / "000001.jsonl"
    whole = path.read_text()
    lines = whole.splitlines(keepends=True)
    path.write_text("".join([*lines[:5], lines[6], lines[5], *lines[7:]]))
    with pytest.raises(NotVerified, match=f"Entry {SMALL_PART + 5} is not the one in the tree"):
        verify(export)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(NotVerified, match="Entry 1023 is missing"):
        verify(export)
    path.write_text(whole + lines[0])
    with pytest.raises(NotVerified, match="entries beyond the size"):
        verify(export)
    path.unlink()
    with pytest.raises(NotVerified, match=r"000001\.jsonl cannot be read"):
        verify(export)


def test_without_the_key_no_rewriting_verifies(export: Path) -> None:
    """Entries, tiles and earlier checkpoints are made anew. Only the true checkpoint is signed."""
    true = (export / "checkpoint").read_bytes()
    rewrite(export, lambda lines: lines.pop(9), log=Signer(ORIGIN, 0x50))
    with pytest.raises(NotVerified, match="No known key signed"):
        verify(export)
    (export / "checkpoint").write_bytes(true)
    (export / "checkpoints.jsonl").unlink()
    with pytest.raises(NotVerified):
        verify(export)


def test_with_the_key_a_receipt_shows_who_rewrote(export: Path) -> None:
    kept = receipt(LINES, 3, 1100)
    rewrite(export, lambda lines: lines.__setitem__(9, entry_line(5000)))
    assert verify(export).size == SIZE, "the key of the log alone can rewrite"
    with pytest.raises(
        NotVerified,
        match=r"At size 1100 the log has another root than the receipt kept, which it signed\. "
        r"The largest smaller size that agrees is 1024\.",
    ):
        verify(export, [("kept", kept)])


def test_with_the_key_an_old_checkpoint_shows_where_history_parts(export: Path) -> None:
    notes = (export / "checkpoints.jsonl").read_text()
    rewrite(export, lambda lines: lines.__setitem__(290, entry_line(5000)))
    (export / "checkpoints.jsonl").write_text(notes)
    with pytest.raises(NotVerified, match=r"At size 300 .* smaller size that agrees is 256"):
        verify(export)


def test_a_receipt_of_an_entry_that_was_replaced_names_it(export: Path) -> None:
    kept = receipt(LINES, LATER, SIZE)
    rewrite(export, lambda lines: lines.__setitem__(LATER, entry_line(5000)))
    with pytest.raises(NotVerified, match=f"Entry {LATER} is not the one that the receipt kept"):
        verify(export, [("kept", kept)])


def test_a_shrunk_log_does_not_satisfy_a_receipt(export: Path) -> None:
    kept = receipt(LINES, 3, SIZE)
    rewrite(export, lambda lines: lines.__delitem__(slice(1400, None)))
    with pytest.raises(NotVerified, match=r"log of 1500 entries\. This export has only 1400"):
        verify(export, [("kept", kept)])


def test_a_receipt_of_a_stranger_is_refused(export: Path) -> None:
    same = receipt(LINES, 3, 100, Signer(ORIGIN, 9))
    with pytest.raises(NotVerified, match=r"The receipt kept: No known key.* give its --rotations"):
        verify(export, [("kept", same)])
    other = receipt(LINES, 3, 100, Signer("other.example/log", 9))
    with pytest.raises(NotVerified, match="The receipt kept is of another log"):
        verify(export, [("kept", other)])
    policy = f"log {Signer('other.example/log', 9).verifier.vkey}\n{POLICY}"
    with pytest.raises(NotVerified, match="of another log"):
        verify(export, [("kept", other)], policy)


def test_a_quorum_is_asked_of_the_export(export: Path) -> None:
    policy = f"log {LOG_VKEY}\nwitness w {WITNESS_VKEY}\nquorum w\n"
    with pytest.raises(
        NotVerified, match="The checkpoint of the export: Of the 1 known witnesses 0"
    ):
        verify(export, policy=policy)
    rewrite(export, lambda lines: None, witnesses=[witness_signer()])
    found = verify(export, policy=policy)
    assert found.cosigned_by == (("witness.example/w1", COSIGNED_AT),)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("tile/0/003", "Entry 768 is not the one in the tree: tile/0/003 differs"),
        ("tile/0/005.p/220", "Entry 1280 is not the one in the tree"),
        ("tile/1/000.p/5", r"tile/1/000\.p/5 does not follow from the tiles below"),
    ],
)
def test_a_changed_or_missing_tile_is_named(export: Path, path: str, why: str) -> None:
    data = (export / path).read_bytes()
    (export / path).write_bytes(bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(NotVerified, match=why):
        verify(export)
    (export / path).write_bytes(data[:-1])
    with pytest.raises(NotVerified, match="does not have"):
        verify(export)
    (export / path).unlink()
    with pytest.raises(NotVerified, match="cannot be read"):
        verify(export)


def test_earlier_checkpoints_are_read_strictly(export: Path) -> None:
    path = export / "checkpoints.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    for text, why in (
        (lines[1] + lines[0], "not in the order"),
        ("7\n", "no JSON string"),
        ("{\n", "not JSON"),
        ('"note"\n', "An earlier checkpoint, above size 0: A note has a text"),
        (json.dumps(signed(Checkpoint(ORIGIN, 9999, bytes(32)), log_signer()).decode()), "order"),
    ):
        path.write_text(text)
        with pytest.raises(NotVerified, match=why):
            verify(export)


def test_two_checkpoints_of_one_size_must_agree(export: Path) -> None:
    path = export / "checkpoints.jsonl"
    fork = signed(Checkpoint(ORIGIN, 300, tree_root([leaf_of(LINES[0])] * 300)), log_signer())
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], json.dumps(fork.decode()) + "\n", *lines[3:]]))
    with pytest.raises(NotVerified, match=r"At size 300 .* an earlier checkpoint"):
        verify(export)


def test_a_verification_goes_on_where_it_stopped(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[int] = []

    def stopping(folder: Path, number: int, size: int) -> export_files.Part:
        if number == 2 and 2 not in checked:
            checked.append(number)
            raise KeyboardInterrupt
        checked.append(number)
        return check_part(folder, number, size)

    monkeypatch.setattr(offline, "check_part", stopping)
    policy = parse_policy(POLICY.encode())

    def again(receipts: list[tuple[str, ProofFile]]) -> Verified:
        state = tmp_path / "state"
        return Verification(export, policy, receipts=receipts, state=state, workers=1).run()

    with pytest.raises(KeyboardInterrupt):
        again([])
    found = again([])
    assert checked == [0, 1, 2, 2]
    assert (found.size, found.opened, found.earlier) == (SIZE, 3 * SIZE, len(EARLIER))
    # With other files to agree with, it begins anew: also with a state that cannot be read.
    again([("kept", receipt(LINES, 3, 100))])
    assert checked[4:] == [0, 1, 2]
    (tmp_path / "state").write_text("{}")
    again([])
    assert checked[7:] == [0, 1, 2]


def test_an_entry_with_a_name_twice_shows_nothing(export: Path) -> None:
    """Of two values a reader takes the first, and the check would take the last."""
    line = LINES[3].strip()
    twice = line.replace('"data":', '"data":["00","false"],"data":', 1)
    assert twice != line
    with pytest.raises(NotVerified, match="Entry 3 is not JSON"):
        leaf_bytes(3, twice.encode())


def test_the_command_says_what_it_found(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = ["--policy", str(tmp_path / "policy")]
    (tmp_path / "kept.tlog-proof").write_bytes(receipt(LINES, 3, 100).to_bytes())
    kept = ["--receipt", str(tmp_path / "kept.tlog-proof")]
    assert main([str(export), *policy, "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"ok: 1,500 entries of {ORIGIN}.\n  4,500 values are shown and right.")
    assert "Whoever has the key of the log can have rewritten it" in out
    assert "1,024 of 1,500 entries" in err
    assert main([str(export), *policy, *kept, "--workers", "1", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert ("Receipts that agree: 1." in out, "rewritten" in out, err) == (True, False, "")
    change_entry(export, 9, entry_line(10))
    assert main([str(export), *policy, "--workers", "1", "--quiet"]) == 1
    assert capsys.readouterr().err.startswith("Not verified: Entry 9 is not the one in the tree")
    assert main(policy) == 1
    assert "Name an export, a receipt" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([str(export), *policy, "--workers", "0"])


def test_a_checkpoint_that_somebody_kept_shows_who_rewrote(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "theirs"
    kept.write_bytes(receipt(LINES, 3, 1100).checkpoint)
    command = [str(export), "--policy", str(tmp_path / "policy"), "--workers", "1", "--quiet"]
    command += ["--checkpoint", str(kept)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert ("Checkpoints of yours that agree: 1." in out, "rewritten" in out) == (True, False)
    assert main(command[1:]) == 1
    assert "Name an export, a receipt" in capsys.readouterr().err
    rewrite(export, lambda lines: lines.__setitem__(9, entry_line(5000)))
    assert main(command) == 1
    assert "has another root than the checkpoint theirs, which" in capsys.readouterr().err
    rewrite_to = (
        (receipt(LINES, 3, 100, Signer(ORIGIN, 9)).checkpoint, "No known key"),
        (receipt(LINES, 3, 100, Signer("other.example/log", 9)).checkpoint, "of another log"),
        (b"no note", "The checkpoint theirs: "),
        (b"x" * 300_000, "theirs"),
        (receipt([*LINES, *LINES], 3, SIZE + 1).checkpoint, "This export has only 1500"),
    )
    for note, why in rewrite_to:
        kept.write_bytes(note)
        assert main(command) == 1
        assert why in capsys.readouterr().err


def test_a_state_is_of_the_checkpoints_that_somebody_kept(export: Path, tmp_path: Path) -> None:
    """Else a run that went past one would never compare it."""
    state = tmp_path / "state"
    policy = parse_policy(POLICY.encode())
    Verification(export, policy, state=state, workers=1).run()
    rewritten = [*LINES[:9], entry_line(5000), *LINES[10:]]
    kept = [("theirs", receipt(rewritten, 20, 100).checkpoint)]
    with pytest.raises(NotVerified, match="At size 100 the log has another root"):
        Verification(export, policy, kept=kept, state=state, workers=1).run()


def test_a_receipt_is_verified_alone(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy"
    kept = tmp_path / "kept.tlog-proof"
    proof = receipt(LINES, 3, 100)
    kept.write_bytes(proof.to_bytes())
    lines = verify_files(None, policy, [kept])
    assert lines[0] == f"ok: kept.tlog-proof shows entry 3 of {ORIGIN}, in a log of 100 entries."
    # Another entry than that of the proof, from a file or from the data that nobody signed.
    (tmp_path / "entry").write_text(LINES[4])
    with pytest.raises(NotVerified, match="leads to another root"):
        verify_files(None, policy, [kept], entry_file=tmp_path / "entry")
    kept.write_bytes(ProofFile(3, proof.hashes, proof.checkpoint).to_bytes())
    with pytest.raises(NotVerified, match="has no entry in it"):
        verify_files(None, policy, [kept])
    (tmp_path / "entry").write_text(LINES[3])
    assert verify_files(None, policy, [kept], entry_file=tmp_path / "entry")[0] == lines[0]
    kept.write_text("nothing")
    with pytest.raises(NotVerified, match=r"The receipt kept\.tlog-proof: A proof begins"):
        verify_files(None, policy, [kept])


def test_the_one_file_needs_nothing_of_ours() -> None:
    tree = ast.parse(bundle.verifier_text())
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    roots = {name.split(".")[0] for name in imported}
    assert roots - {"cryptography"} <= sys.stdlib_module_names
    names = [
        name
        for node in tree.body
        for name in (
            [node.name]
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            else [target.id for target in targets(node)]
        )
    ]
    assert len(names) == len(set(names)), "two modules use one name"


def targets(node: ast.stmt) -> list[ast.Name]:
    found = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target for target in found if isinstance(target, ast.Name)]


def test_the_one_file_verifies_with_processes_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    lines = [json.dumps({"leaf": f"entry {number}"}) for number in range(65_536 + 300)]
    write_export(tmp_path / "export", lines, earlier=(70, 65_600))
    (tmp_path / "policy").write_text(POLICY)
    (tmp_path / "verify.py").write_text(bundle.verifier_text())
    command = [
        sys.executable,
        "-I",
        "verify.py",
        "export",
        "--policy=policy",
        "--workers=2",
        "--state=state",
    ]

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )

    done = run()
    assert (done.returncode, done.stdout[:22]) == (0, "ok: 65,836 entries of "), done.stderr
    tile = tmp_path / "export" / "tile" / "0" / "256"
    data = tile.read_bytes() if tile.exists() else b""
    assert data, sorted(path.name for path in tile.parent.iterdir())[-3:]
    tile.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    done = run()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Not verified: Entry 65536 is not the one in the tree"), (
        done.stderr
    )


def test_kinward_verifies_an_export_without_a_database(export: Path, tmp_path: Path) -> None:
    environment = os.environ | {"KINWARD_DATA_DIR": str(tmp_path / "nothing")}
    environment.pop("KINWARD_DATABASE_URL", None)
    folder = tmp_path / "whole"
    write_export(folder, LINES)

    def kinward(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "kinward", "ledger", "verify", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    policy = f"--policy={tmp_path / 'policy'}"
    done = kinward("--offline", str(folder), policy)
    assert (done.returncode, done.stdout[:21]) == (0, "ok: 1,500 entries of "), done.stderr
    assert "\n  4,500 values are shown and right." in done.stdout, "and no space is shown as hidden"
    assert not (tmp_path / "nothing" / "postgres").exists()
    change_value = folder / "entries" / "000000.jsonl"
    change_value.write_text(change_value.read_text().replace("robin", "alex", 1))
    done = kinward("--offline", str(folder), policy)
    assert done.returncode == 1
    assert done.stdout.startswith("Not verified: Entry 0: actor is not what the leaf commits to")
    assert "--policy FILE" in kinward("--offline", str(folder)).stderr
