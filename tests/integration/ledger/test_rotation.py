"""The key of the log changes: two people, two signatures, and the retired key counts no more."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import Error, connection, transaction

from kinward.access.agreement import AlreadyDecided
from kinward.access.glass import BreakGlass
from kinward.access.log_key import LogKeyChange, decide_log_key, request_log_key
from kinward.access.models import BrokenGlass
from kinward.cli.doctor.ledger import check_ledger_key
from kinward.cli.main import cli
from kinward.ground.errors import Forbidden, Invalid
from kinward.ledger import NotVerified, signers, signing, verify_files
from kinward.ledger.exporting import KeyChanges, export_log, prove_entry
from kinward.ledger.models import Log, LogRotation, SignedTree
from kinward.ledger.notes import Verifier, open_note, parse_note
from kinward.ledger.rotating import OtherKey, begin_rotation
from kinward.ledger.sequencing import begin_again, sequence_all
from kinward.ledger.signers import log_signer
from kinward.ledger.signing import publish_checkpoint
from kinward.ledger.verification import verify_ledger
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.support import golang
from tests.support.ledgers import past_the_triggers, write
from tests.support.rotated import (
    ANNA,
    BO,
    Insider,
    ask_and_agree,
    grow,
    key_file,
    publish,
    rotate,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(tmp_path: Path, configure: Configure) -> Path:
    return key_file(tmp_path, configure)


def signers_of(note: bytes, *vkeys: str) -> set[str]:
    """Which of some keys signed a note."""
    return {who.vkey for who, _ in open_note(note, map(Verifier.parse, vkeys)).verified}


def export(folder: Path) -> Path:
    export_log(folder, opened=True, progress=lambda done: None)
    return folder


def policy(path: Path, *vkeys: str) -> Path:
    path.write_text("".join(f"log {vkey}\n" for vkey in vkeys) + "quorum none\n")
    return path


def verify(folder: Path, policy_file: Path, **more: Any) -> str:
    return verify_files(folder, policy_file, workers=1, quiet=True, **more)[0]


def test_both_keys_sign_once_and_then_the_new_one_alone(key: Path, tmp_path: Path) -> None:
    grow(3)
    before = Log.objects.get().vkey
    first = key.read_text()
    change = rotate()
    handover = Log.objects.get()
    assert handover.vkey == change.after != before
    assert signers_of(bytes(handover.note), before, change.after) == {before, change.after}
    # The next key is in the place of the one before, which is nowhere any more.
    assert key.read_text() != first
    assert sorted(path.name for path in key.parent.glob("key*")) == ["key"]
    grow(2)
    newest = Log.objects.get()
    assert len(parse_note(bytes(newest.note)).signatures) == 1
    assert signers_of(bytes(newest.note), before, change.after) == {change.after}
    assert verify_ledger().ok
    rotation = LogRotation.objects.get()
    assert (rotation.size, bytes(rotation.note)) == (handover.signed_size, bytes(handover.note))
    # Whoever trusts any of the keys can verify all of it, and so can Go with the first one.
    folder = export(tmp_path / "export")
    for number, trusted in enumerate([(before,), (change.after,), (before, change.after)]):
        told = verify(folder, policy(tmp_path / f"policy{number}", *trusted))
        assert told.startswith(f"ok: {newest.signed_size} entries")
    if golang.find_go():
        none: dict[str, Any] = {"inclusion": [], "consistency": []}
        judged = golang.judge(golang.build(tmp_path), before, folder, none)
        assert judged.endswith("0 consistency proofs, 1 changes of the key")
    else:
        golang.say_that_go_is_missing()


def test_the_key_changes_again_and_again(key: Path, tmp_path: Path) -> None:
    grow(1)
    first = Log.objects.get().vkey
    for _ in range(3):
        rotate()
        grow(1)
    assert LogRotation.objects.count() == 3
    assert verify_ledger().ok
    told = verify(export(tmp_path / "export"), policy(tmp_path / "policy", first))
    assert told.startswith("ok: ")
    lines = Caller("")("GET", "/transparency/rotations").text.splitlines()
    assert len(lines) == 3
    assert "operator:" not in json.loads(lines[0]), "not who did it"
    assert CliRunner().invoke(cli, ["ledger", "rotations"]).output.splitlines() == lines


def test_it_takes_two_people(key: Path) -> None:
    with pytest.raises(Invalid, match="Nothing is signed yet"):
        request_log_key(staff=ANNA)
    grow(1)
    change = request_log_key(staff=ANNA)
    with pytest.raises(AlreadyDecided, match="A request is open"):
        request_log_key(staff=BO)
    with pytest.raises(Forbidden, match="another person decides"):
        decide_log_key(change_id=change.pk, approve=True, staff=ANNA)
    assert not LogRotation.objects.exists()
    decide_log_key(change_id=change.pk, approve=False, staff=BO)
    assert not LogRotation.objects.exists()
    # Alone it is an alarm, until somebody else has looked at it.
    change = request_log_key(staff=ANNA)
    glass = BreakGlass(ANNA, "The key was on a laptop that is lost.")
    decide_log_key(change_id=change.pk, approve=True, staff=glass)
    assert BrokenGlass.objects.get().reviewed_at is None
    publish()
    assert Log.objects.get().vkey == change.after
    assert verify_ledger().ok


def test_the_command_asks_and_says_the_new_key(key: Path) -> None:
    grow(1)
    done = CliRunner().invoke(cli, ["ledger", "rotate"])
    change = LogKeyChange.objects.get()
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == change.after
    assert "Another person must approve it: another operator with `kinward agree" in done.output
    assert change.state == "asked"
    assert not LogRotation.objects.exists()


def test_while_it_changes_nothing_else_does(key: Path, tmp_path: Path) -> None:
    grow(1)
    change = ask_and_agree()
    with pytest.raises(Invalid, match="The key changes already"):
        request_log_key(staff=ANNA)
    sequence_all()
    rotation = LogRotation.objects.get()
    for statement in (
        "UPDATE ledger_logrotation SET after = before",
        "DELETE FROM ledger_logrotation",
        "TRUNCATE ledger_logrotation",
    ):
        with pytest.raises(Error, match="refused"), connection.cursor() as cursor:
            cursor.execute(statement)
    publish()
    rotation.refresh_from_db()
    with pytest.raises(Error, match="refused"):
        rotation.save()
    with pytest.raises(Invalid, match="has been one of the log before"), transaction.atomic():
        begin_rotation(after=change.before, actor=ANNA)


# --- whoever has kept the retired key ---


@pytest.fixture
def insider(key: Path) -> Insider:
    """Somebody with the key before, after it was retired. The log goes on with another one."""
    grow(3)
    insider = Insider(key)
    rotate()
    return insider


def test_a_checkpoint_by_a_retired_key_is_named(insider: Insider) -> None:
    tree = grow(2)
    retired_at = LogRotation.objects.get().size
    past_the_triggers(
        "UPDATE ledger_signedtree SET note = %s, vkey = %s WHERE size = %s",
        insider.note(tree.size, tree.root),
        insider.vkey,
        tree.size,
    )
    why = verify_ledger().why
    assert f"was retired at size {retired_at}, and somebody signed a log of {tree.size}" in why


@pytest.mark.parametrize("statement", ["DELETE FROM ledger_logrotation", ""])
def test_the_database_cannot_bring_a_retired_key_back(insider: Insider, statement: str) -> None:
    tree = grow(2)
    note = insider.note(tree.size, tree.root)
    past_the_triggers("UPDATE ledger_log SET vkey = %s, note = %s", insider.vkey, note)
    past_the_triggers("DELETE FROM ledger_signedtree")
    if statement:
        past_the_triggers(statement)
    found = verify_ledger()
    assert not found.ok
    assert "key" in found.why
    with pytest.raises(OtherKey):
        write(1)
        publish()


def test_an_export_that_goes_on_with_the_retired_key_is_refused(
    insider: Insider, tmp_path: Path
) -> None:
    tree = grow(2)
    new = Log.objects.get().vkey
    end = LogRotation.objects.get().size
    folder = export(tmp_path / "export")
    (folder / "checkpoint").write_bytes(insider.note(tree.size, tree.root))
    (folder / "checkpoints.jsonl").write_text("")
    old_policy = policy(tmp_path / "old", insider.vkey)
    with pytest.raises(NotVerified, match=f"was retired at size {end}, and somebody signed"):
        verify(folder, old_policy)
    kept = tmp_path / "kept"
    kept.write_bytes((folder / "rotations.jsonl").read_bytes())
    # They leave out that the key has changed. The entry about it is in the tree.
    (folder / "rotations.jsonl").unlink()
    with pytest.raises(NotVerified, match=r"Entry \d changes the key of the log, and the export"):
        verify(folder, old_policy)
    with pytest.raises(NotVerified, match=f"was retired at size {end}"):
        verify(folder, old_policy, rotations_file=kept)
    with pytest.raises(NotVerified, match=r"No log of the policy signed|No known key signed"):
        verify(folder, policy(tmp_path / "new", new))
    with pytest.raises(NotVerified, match=r"names 2 keys .* and no rotation says which"):
        verify(folder, policy(tmp_path / "both", insider.vkey, new))
    if golang.find_go():
        none: dict[str, Any] = {"inclusion": [], "consistency": []}
        (folder / "rotations.jsonl").write_bytes(kept.read_bytes())
        judged = golang.judge(golang.build(tmp_path), insider.vkey, folder, none)
        assert judged.startswith("refused: "), judged


def test_the_retired_key_alone_moves_no_rotation(insider: Insider, tmp_path: Path) -> None:
    tree = grow(2)
    folder = export(tmp_path / "export")
    path = folder / "rotations.jsonl"
    head, _, _note = json.loads(path.read_text()).partition("\n\n")
    moved = head + "\n\n" + insider.note(tree.size, tree.root).decode()
    path.write_text(json.dumps(moved) + "\n")
    for vkey in (insider.vkey, Log.objects.get().vkey):
        with pytest.raises(NotVerified, match="not signed by both keys"):
            verify(folder, policy(tmp_path / "policy", vkey))


def test_a_receipt_by_the_retired_key_counts_up_to_its_end(
    insider: Insider, tmp_path: Path
) -> None:
    handover = LogRotation.objects.get()
    good = tmp_path / "good.tlog-proof"
    number = write(1)[0]
    tree = publish()
    proof = prove_entry(number, opened=True)
    folder = export(tmp_path / "export")
    rotations = folder / "rotations.jsonl"
    good.write_bytes(proof.to_bytes())
    trusted = policy(tmp_path / "policy", insider.vkey)
    assert verify_files(None, trusted, [good], rotations_file=rotations)[0].startswith("ok: ")
    with pytest.raises(NotVerified, match="No known key signed this note"):
        verify_files(None, trusted, [good])
    bad = tmp_path / "bad.tlog-proof"
    forged = insider.note(tree.size, tree.root)
    bad.write_bytes(proof.to_bytes().partition(b"\n\n")[0] + b"\n\n" + forged)
    with pytest.raises(NotVerified, match=f"was retired at size {handover.size}"):
        verify_files(None, trusted, [bad], rotations_file=rotations)


# --- killed, lost, and at another place ---


def killed(*_: object, **__: object) -> Any:
    raise KeyboardInterrupt


def at_the_key(then: Callable[[], Any]) -> Callable[[Path, Path], Path]:
    """A `Path.replace` in which something happens as the next key is put into its place."""
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        return then() if self.name == "key.next" else real(self, target)

    return replace


@pytest.mark.parametrize(
    ("where", "name", "then"),
    [
        (signing, "keep", killed),
        (signing, "_show", killed),
        (signing, "hand_over", killed),
        (signing, "adopt_next_key", killed),
        (Path, "replace", at_the_key(killed)),
    ],
    ids=["before the file", "after the file", "in the row", "after the row", "at the key"],
)
def test_killed_midway_either_key_works_and_nothing_is_lost(
    key: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, then: Any
) -> None:
    grow(3)
    before = Log.objects.get().vkey
    change = ask_and_agree()
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET signed_at = NULL")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(where, name, then)
        publish_checkpoint()
    shown = Log.objects.get()
    assert shown.vkey in {before, change.after}
    assert verify_ledger().ok
    log_signer.cache_clear()  # another process
    tree = grow(1)
    after = Log.objects.get()
    assert (after.vkey, after.signed_size) == (change.after, tree.size)
    assert not key.with_name("key.next").exists()
    grow(1)
    assert verify_ledger().ok


def test_a_worker_that_still_has_the_key_before_in_memory_goes_on(key: Path) -> None:
    grow(1)
    stale = log_signer()
    rotate()
    signers.log_signer.cache_clear()
    original = signers._load
    calls: list[str] = []

    def load(setting: str) -> Any:
        calls.append(setting)
        return stale if len(calls) == 1 else original(setting)

    signers._load, grown = load, None
    try:
        grown = grow(1)
    finally:
        signers._load = original
    assert grown is not None
    assert len(calls) == 2
    assert verify_ledger().ok


def test_without_the_next_key_the_one_before_signs_on(key: Path, tmp_path: Path) -> None:
    grow(1)
    before = Log.objects.get().vkey
    ask_and_agree()
    lost = key.with_name("key.next")
    lost.unlink()
    publish()
    grow(1)
    assert Log.objects.get().vkey == before
    assert check_ledger_key().level == "warning"
    assert "waits for its next key" in check_ledger_key().text
    with pytest.raises(KeyChanges):
        export(tmp_path / "early")
    # A file with something else in it is no key either.
    lost.write_text("nothing")
    grow(1)
    assert Log.objects.get().vkey == before
    # Another one takes its place.
    change = rotate()
    assert Log.objects.get().vkey == change.after
    assert verify_ledger().ok
    folder = export(tmp_path / "export")
    assert verify(folder, policy(tmp_path / "policy", before)).startswith("ok: ")


def test_a_key_elsewhere_is_named_by_settings(
    key: Path, tmp_path: Path, configure: Configure
) -> None:
    other = tmp_path / "elsewhere"
    other.write_text("08" * 32)
    configure(ledger_signer_next=f"file:{other}")
    grow(1)
    change = rotate()
    grow(1)
    assert Log.objects.get().vkey == change.after
    assert key.read_text() == "07" * 32, "nobody touches what a setting names"
    assert "Set KINWARD_LEDGER_SIGNER to what" in check_ledger_key().text
    configure(ledger_signer=f"file:{other}", ledger_signer_next="")
    grow(1)
    assert verify_ledger().ok
    configure(ledger_signer="file")
    assert "it is not here. Bring it back" in check_ledger_key().text
    with pytest.raises(OtherKey):
        grow(1)
    assert "the key here is another one" in verify_ledger().why


def test_a_key_in_the_environment_cannot_be_followed_by_itself(
    key: Path, configure: Configure
) -> None:
    grow(1)
    configure(ledger_key_file="", ledger_key="07" * 32)
    with pytest.raises(Invalid, match="KINWARD_LEDGER_SIGNER_NEXT"):
        request_log_key(staff=ANNA)


def test_a_restore_in_the_middle_begins_another_log(key: Path, tmp_path: Path) -> None:
    grow(1)
    ask_and_agree()
    sequence_all()
    begin_again()
    publish()
    grow(1)
    vkey = Log.objects.get().vkey
    assert verify_ledger().ok
    folder = export(tmp_path / "export")
    assert verify(folder, policy(tmp_path / "policy", vkey)).startswith("ok: ")


def test_who_owns_the_database_signs_nothing_with_a_key_of_their_own(
    key: Path, tmp_path: Path
) -> None:
    tree = grow(4)
    own = tmp_path / "own"
    own.write_text("66" * 32)
    stranger = Insider(own)
    note = stranger.note(tree.size, tree.root)
    past_the_triggers("UPDATE ledger_log SET vkey = %s, note = %s", stranger.vkey, note)
    past_the_triggers("UPDATE ledger_signedtree SET vkey = %s, note = %s", stranger.vkey, note)
    assert "the key here is another one" in verify_ledger().why
    # Without any key at hand, the walk says what it could not see.
    key.unlink()
    log_signer.cache_clear()
    found = verify_ledger()
    assert (found.ok, found.with_key) == (True, False)
    assert "The key of the log is not here" in CliRunner().invoke(cli, ["ledger", "verify"]).output


def test_a_real_kill_while_the_file_is_replaced_leaves_a_whole_key(key: Path) -> None:
    """A process that is really killed: the file is the one or the other, never half of it."""
    grow(1)
    change = ask_and_agree()
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET signed_at = NULL")
    connection.close()

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:  # pragma: no cover - ends by the signal
        try:
            Path.replace = at_the_key(die)  # type: ignore[method-assign,assignment]
            publish_checkpoint()
        finally:
            os._exit(9)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    log_signer.cache_clear()
    grow(1)
    assert verify_ledger().ok
    assert Log.objects.get().vkey == change.after
    assert SignedTree.objects.exists()
