"""An authority says when a checkpoint was there, and only what it really signed counts."""

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.utils import timezone

from kinward.cli.doctor.ledger import check_timestamps
from kinward.cli.main import cli
from kinward.ground.calls_out import Limits
from kinward.ground.errors import NotInstalled, SettingWrong
from kinward.ledger import stamping, timestamps
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.export_files import NotVerified
from kinward.ledger.exporting import export_log
from kinward.ledger.models import HolderWord, Log, StampedTree
from kinward.ledger.stamping import stamp_newest
from kinward.ledger.timestamps import NotStamped, read_roots, verify_stamp
from kinward.ledger.verification import verify_ledger
from kinward.ledger.verifier import verify_files
from tests.integration.conftest import Configure
from tests.integration.ledger.test_exporting import policy, verify
from tests.support.authorities import REPLY, Authority, answers
from tests.support.rotated import grow
from tests.support.strangers import Stranger, drips, sends_ten_gb, stranger

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not (shutil.which("openssl") or os.environ.get("CI") == "true"),
        reason="OpenSSL is the authority, and in CI it has to be there",
    ),
]
Behaviour = Callable[[Stranger], None]
Told = dict[str, str]


def later(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def ask(authority: Authority, configure: Configure) -> Iterator[Callable[[Behaviour], Any]]:
    """Start an authority that behaves so, and trust the real one."""
    with ExitStack() as stack:

        def start(behave: Behaviour) -> Any:
            other = stack.enter_context(stranger(behave))
            stack.callback(other.over.set)
            configure(ledger_tsa_url=f"{other.url}/tsa", ledger_tsa_roots=str(authority.roots))
            return other

        yield start


def text_of(log: Log) -> bytes:
    return Checkpoint(log.origin, log.signed_size, bytes(log.signed_root)).text.encode()


def test_it_is_off_and_nothing_is_asked() -> None:
    grow(1)
    assert stamp_newest() is None
    assert check_timestamps().level == "ok"
    assert not HolderWord.objects.exists()


def test_the_newest_checkpoint_is_stamped_once_an_hour_and_openssl_agrees(
    authority: Authority, ask: Callable[[Behaviour], Any], tmp_path: Path
) -> None:
    other = ask(answers(authority))
    assert stamp_newest() is None, "nothing is signed"
    grow(3)
    assert "has not been asked yet" in check_timestamps().text
    assert stamp_newest() is not None
    tree = StampedTree.objects.get()
    assert (tree.size, bytes(tree.root)) == (3, bytes(Log.objects.get().signed_root))
    data = text_of(Log.objects.get())
    assert "Verification: OK" in authority.verify(data, bytes(tree.response))
    grow(1)
    assert stamp_newest(later(30)) is None, "too soon"
    assert stamp_newest(later(61)) is not None
    assert stamp_newest(later(200)) is None, "nothing is new"
    assert other.asked == StampedTree.objects.count() == 2
    found = verify_ledger()
    assert (found.ok, found.stamps.verified) == (True, 2)
    assert check_timestamps().level == "ok"
    told = CliRunner().invoke(cli, ["ledger", "verify"]).output
    assert "Timestamps of an authority that fit: 2." in told
    # Whoever gets an export can verify them with OpenSSL.
    export_log(tmp_path / "export", opened=True, progress=lambda done: None)
    (first, second) = map(
        json.loads, (tmp_path / "export" / "timestamps.jsonl").read_text().splitlines()
    )
    assert second["checkpoint"].split("\n")[1] == "4"
    response = base64.b64decode(first["response"])
    assert "Verification: OK" in authority.verify(first["checkpoint"].encode(), response)
    # Without OpenSSL, what is in it is held against the tree, and the rest is said.
    the_one_file_reads_them(tmp_path / "export", first, second)


def the_one_file_reads_them(export: Path, first: Told, second: Told) -> None:
    """`verify.py` takes the timestamps of this log's checkpoints, and no others."""
    trust = str(policy(export, Log.objects.get()))
    done = verify(export, str(export), "--policy", trust)
    assert done.returncode == 0, done.stderr
    assert "Timestamps with the hash of their checkpoint: 2" in done.stdout
    assert f"{StampedTree.objects.latest('size').at:%Y-%m-%d %H:%M} UTC" in done.stdout
    assert "Who signed them is not checked here" in done.stdout
    wrong: dict[str, list[Told]] = {
        "another text than its checkpoint": [first, second | {"response": first["response"]}],
        "no checkpoint with a timestamp": [first, {"response": first["response"]}],
        "a timestamp that cannot be read": [first | {"response": "MAA="}],
    }
    for sentence, lines in wrong.items():
        (export / "timestamps.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
        refused = verify(export, str(export), "--policy", trust)
        assert refused.returncode == 1, sentence
        assert sentence in refused.stderr


def test_an_export_has_no_timestamp_of_a_tree_that_never_was(
    authority: Authority, tmp_path: Path
) -> None:
    """The authority stamps whatever it is asked for."""
    grow(3)
    export_log(tmp_path / "export", opened=True, progress=lambda done: None)
    log = Log.objects.get()
    for size, sentence in ((2, "At size 2 the log has another root"), (9, "has only 3")):
        text = Checkpoint(log.origin, size, bytes(32)).text
        response = base64.b64encode(authority.reply(authority.query(text.encode()))).decode()
        told = json.dumps({"checkpoint": text, "response": response})
        (tmp_path / "export" / "timestamps.jsonl").write_text(f"{told}\n")
        with pytest.raises(NotVerified, match=sentence):
            verify_files(tmp_path / "export", policy(tmp_path, log), quiet=True)


def other_hash(authority: Authority) -> Behaviour:
    return lambda one: one.answer(authority.reply(authority.query(b"something else")), REPLY)


def other_number(authority: Authority) -> Behaviour:
    """The right hash, in an answer that was given earlier."""

    def behave(one: Stranger) -> None:
        data = text_of(Log.objects.get())
        one.answer(authority.reply(authority.query(data)), REPLY)

    return behave


def changed(authority: Authority) -> Behaviour:
    def behave(one: Stranger) -> None:
        reply = bytearray(authority.reply(one.body))
        reply[-1] ^= 1
        one.answer(bytes(reply), REPLY)

    return behave


def refuses(authority: Authority) -> Behaviour:
    """An answer of the right form with the status `rejection`."""
    return lambda one: one.answer(bytes.fromhex("30053003020102"), REPLY)


LIES: dict[str, tuple[Callable[[Authority], Behaviour], str]] = {
    "another hash": (other_hash, "Nonce mismatch|Mismatch between messages"),
    "another number": (other_number, "Nonce mismatch"),
    "changed": (changed, "does not count|no timestamp"),
    "refused": (refuses, "It refused with the status 2|no timestamp"),
    "nothing": (lambda _: lambda one: one.answer(b"", REPLY), "is no timestamp"),
    "noise": (lambda _: lambda one: one.answer(b"\x30\x82" * 400, REPLY), "is no timestamp"),
    "a page": (lambda _: lambda one: one.answer(b"<html>"), "with the status 200 and the type ''"),
    "an error": (lambda _: lambda one: one.answer(b"", REPLY, status="500 so"), "the status 500"),
    "ten megabytes": (
        lambda _: lambda one: one.answer(b"x" * 10_000_000, REPLY),
        "larger than",
    ),
    "ten gigabytes": (lambda _: sends_ten_gb, "larger than"),
    "slow": (lambda _: drips, "in time"),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_the_authority_did_not_sign_is_refused_with_a_sentence(
    authority: Authority,
    ask: Callable[[Behaviour], Any],
    monkeypatch: pytest.MonkeyPatch,
    lie: str,
) -> None:
    monkeypatch.setattr(timestamps, "LIMITS", Limits(seconds=3.0, answer_bytes=64 * 1024))
    behave, sentence = LIES[lie]
    other = ask(behave(authority))
    grow(3)
    assert stamp_newest() is None
    problem = HolderWord.objects.get().problem
    assert any(part in problem for part in sentence.split("|")), problem
    assert not StampedTree.objects.exists()
    assert check_timestamps().level == "warning"
    # It is asked again after some minutes, and then it counts.
    other.behave = answers(authority)
    assert stamp_newest(later(1)) is None
    assert stamp_newest(later(6)) is not None
    assert check_timestamps().level == "ok"


def test_another_authority_is_not_trusted(ask: Callable[[Behaviour], Any], tmp_path: Path) -> None:
    grow(3)
    ask(answers(Authority(tmp_path / "stranger")))
    assert stamp_newest() is None
    assert "unable to get local issuer certificate" in HolderWord.objects.get().problem


def test_an_authority_whose_certificate_was_expired_is_not_trusted(
    ask: Callable[[Behaviour], Any], tmp_path: Path, configure: Configure
) -> None:
    grow(3)
    expired = Authority(tmp_path / "expired", days=-1)
    other = ask(lambda one: one.answer(expired.reply(one.body), REPLY))
    configure(ledger_tsa_url=f"{other.url}/tsa", ledger_tsa_roots=str(expired.roots))
    assert stamp_newest() is None
    assert "certificate has expired" in HolderWord.objects.get().problem


def test_an_authority_of_another_time_is_not_believed(
    authority: Authority, ask: Callable[[Behaviour], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timestamps, "CLOCKS", -1)
    ask(answers(authority))
    grow(3)
    assert stamp_newest() is None
    assert "Its clock and ours differ" in HolderWord.objects.get().problem


def test_a_stored_timestamp_that_was_changed_is_named(
    authority: Authority, ask: Callable[[Behaviour], Any], configure: Configure
) -> None:
    ask(answers(authority))
    grow(3)
    assert stamp_newest() is not None
    tree = StampedTree.objects.get()
    StampedTree.objects.update(at=tree.at - timedelta(days=90))
    assert "The timestamp of 3 leaves says another time" in verify_ledger().why
    other = authority.reply(authority.query(b"something else"))
    StampedTree.objects.update(at=tree.at, response=other)
    assert "The timestamp of 3 leaves: Its timestamp does not count" in verify_ledger().why
    StampedTree.objects.update(response=tree.response, root=bytes(32))
    assert "two checkpoints of 3 leaves differ" in verify_ledger().why
    StampedTree.objects.update(root=tree.root)
    assert verify_ledger().ok
    # Without certificates of trust nobody can say anything about it.
    configure(ledger_tsa_roots="")
    assert verify_ledger().stamps.unverified == 1
    told = CliRunner().invoke(cli, ["ledger", "verify"]).output
    assert "Timestamps that nobody could verify here: 1." in told


def test_without_certificates_or_the_extra_it_says_what_is_missing(
    authority: Authority,
    ask: Callable[[Behaviour], Any],
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(answers(authority))
    grow(1)
    configure(ledger_tsa_roots="")
    with pytest.raises(SettingWrong, match="KINWARD_LEDGER_TSA_ROOTS"):
        stamp_newest()
    monkeypatch.setattr(timestamps, "has_client", lambda: False)
    monkeypatch.setattr(stamping, "has_client", lambda: False)
    configure(ledger_tsa_roots=str(authority.roots))
    with pytest.raises(NotInstalled, match="extra `time`"):
        stamp_newest()
    assert "extra `time`" in check_timestamps().text


def test_a_timestamp_is_about_one_text(authority: Authority) -> None:
    stamp = authority.reply(authority.query(b"a text"))
    roots = read_roots(str(authority.roots))
    assert verify_stamp(stamp, b"a text", roots).at.tzinfo is not None
    with pytest.raises(NotStamped, match="does not count"):
        verify_stamp(stamp, b"another text", roots)
