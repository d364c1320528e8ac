"""Asking witnesses for their cosignatures (c2sp.org/tlog-witness).

Each witness is a stranger: it may be down, slow, wrong or a liar. Whatever it answers, the log goes
on, and what is missing or strange becomes a sentence. Only a signature that fits counts.
"""

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import msgspec

from kinward.ground.calls_out import Answer, Caller, CallFailed, Limits, Reach
from kinward.ledger.checkpoints import parse_checkpoint
from kinward.ledger.notes import (
    COSIGNATURE,
    BadNote,
    Note,
    Signature,
    open_note,
    parse_note,
    parse_signatures,
)
from kinward.ledger.witness import SIZE_TYPE, Request
from kinward.ledger.witness_policy import KnownWitness, Policy

LIMITS: Final = Limits(seconds=5.0, answer_bytes=64 * 1024)
AT_A_TIME: Final = 16
ROUNDS: Final = 3  # the first question, the proof that it asks for, and once more if it moved on
CLOCKS: Final = 3600  # seconds by which the clock of a witness may differ from ours

_SIZE: Final = re.compile(r"(0|[1-9][0-9]{0,18})\n?", re.ASCII)

Prove = Callable[[int, int], Sequence[bytes]]


class Word(msgspec.Struct, frozen=True):
    """What one witness answered.

    `size`: the largest tree of this log that it has seen, as far as we know. `problem`: why it did
    not cosign, empty if it did. `alarming`: it claims to have seen another history than ours.
    """

    witness: str
    size: int
    signatures: tuple[Signature, ...] = ()
    problem: str = ""
    alarming: bool = False


class Cosigned(msgspec.Struct, frozen=True):
    """A checkpoint with the cosignatures that it got, and whether they meet the quorum."""

    note: bytes
    words: tuple[Word, ...]
    is_met: bool


def ask_witnesses(
    note: bytes,
    policy: Policy,
    *,
    known: Mapping[str, int],
    prove: Prove,
    now: float | None = None,
    only: Collection[str] | None = None,
) -> Cosigned:
    """Ask every witness of a policy that has an address to cosign a checkpoint.

    `known`: the size that each witness cosigned last, by its name. `only`: the names of those that
    are asked this time; the others' cosignatures on `note` still count. `prove` makes a consistency
    proof between two sizes; it is called in the caller's thread. Raises `BadNote` for a note that
    no log of the policy signed.
    """
    checkpoint, _opened = policy.open_signed(note)
    asked = [
        witness
        for witness in policy.witnesses.values()
        if witness.url and (only is None or witness.name in only)
    ]
    words = {each.name: Word(each.name, known.get(each.name, 0)) for each in asked}
    waiting = asked
    for _round in range(ROUNDS):
        if not waiting:
            break
        requests = [
            _request(note, checkpoint.size, words[witness.name].size, prove) for witness in waiting
        ]
        moment = time.time() if now is None else now
        with ThreadPoolExecutor(min(AT_A_TIME, len(waiting))) as pool:
            answers = pool.map(partial(_ask, now=moment), waiting, requests)
            words |= {word.witness: word for word in answers}
        waiting = [each for each in waiting if _may_ask_again(words[each.name], checkpoint.size)]
    return _gathered(note, policy, tuple(words.values()))


def _request(note: bytes, size: int, old: int, prove: Prove) -> Request:
    old = min(old, size)
    return Request(old, tuple(prove(old, size)) if 0 < old < size else (), note)


def _may_ask_again(word: Word, size: int) -> bool:
    """Whether a witness has only told us from which size to go on."""
    return not word.signatures and not word.problem and word.size <= size


def _ask(witness: KnownWitness, request: Request, now: float) -> Word:
    try:
        with Caller(limits=LIMITS, reach=Reach.STRANGERS, base=witness.url) as caller:
            answer = caller.call(
                "POST",
                "add-checkpoint",
                content=request.to_bytes(),
                headers={"content-type": "text/plain; charset=utf-8"},
            )
    except CallFailed as error:
        return Word(witness.name, request.old, problem=str(error))
    return _read(witness, request, answer, now)


def _read(witness: KnownWitness, request: Request, answer: Answer, now: float) -> Word:
    checkpoint = parse_checkpoint(parse_note(request.note).text)
    if answer.status == 200:
        return _cosigned(witness, request, checkpoint.size, answer, now)
    if answer.status == 409:
        return _conflict(witness, request, checkpoint.size, answer)
    sentences = {
        400: "It could not read the request.",
        403: "It does not accept the key of this log. Give its operator the present verifier key.",
        404: "It does not watch this log. Give its operator the log's verifier key.",
        422: f"It has seen another history of this log up to size {request.old}.",
    }
    sentence = sentences.get(answer.status, f"It answered with the status {answer.status}.")
    return Word(witness.name, request.old, problem=sentence, alarming=answer.status == 422)


def _cosigned(
    witness: KnownWitness, request: Request, size: int, answer: Answer, now: float
) -> Word:
    note = parse_note(request.note)
    try:
        lines = parse_signatures(answer.body.decode())
        opened = open_note(Note(note.text, lines).to_bytes(), [witness.verifier])
    except (BadNote, UnicodeDecodeError) as error:
        return Word(witness.name, request.old, problem=f"Its answer does not count: {error}")
    signature = max((each for _who, each in opened.verified), key=lambda one: one.cosigned_at)
    if abs(signature.cosigned_at - now) > CLOCKS:
        problem = "Its clock and ours differ by more than an hour."
        return Word(witness.name, size, problem=problem)
    return Word(witness.name, size, signatures=(signature,))


def _conflict(witness: KnownWitness, request: Request, size: int, answer: Answer) -> Word:
    """Read from which size a witness wants a proof. The first answer is no problem yet."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    match = _SIZE.fullmatch(answer.text)
    if kind != SIZE_TYPE or match is None:
        return Word(witness.name, request.old, problem="It does not say which size it has seen.")
    seen = int(match[1])
    if seen > size:
        problem = f"It claims to have seen {seen} entries of this log, which has {size}."
        return Word(witness.name, seen, problem=problem, alarming=True)
    if seen == request.old:
        problem = f"It has seen another tree of size {seen}, or contradicts itself."
        return Word(witness.name, seen, problem=problem, alarming=True)
    return Word(witness.name, seen)


def _gathered(note: bytes, policy: Policy, words: tuple[Word, ...]) -> Cosigned:
    words = tuple(
        word
        if word.signatures or word.problem
        else msgspec.structs.replace(word, problem="It asked for another size each time.")
        for word in words
    )
    parsed = parse_note(note)
    added = tuple(signature for word in words for signature in word.signatures)
    fresh = {(each.name, each.key_id) for each in added}
    kept = tuple(each for each in parsed.signatures if (each.name, each.key_id) not in fresh)
    whole = Note(parsed.text, kept + added).to_bytes()
    signers = policy.open_signed(whole)[1].verified
    met = policy.is_met_by(who for who, _signature in signers if who.kind == COSIGNATURE)
    return Cosigned(whole, words, met)
