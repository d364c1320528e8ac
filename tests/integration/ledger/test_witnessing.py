"""Witnesses are asked about each checkpoint, and none of them holds up the log."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from kinward.access.log_key import request_log_key
from kinward.cli.doctor.ledger import check_witnesses
from kinward.ground.calls_out import Limits
from kinward.ground.errors import SettingWrong
from kinward.ledger import signing, witnesses, witnessing
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.merkle import EMPTY_ROOT, prove_consistency
from kinward.ledger.models import CosignedTree, Log, WitnessWord
from kinward.ledger.notes import BadNote, cosign_text, parse_note
from kinward.ledger.running import keep_asking, keep_sequencing
from kinward.ledger.sequencing import sequence_all
from kinward.ledger.signing import publish_checkpoint
from kinward.ledger.witness import Request
from kinward.ledger.witness_policy import parse_policy
from kinward.ledger.witness_store import WitnessFolder
from kinward.ledger.witnessing import ask_about_newest, fault_of_holders, newest_cosigned
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.support.forging import rewritten
from tests.support.ledgers import past_the_triggers, write
from tests.support.rotated import ANNA, Insider, key_file, publish, rotate
from tests.support.strangers import Stranger, drips, stranger
from tests.support.transparency import Signer, witness_signer

pytestmark = pytest.mark.django_db(transaction=True)

Behaviour = Callable[[Stranger], None]
SIZE = "Content-Type: text/x.tlog.size"


def signed(count: int = 3) -> Log:
    write(count)
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET signed_at = NULL")
    assert publish_checkpoint() is not None
    return Log.objects.get()


def honest(folder: WitnessFolder) -> Behaviour:
    """A witness with the whole protocol, of which only the socket is the test's."""

    def behave(one: Stranger) -> None:
        with folder.open() as witness:
            answer = witness.add_checkpoint(one.body)
        one.answer(
            answer.body.encode(), f"Content-Type: {answer.type}", status=f"{answer.status} so"
        )

    return behave


def cosigns(signer: Signer, text: str = "") -> Behaviour:
    def behave(one: Stranger) -> None:
        seen = text or parse_note(one.body.partition(b"\n\n")[2]).text
        line = cosign_text(seen, int(time.time()), signer.verifier, signer.sign).line
        one.answer(line.encode())

    return behave


class Community:
    """The log's own policy, with the witnesses that a test gives it."""

    def __init__(self, path: Path, configure: Configure) -> None:
        self.path, self.configure = path, configure

    def trust(self, *members: tuple[Signer, str], quorum: str = "any") -> None:
        lines = [f"log {Log.objects.get().vkey}"]
        lines += [
            f"witness W{at} {signer.verifier.vkey} {url}"
            for at, (signer, url) in enumerate(members)
        ]
        names = " ".join(f"W{at}" for at in range(len(members)))
        lines += [f"group G {quorum} {names}", "quorum G"]
        self.path.write_text("\n".join(lines))
        self.configure(ledger_policy_file=str(self.path))


@pytest.fixture
def community(tmp_path: Path, configure: Configure) -> Community:
    return Community(tmp_path / "policy", configure)


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Any]]:
    with ExitStack() as stack:

        def start(behave: Behaviour) -> Any:
            other = stack.enter_context(stranger(behave))
            stack.callback(other.over.set)
            return other

        yield start


def later(minutes: float) -> Any:
    return timezone.now() + timedelta(minutes=minutes)


FIRST = witness_signer()
SECOND = witness_signer("w1.example", 61)


def test_the_cosigned_checkpoint_is_shown_once_the_quorum_is_met(
    community: Community, serve: Callable[[Behaviour], Any], tmp_path: Path
) -> None:
    log, folder = signed(), WitnessFolder(tmp_path / "witness")
    folder.make_key("w.example/1")
    folder.watch(log.vkey)
    key = folder.key()[0]
    one, other = serve(honest(folder)), serve(cosigns(SECOND))
    lines = [
        f"log {log.vkey}",
        f"witness A {key.vkey} {one.url}",
        f"witness B {SECOND.verifier.vkey} {other.url}",
        "group G all A B",
        "quorum G",
    ]
    community.path.write_text("\n".join(lines))
    community.configure(ledger_policy_file=str(community.path))
    reader = Caller("")
    assert reader("GET", "/transparency/cosigned").status_code == 404
    found = ask_about_newest()
    assert found is not None
    assert found.is_met, found.words
    shown = reader("GET", "/transparency/cosigned")
    policy = parse_policy(community.path.read_bytes())
    assert policy.open(shown.content)[0].size == 3
    assert check_witnesses().level == "ok"
    # The log grows: each is given the proof from what it saw.
    signed(300)
    assert ask_about_newest() is None, "too soon after the one before"
    assert ask_about_newest(later(1)) is not None
    assert policy.open(reader("GET", "/transparency/cosigned").content)[0].size == 303
    assert {word.size for word in WitnessWord.objects.all()} == {303}
    # Nobody is asked twice about the same.
    asked = one.asked
    assert ask_about_newest(later(2)) is None
    assert one.asked == asked
    # Of each hour the last one is kept.
    assert CosignedTree.objects.count() <= 2


def test_below_the_quorum_nothing_is_shown_and_what_there_is_stays(
    community: Community, serve: Callable[[Behaviour], Any]
) -> None:
    signed()
    good, bad = serve(cosigns(FIRST)), serve(lambda one: one.answer(b"", status="404 so"))
    community.trust((FIRST, good.url), (SECOND, bad.url), quorum="all")
    found = ask_about_newest()
    assert found is not None
    assert not found.is_met
    assert Caller("")("GET", "/transparency/cosigned").status_code == 404
    assert "enough cosignatures yet. W1: It does not watch" in check_witnesses().text
    # The second one comes later: the first is not asked again, and its cosignature counts.
    bad.behave = cosigns(SECOND)
    assert ask_about_newest(later(0.5)) is None, "a witness in trouble is left alone for a minute"
    again = ask_about_newest(later(2))
    assert again is not None
    assert again.is_met
    assert (good.asked, bad.asked) == (1, 2)
    assert check_witnesses().level == "ok"


OTHER_TREE = Checkpoint("kinward.example/ledger", 0, EMPTY_ROOT).text


@pytest.mark.parametrize(
    ("behave", "sentence", "alarming"),
    [
        (cosigns(FIRST, OTHER_TREE), "does not count", False),
        (cosigns(witness_signer("stranger.example", 90)), "does not count", False),
        (lambda one: one.answer(b"x" * 70_000), "larger than", False),
        (lambda one: one.answer(b"", status="422 so"), "another history", True),
        (lambda one: one.answer(b"900\n", SIZE, status="409 so"), "seen 900 entries", True),
        (lambda one: one.answer(b"", status="500 so"), "the status 500", False),
    ],
)
def test_a_witness_that_lies_is_refused_with_a_sentence_and_an_alarm(
    community: Community,
    serve: Callable[[Behaviour], Any],
    behave: Behaviour,
    sentence: str,
    alarming: bool,
) -> None:
    signed()
    liar, good = serve(behave), serve(cosigns(SECOND))
    community.trust((FIRST, liar.url), (SECOND, good.url))
    with capture_logs() as lines:
        found = ask_about_newest()
    assert found is not None
    assert found.is_met, "the other one is enough"
    assert len(parse_note(found.note).signatures) == 2
    (line,) = [line for line in lines if line["event"] == "ledger.not_cosigned"]
    assert (line["log_level"], line["witness"], line["alarming"]) == ("error", "W0", alarming)
    result = check_witnesses()
    assert result.level == ("fault" if alarming else "warning")
    assert sentence in result.text
    assert "W0: " in result.text


def test_a_rewritten_log_is_refused_by_the_witness_and_the_doctor_says_so(
    community: Community, serve: Callable[[Behaviour], Any], tmp_path: Path
) -> None:
    log, folder = signed(), WitnessFolder(tmp_path / "witness")
    folder.make_key("w.example/1")
    folder.watch(log.vkey)
    other = serve(honest(folder))
    text = f"log {log.vkey}\nwitness A {folder.key()[0].vkey} {other.url}\nquorum A\n"
    community.path.write_text(text)
    community.configure(ledger_policy_file=str(community.path))
    assert ask_about_newest() is not None
    # The witness has seen a tree of the same size with another root: it will refuse this one.
    with folder.trees() as trees:
        seen = trees.last(log.origin)
    assert seen.size == 3
    CosignedTree.objects.all().delete()
    WitnessWord.objects.all().delete()
    rewritten(1)
    found = ask_about_newest(later(2))
    assert found is not None
    assert not found.is_met
    result = check_witnesses()
    assert result.level == "fault"
    assert "A witness contradicts the ledger. A: " in result.text


def test_a_slow_witness_holds_up_neither_the_log_nor_the_writers(
    community: Community,
    serve: Callable[[Behaviour], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(witnesses, "LIMITS", Limits(seconds=3.0, answer_bytes=64 * 1024))
    signed()
    entered = threading.Event()

    def slow(one: Stranger) -> None:
        entered.set()
        drips(one)

    other = serve(slow)
    community.trust((FIRST, other.url))
    words: list[Any] = []

    def ask() -> None:
        words.append(ask_about_newest())
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    assert entered.wait(30)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = "
            "'client backend'"
        )
        assert cursor.fetchone() == (0,), "no transaction waits for a witness"
    assert signed(5).signed_size == 8, "entries get their places, and the tree is signed"
    assert asking.is_alive()
    asking.join(60)
    (found,) = words
    assert not found.is_met
    assert "in time" in found.words[0].problem


def test_a_witness_that_is_down_is_asked_again(community: Community) -> None:
    signed()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        community.trust((FIRST, f"http://127.0.0.1:{port}"))
        assert ask_about_newest() is not None
        assert check_witnesses().level == "fault"
    word = WitnessWord.objects.get()
    assert word.problem
    assert (word.size, word.alarming) == (0, False)
    assert ask_about_newest(later(2)) is not None


def test_the_doctor_is_red_until_somebody_outside_holds_the_log(
    community: Community, serve: Callable[[Behaviour], Any]
) -> None:
    signed()
    assert check_witnesses().level == "fault"
    assert "KINWARD_LEDGER_POLICY_FILE" in check_witnesses().text
    vkey = Log.objects.get().vkey
    community.path.write_text(f"log {vkey}\nquorum none\n")
    community.configure(ledger_policy_file=str(community.path))
    assert "Nobody outside" in check_witnesses().text
    good = serve(cosigns(FIRST))
    text = f"log {FIRST.verifier.name}+00000000+AQ\n"
    community.path.write_text(text)
    with pytest.raises(SettingWrong, match="Line 1"):
        fault_of_holders()
    stranger_log = Signer("another.example/ledger", 77).verifier.vkey
    community.path.write_text(
        f"log {stranger_log}\nwitness W {FIRST.verifier.vkey} {good.url}\nquorum W\n"
    )
    assert "does not name its key" in check_witnesses().text
    with pytest.raises(BadNote):
        ask_about_newest()
    community.trust((FIRST, good.url))
    assert ask_about_newest() is not None
    assert check_witnesses().level == "ok"
    # Nothing new for hours is no fault. A newer tree that nobody cosigned for an hour is one.
    assert fault_of_holders(later(180)) == ""
    signed()
    assert fault_of_holders(later(30)) == ""
    assert "The newest checkpoint with enough cosignatures is from" in fault_of_holders(later(90))


def test_a_worker_asks_by_itself(
    community: Community,
    serve: Callable[[Behaviour], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kinward.ledger.running.ASK_PAUSE", 0.05)
    monkeypatch.setattr(witnessing, "EVERY", timedelta())
    signed()
    community.trust((FIRST, serve(cosigns(FIRST)).url))
    stop = threading.Event()
    runs: Sequence[threading.Thread] = [
        threading.Thread(target=work, args=[stop]) for work in (keep_sequencing, keep_asking)
    ]
    for run in runs:
        run.start()
    try:
        write(4)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            tree = newest_cosigned()
            if tree is not None and tree.size == 7:
                break
            time.sleep(0.05)
        else:
            raise AssertionError("Nobody cosigned what the worker signed.")
    finally:
        stop.set()
        for run in runs:
            run.join(60)


def test_the_witnesses_go_on_with_the_next_key(
    community: Community,
    serve: Callable[[Behaviour], Any],
    tmp_path: Path,
    configure: Configure,
) -> None:
    key = key_file(tmp_path, configure)
    log, folder = signed(), WitnessFolder(tmp_path / "witness")
    insider = Insider(key)
    folder.make_key("w.example/1")
    folder.watch(log.vkey)
    other = serve(honest(folder))
    # The policy of the log names the first key only, and nobody has to change it.
    text = f"log {log.vkey}\nwitness A {folder.key()[0].vkey} {other.url}\nquorum A\n"
    community.path.write_text(text)
    configure(ledger_policy_file=str(community.path))
    assert ask_about_newest() is not None
    rotate()
    found = ask_about_newest(later(1))
    assert found is not None
    assert found.is_met, "the key before has signed that checkpoint, too"
    # The witness was not told of the new key.
    signed()
    found = ask_about_newest(later(2))
    assert found is not None
    assert not found.is_met
    assert "It does not accept the key of this log" in found.words[0].problem
    folder.watch(Log.objects.get().vkey)
    found = ask_about_newest(later(4))
    assert found is not None
    assert found.is_met
    assert check_witnesses().level == "ok"
    # From now on it refuses whatever the retired key signs alone.
    tree = publish_more()
    reader = signing.tile_reader(tree.size)
    before = newest_cosigned()
    assert before is not None
    proof = tuple(prove_consistency(before.size, tree.size, reader))
    forged = Request(before.size, proof, insider.note(tree.size, tree.root)).to_bytes()
    with folder.open() as witness:
        assert witness.add_checkpoint(forged).status == 403
    # A policy may name the next key before that signs.
    announced = request_log_key(staff=ANNA)
    community.path.write_text(f"log {announced.after}\n{text}")
    signed()
    found = ask_about_newest(later(6))
    assert found is not None
    assert found.is_met


def publish_more() -> Checkpoint:
    write(2)
    return publish()
