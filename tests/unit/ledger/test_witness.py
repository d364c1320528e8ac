"""The witness: each status of the protocol, what it keeps, and that it never goes back."""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kinward.ground.errors import Invalid, NotConfigured
from kinward.ledger.checkpoints import Checkpoint, open_checkpoint
from kinward.ledger.merkle import prove_consistency
from kinward.ledger.notes import (
    Note,
    Verifier,
    open_note,
    parse_note,
    parse_signatures,
    sign_text,
)
from kinward.ledger.witness import (
    MAX_REQUEST,
    SIZE_TYPE,
    Request,
    Witness,
    WitnessAnswer,
    origin_digest,
)
from kinward.ledger.witness_store import MOST_REFUSED, StoredTrees, WitnessFolder
from tests.support.transparency import (
    ORIGIN,
    Signer,
    Tree,
    leaf,
    log_signer,
    signed,
    witness_signer,
)

NOW = 1_767_225_600
HONEST = Tree([leaf(number) for number in range(40)])
FORK = Tree([*HONEST.leaves[:6], leaf(99), *HONEST.leaves[7:]])
LOG, WITNESS = log_signer(), witness_signer()


def request(
    old: int, size: int, tree: Tree = HONEST, log: Signer = LOG, *, start: int = -1
) -> bytes:
    """A request to go on from `old` to `size`, with the proof from there or from `start`."""
    begin = old if start < 0 else start
    proof = tuple(prove_consistency(begin, size, tree)) if begin <= size else ()
    note = signed(Checkpoint(log.verifier.name, size, tree.root(size)), log)
    return Request(old, proof, note).to_bytes()


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def trees(tmp_path: Path) -> Iterator[StoredTrees]:
    stored = StoredTrees(tmp_path / "seen.sqlite3")
    yield stored
    stored.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def witness(trees: StoredTrees, clock: Clock) -> Witness:
    return Witness(WITNESS.verifier, WITNESS.sign, (LOG.verifier,), trees, clock)


def test_a_log_that_grows_is_cosigned(witness: Witness, clock: Clock) -> None:
    before = 0
    for size in (5, 8, 8, 40):
        clock.now += 10
        body = request(before, size)
        answer = witness.add_checkpoint(body)
        assert answer.status == 200, answer
        (cosignature,) = parse_signatures(answer.body)
        assert cosignature.cosigned_at == clock.now
        note = body.partition(b"\n\n")[2] + answer.body.encode()
        opened = open_note(note, [LOG.verifier, WITNESS.verifier])
        assert len(opened.verified) == 2
        kept = witness.checkpoint(origin_digest(ORIGIN))
        assert (kept.status, kept.body.encode()) == (200, note)
        before = size


def test_it_says_from_which_size_it_goes_on(witness: Witness) -> None:
    assert witness.add_checkpoint(request(0, 8)).status == 200
    for old in (0, 5, 9):
        answer = witness.add_checkpoint(request(old, 9))
        assert answer == WitnessAnswer(409, "8\n", SIZE_TYPE)


def test_a_tree_that_shrinks_is_refused(witness: Witness) -> None:
    assert witness.add_checkpoint(request(0, 8)).status == 200
    assert witness.add_checkpoint(request(8, 5)).status == 400
    assert witness.add_checkpoint(request(5, 5)) == WitnessAnswer(409, "8\n", SIZE_TYPE)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (request(8, 8, FORK), "Two trees of 8 leaves have different roots"),
        (request(8, 9, FORK), "leads to another root at size 9"),
        (request(8, 9, HONEST, start=5), "The proof leads|The consistency proof is"),
        (
            Request(8, (), request(8, 9).partition(b"\n\n")[2]).to_bytes(),
            "root at size 9|too short",
        ),
    ],
)
def test_a_fork_is_refused_and_kept(
    witness: Witness, trees: StoredTrees, body: bytes, why: str
) -> None:
    assert witness.add_checkpoint(request(0, 8)).status == 200
    kept = witness.checkpoint(origin_digest(ORIGIN))
    answer = witness.add_checkpoint(body)
    assert answer.status == 422
    assert re.search(why, answer.body), answer.body
    assert witness.checkpoint(origin_digest(ORIGIN)) == kept
    (refused,) = trees.refused()
    assert (refused.origin, refused.body, refused.seconds) == (ORIGIN, body, NOW)
    # The same checkpoint again is evidence of nothing more.
    assert witness.add_checkpoint(body).status == 422
    assert len(trees.refused()) == 1
    assert witness.add_checkpoint(request(8, 9)).status == 200, "the honest log goes on"


def test_a_proof_from_nothing_is_empty(witness: Witness) -> None:
    proof = (leaf(1),)
    body = Request(0, proof, request(0, 8).partition(b"\n\n")[2]).to_bytes()
    assert witness.add_checkpoint(body).status == 422


def test_what_is_kept_of_a_log_has_a_bound(
    witness: Witness, trees: StoredTrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_REFUSED > 100
    monkeypatch.setattr("kinward.ledger.witness_store.MOST_REFUSED", 3)
    assert witness.add_checkpoint(request(0, 8)).status == 200
    for size in range(9, 16):
        assert witness.add_checkpoint(request(8, size, FORK)).status == 422
    assert [refused.size for refused in trees.refused()] == [9, 10, 11]


def test_an_unknown_log_and_an_unknown_key(witness: Witness, trees: StoredTrees) -> None:
    other = Signer("other.example/log", 7)
    assert witness.add_checkpoint(request(0, 8, log=other)).status == 404
    impostor = Signer(ORIGIN, 7)
    assert witness.add_checkpoint(request(0, 8, log=impostor)).status == 403
    forged = request(0, 8).replace(b"\n8\n", b"\n9\n")
    assert witness.add_checkpoint(forged).status == 403
    assert witness.checkpoint(origin_digest(ORIGIN)).status == 404
    assert witness.checkpoint(origin_digest("other.example/log")).status == 404
    assert trees.refused() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: body.replace(b"old 0", b"old 00"),
        lambda body: body.replace(b"old 0", b"old -1"),
        lambda body: body.replace(b"old 0", b"new 0"),
        lambda body: body.replace(b"old 0", b"old 9999999999999999999"),
        lambda body: body.replace(b"old 0\n", b"old 0\nAAAA\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\n????\n"),
        lambda body: body.replace(b"old 0\n", "old 0\nü\n".encode()),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + base64.b64encode(bytes(32)) + b"\n" * 2),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + (b"A" * 43 + b"=\n") * 64),
        lambda body: body.replace(b"old 0\n", b"old 0\r\n"),
        lambda body: body.partition(b"\n\n")[2],
        lambda body: body.rpartition(b"\n\n")[0],
        lambda body: body.replace(b"\n8\n", b"\n08\n"),
        lambda body: body + b"x" * MAX_REQUEST,
        lambda body: b"old 9" + body.removeprefix(b"old 0"),
    ],
)
def test_a_malformed_request_is_told_so(witness: Witness, change: object) -> None:
    assert callable(change)
    answer = witness.add_checkpoint(change(request(0, 8)))
    assert answer.status == 400
    assert answer.body.endswith(".\n")


def test_a_clock_that_was_set_back_unsays_nothing(witness: Witness, clock: Clock) -> None:
    assert witness.add_checkpoint(request(0, 8)).status == 200
    clock.now = NOW - 3600
    (cosignature,) = parse_signatures(witness.add_checkpoint(request(8, 9)).body)
    assert cosignature.cosigned_at == NOW


def test_a_signature_that_fails_leaves_all_as_it_was(trees: StoredTrees) -> None:
    def fails(data: bytes) -> bytes:
        raise RuntimeError

    broken = Witness(WITNESS.verifier, fails, (LOG.verifier,), trees, lambda: NOW)
    with pytest.raises(RuntimeError):
        broken.add_checkpoint(request(0, 8))
    assert trees.last(ORIGIN).size == 0
    whole = Witness(WITNESS.verifier, WITNESS.sign, (LOG.verifier,), trees, lambda: NOW)
    assert whole.add_checkpoint(request(0, 5)).status == 200


def test_the_folder_of_a_witness(tmp_path: Path) -> None:
    folder = WitnessFolder(tmp_path / "witness")
    with pytest.raises(NotConfigured, match="kinward witness init"):
        folder.key()
    with pytest.raises(Invalid, match="no plus sign"):
        folder.make_key("a+b")
    verifier = folder.make_key("w.example/1")
    assert (tmp_path / "witness" / "key").stat().st_mode & 0o777 == 0o600
    assert Verifier.parse(verifier.vkey) == folder.key()[0] == verifier
    with pytest.raises(Invalid, match="already a key"):
        folder.make_key("w.example/2")
    assert folder.logs() == []
    assert folder.watch(LOG.verifier.vkey) == LOG.verifier
    for wrong, why in (
        (LOG.verifier.vkey, "already there"),
        (verifier.vkey, "0x01"),
        ("x", "form"),
    ):
        with pytest.raises(Invalid, match=why):
            folder.watch(wrong)
    assert [log.verifier for log in folder.logs()] == [LOG.verifier]
    after_a_restore = replace(LOG.verifier, name=f"{ORIGIN}/2-0123abcd")
    assert folder.watch(after_a_restore.vkey) == after_a_restore
    assert [log.verifier for log in folder.logs()] == [after_a_restore, LOG.verifier]
    with folder.open() as witness:
        assert witness.add_checkpoint(request(0, 8)).status == 200
    with folder.open() as witness:
        note = witness.checkpoint(origin_digest(ORIGIN)).body.encode()
        assert open_checkpoint(note, LOG.verifier, [verifier])[0].size == 8
        assert len(parse_note(note).signatures) == 2
    for text in ("", "PRIVATE+KEY+w.example/1+00000000+BAAA", "PRIVATE+KEY+w"):
        (tmp_path / "witness" / "key").write_text(text)
        with pytest.raises(NotConfigured, match="no key of a witness"):
            folder.key()
    (tmp_path / "witness" / "policy").write_text("believe everybody")
    with pytest.raises(NotConfigured, match="Line 1"):
        folder.logs()


# --- logs that changed their key ---

NEW = Signer(ORIGIN, 0x40)


def by_both(old: int, size: int) -> bytes:
    proof = tuple(prove_consistency(old, size, HONEST))
    text = Checkpoint(ORIGIN, size, HONEST.root(size)).text
    lines = tuple(sign_text(text, each.verifier, each.sign) for each in (LOG, NEW))
    return Request(old, proof, Note(text, lines).to_bytes()).to_bytes()


@pytest.fixture
def both(trees: StoredTrees, clock: Clock) -> Witness:
    """A witness that was told of the new key, too: newer ones come first."""
    logs = (NEW.verifier, LOG.verifier)
    return Witness(WITNESS.verifier, WITNESS.sign, logs, trees, clock)


def test_once_the_new_key_has_signed_the_one_before_is_refused(
    both: Witness, trees: StoredTrees
) -> None:
    assert both.add_checkpoint(request(0, 5)).status == 200
    assert both.add_checkpoint(by_both(5, 8)).status == 200
    assert trees.retired(ORIGIN) == {LOG.verifier.vkey}
    answer = both.add_checkpoint(request(8, 20))
    assert (answer.status, "a newer one has replaced" in answer.body) == (403, True)
    assert [refused.size for refused in trees.refused()] == [20], "it may show a fork"
    assert both.add_checkpoint(request(8, 20, log=NEW)).status == 200
    # The key before adds nothing to what both sign, and takes nothing away.
    assert both.add_checkpoint(by_both(20, 30)).status == 200
    kept = parse_note(trees.last(ORIGIN).note)
    assert LOG.verifier.key_id not in {line.key_id for line in kept.signatures}
    assert both.add_checkpoint(request(30, 40)).status == 403
    assert both.add_checkpoint(request(30, 40, log=NEW)).status == 200


def test_a_new_key_alone_retires_the_one_that_was_cosigned_before(both: Witness) -> None:
    assert both.add_checkpoint(request(0, 5)).status == 200
    assert both.add_checkpoint(request(5, 8, log=NEW)).status == 200
    assert both.add_checkpoint(request(8, 20)).status == 403


def test_a_witness_that_first_sees_the_new_key_never_takes_the_one_before(
    both: Witness, trees: StoredTrees
) -> None:
    assert both.add_checkpoint(request(0, 5, log=NEW)).status == 200
    assert trees.retired(ORIGIN) == {LOG.verifier.vkey}
    assert both.add_checkpoint(request(5, 8)).status == 403
    assert both.add_checkpoint(request(5, 8, log=NEW)).status == 200


def test_a_key_that_is_not_watched_any_more_is_no_obstacle(
    both: Witness, trees: StoredTrees, clock: Clock
) -> None:
    assert both.add_checkpoint(request(0, 5)).status == 200
    alone = Witness(WITNESS.verifier, WITNESS.sign, (NEW.verifier,), trees, clock)
    assert alone.add_checkpoint(request(5, 8, log=NEW)).status == 200


def test_a_key_that_was_only_announced_retires_nothing(both: Witness, trees: StoredTrees) -> None:
    for old, size in ((0, 5), (5, 8), (8, 20)):
        assert both.add_checkpoint(request(old, size)).status == 200
    assert trees.retired(ORIGIN) == frozenset()
