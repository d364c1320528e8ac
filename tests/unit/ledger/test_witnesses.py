"""Witnesses that answer, and witnesses that are down, slow, wrong or liars: over real sockets."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from kinward.ground.calls_out import Limits
from kinward.ledger import witnesses
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.merkle import prove_consistency
from kinward.ledger.notes import cosign_text, parse_note, parse_signatures
from kinward.ledger.witness import MAX_REQUEST, origin_digest
from kinward.ledger.witness_policy import Policy, parse_policy
from kinward.ledger.witness_store import WitnessFolder
from kinward.ledger.witnesses import Cosigned, Word, ask_witnesses
from tests.support.strangers import Stranger, drips, stranger
from tests.support.transparency import (
    LOG_VKEY,
    ORIGIN,
    Signer,
    Tree,
    leaf,
    log_signer,
    signed,
    witness_signer,
)
from tests.unit.ledger.test_witness import FORK, HONEST, request

LOG, WITNESS = log_signer(), witness_signer()
READY_SECONDS = 120.0


def note_of(size: int, tree: Tree = HONEST) -> bytes:
    return signed(Checkpoint(ORIGIN, size, tree.root(size)), LOG)


def policy_of(*urls: str, quorum: str = "G", signer: Signer = WITNESS) -> Policy:
    """Witnesses with one key each, the first of which is `signer`'s; one of them is enough."""
    keys = [signer.verifier.vkey]
    keys += [witness_signer(f"w{at}.example", 60 + at).verifier.vkey for at in range(1, len(urls))]
    pairs = zip(keys, urls, strict=True)
    lines = [f"witness W{at} {key} {url}" for at, (key, url) in enumerate(pairs)]
    group = " ".join(f"W{at}" for at in range(len(urls)))
    text = "\n".join([f"log {LOG_VKEY}", *lines, f"group G any {group}", f"quorum {quorum}"])
    return parse_policy(text.encode())


def ask(note: bytes, policy: Policy, tree: Tree = HONEST, **known: int) -> Cosigned:
    def prove(old: int, size: int) -> Sequence[bytes]:
        return prove_consistency(old, size, tree)

    return ask_witnesses(note, policy, known=known, prove=prove)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, WitnessFolder, Signer]]:
    """The real server, started as an operator starts it."""
    data = tmp_path_factory.mktemp("witness-data")
    environment = os.environ | {"KINWARD_DATA_DIR": str(data)}

    def kinward(*arguments: str) -> str:
        command = [sys.executable, "-m", "kinward", "witness", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=True
        ).stdout

    vkey = kinward("init", "witness.example/real").strip()
    assert kinward("watch", LOG_VKEY) == f"This witness watches {ORIGIN}.\n"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "kinward", "witness", "serve", f"--port={port}"],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process)
        folder = WitnessFolder(data / "witness")
        assert folder.key()[0].vkey == vkey
        yield url, folder, Signer("unused", 0)
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("The witness did not start.")


def served_policy(url: str, folder: WitnessFolder) -> Policy:
    text = f"log {LOG_VKEY}\nwitness W {folder.key()[0].vkey} {url}\nquorum W\n"
    return parse_policy(text.encode())


def test_a_real_witness_cosigns_goes_on_and_refuses_a_fork(
    served: tuple[str, WitnessFolder, Signer],
) -> None:
    url, folder, _signer = served
    policy = served_policy(url, folder)
    first = ask(note_of(5), policy)
    assert (first.is_met, first.words[0].problem) == (True, "")
    assert policy.open(first.note)[0].size == 5
    # The log has forgotten what the witness saw: the witness says it, and gets its proof.
    assert ask(note_of(8), policy).is_met
    # A log that was rewritten from entry 6 on.
    forked = ask(note_of(9, FORK), policy, FORK, W=8)
    assert not forked.is_met
    assert forked.words[0].alarming
    assert forked.words[0].problem == "It has seen another history of this log up to size 8."
    same = ask(note_of(8, FORK), policy, FORK, W=8)
    assert (same.is_met, same.words[0].alarming) == (False, True)
    # One that was cut.
    cut = ask(note_of(7), policy, W=8)
    assert cut.words[0].alarming
    assert cut.words[0].problem == "It claims to have seen 8 entries of this log, which has 7."
    assert ask(note_of(40), policy, W=8).is_met, "the honest log goes on"
    kept = httpx.get(f"{url}/{origin_digest(ORIGIN)}/checkpoint")
    assert policy.open(kept.content)[0].size == 40
    assert kept.headers["content-type"] == "text/plain; charset=utf-8"
    with folder.trees() as trees:
        assert [refused.size for refused in trees.refused()] == [9, 8]


def test_requests_at_once_never_take_it_back(served: tuple[str, WitnessFolder, Signer]) -> None:
    url, folder, _signer = served
    log = Signer("log.example/many", 11)
    folder.watch(log.verifier.vkey)

    def send(size: int) -> int:
        body = request(0, size, log=log)
        return httpx.post(f"{url}/add-checkpoint", content=body, timeout=60).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, range(1, 17)))
    assert sorted(set(statuses)) == [200, 409]
    assert statuses.count(200) == 1, "all asked to go on from nothing, and one was first"
    with folder.trees() as trees:
        assert trees.last("log.example/many").size == statuses.index(200) + 1


def test_the_server_has_bounds(served: tuple[str, WitnessFolder, Signer]) -> None:
    url, _folder, _signer = served
    cases = (
        ("POST", "/add-checkpoint", b"", 400),
        ("POST", "/add-checkpoint", b"x" * (MAX_REQUEST + 1), 413),
        ("GET", "/add-checkpoint", b"", 405),
        ("GET", f"/{'0' * 64}/checkpoint", b"", 404),
        ("POST", f"/{'0' * 64}/checkpoint", b"", 405),
        ("GET", "/", b"", 404),
        ("GET", f"/{origin_digest(ORIGIN).upper()}/checkpoint", b"", 404),
        ("GET", "/" + "a" * 9000, b"", 431),
    )
    for method, path, body, status in cases:
        answer = httpx.request(method, url + path, content=body, timeout=60)
        assert answer.status_code == status, (method, path[:40], answer.text)
    many = {f"x-{number}": "1" for number in range(100)}
    assert httpx.get(url, headers=many).status_code == 431


def answering(status: str, body: bytes, *headers: str) -> Callable[[Stranger], None]:
    def behave(one: Stranger) -> None:
        one.answer(body, *headers, status=status)

    return behave


def cosigning(signer: Signer, seconds: int, text: str = "") -> Callable[[Stranger], None]:
    def behave(one: Stranger) -> None:
        signed_text = text or parse_note(one.body.partition(b"\n\n")[2]).text
        signature = cosign_text(signed_text, seconds, signer.verifier, signer.sign)
        one.answer(signature.line.encode())

    return behave


NOW = int(time.time())
OTHER_TEXT = Checkpoint(ORIGIN, 7, HONEST.root(7)).text
SIZE = "Content-Type: text/x.tlog.size"


@pytest.mark.parametrize(
    ("behave", "problem", "alarming"),
    [
        (answering("404 Not Found", b""), "does not watch this log", False),
        (answering("403 Forbidden", b""), "does not accept the key", False),
        (answering("400 Bad Request", b""), "could not read the request", False),
        (answering("422 Unprocessable", b""), "another history of this log up to size 5", True),
        (answering("500 Oops", b"x" * 1000), "answered with the status 500", False),
        (answering("302 Found", b"", "Location: /x"), "answered with the status 302", False),
        (answering("200 OK", b""), "Its answer does not count", False),
        (answering("200 OK", b"\xff\n"), "Its answer does not count", False),
        (answering("200 OK", b"x" * 70_000), "larger than", False),
        (cosigning(Signer("stranger.example", 3, 4), NOW), "No known key", False),
        (cosigning(WITNESS, NOW, OTHER_TEXT), "does not fit the text", False),
        (cosigning(WITNESS, NOW - 90_000), "differ by more than an hour", False),
        (cosigning(WITNESS, 2**63), "differ by more than an hour", False),
        (answering("409 Conflict", b"8\n"), "does not say which size", False),
        (answering("409 Conflict", b"many\n", SIZE), "does not say which size", False),
        (answering("409 Conflict", b"9\n", SIZE), "seen 9 entries of this log, which has 8", True),
        (answering("409 Conflict", b"5\n", SIZE), "contradicts itself", True),
    ],
)
def test_a_witness_that_is_wrong_or_lies_does_not_count(
    behave: Callable[[Stranger], None], problem: str, alarming: bool
) -> None:
    with stranger(behave) as other:
        found = ask(note_of(8), policy_of(other.url), W0=5)
    assert not found.is_met
    assert found.note == note_of(8)
    (word,) = found.words
    assert problem in word.problem, word
    assert (word.alarming, word.signatures) == (alarming, ())


def test_a_witness_that_asks_for_another_size_each_time_is_left() -> None:
    sizes = iter(range(1, 100))
    with stranger(
        lambda one: one.answer(b"%d\n" % next(sizes), SIZE, status="409 Conflict")
    ) as other:
        found = ask(note_of(40), policy_of(other.url))
        assert other.asked == witnesses.ROUNDS
    assert found.words[0].problem == "It asked for another size each time."


def test_what_is_down_or_slow_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witnesses, "LIMITS", Limits(seconds=1.0, answer_bytes=64 * 1024))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with stranger(cosigning(WITNESS, NOW)) as good, stranger(drips) as slow:
            urls = (good.url, down, slow.url, "http://192.0.2.1", "ftp://w.example", "http://[")
            found = ask(note_of(8), policy_of(*urls))
            slow.over.set()
    assert found.is_met
    assert policy_of(*urls).open(found.note)[0].size == 8
    by_name = {word.witness: word for word in found.words}
    assert by_name["W0"].problem == ""
    for name, code in (("W1", "Nothing|nothing"), ("W2", "in time"), ("W4", "neither http")):
        assert any(part in by_name[name].problem for part in code.split("|")), by_name[name]
    assert all(by_name[name].problem for name in ("W1", "W2", "W3", "W4", "W5"))


def test_a_witness_without_an_address_is_not_asked() -> None:
    text = f"log {LOG_VKEY}\nwitness W {WITNESS.verifier.vkey}\nquorum W\n"
    found = ask(note_of(8), parse_policy(text.encode()))
    assert (found.words, found.is_met) == ((), False)
    assert ask(note_of(8), parse_policy(f"log {LOG_VKEY}\nquorum none\n".encode())).is_met


def test_proofs_are_made_in_the_thread_of_the_caller() -> None:
    threads = set()

    def prove(old: int, size: int) -> Sequence[bytes]:
        threads.add(threading.current_thread())
        return prove_consistency(old, size, HONEST)

    with stranger(cosigning(WITNESS, NOW)) as good:
        ask_witnesses(note_of(8), policy_of(good.url), known={"W0": 5}, prove=prove)
    assert threads == {threading.current_thread()}


def test_a_new_cosignature_replaces_the_one_before() -> None:
    with stranger(cosigning(WITNESS, NOW - 5)) as other:
        first = ask(note_of(8), policy_of(other.url))
    with stranger(cosigning(WITNESS, NOW)) as other:
        again = ask(first.note, policy_of(other.url), W0=8)
    assert [each.cosigned_at for each in parse_note(again.note).signatures[1:]] == [NOW]
    assert again.words[0] == Word("W0", 8, parse_signatures(line_of(NOW)))


def line_of(seconds: int) -> str:
    text = parse_note(note_of(8)).text
    return cosign_text(text, seconds, WITNESS.verifier, WITNESS.sign).line


def test_the_command_lists_what_was_seen_and_refused(tmp_path: Path) -> None:
    environment = os.environ | {"KINWARD_DATA_DIR": str(tmp_path)}

    def kinward(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "kinward", "witness", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    assert "kinward witness init" in kinward("serve").stderr
    folder = WitnessFolder(tmp_path / "witness")
    folder.make_key("w.example/1")
    folder.watch(LOG_VKEY)
    folder.watch(Signer(ORIGIN, 7).verifier.vkey)  # its next key
    fork = request(8, 9, FORK)
    with folder.open() as witness:
        assert witness.add_checkpoint(request(0, 8)).status == 200
        assert witness.add_checkpoint(fork).status == 422
    shown = kinward("show").stdout
    assert f"{ORIGIN}  8 entries, " in shown
    assert shown.count(f"{ORIGIN}  ") == 1, "one log, whatever keys it has"
    assert "1 request was refused" in shown
    assert f"{ORIGIN} at size 9: The proof leads to another root" in kinward("refused").stdout
    assert kinward("refused", "1").stdout.encode() == fork
    assert "has the number 7" in kinward("refused", "7").stderr
    assert leaf(6) != FORK.leaves[6]
