"""The witness of other logs (c2sp.org/tlog-witness): it cosigns what only ever grows. Pure.

For each log a witness keeps the largest checkpoint that it cosigned. It cosigns another one if that
goes on from there. What a log signed and the witness had to refuse is kept: it may show a fork.

A log may have several keys. Once the witness has cosigned what a newer one signed, the one before
is retired for good, and what only a retired key signs is refused.
"""

import hashlib
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from kinward.ledger.checkpoints import Checkpoint, parse_checkpoint
from kinward.ledger.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, BadProof, verify_consistency
from kinward.ledger.notes import (
    MAX_NOTE_BYTES,
    BadNote,
    Note,
    Signature,
    Verifier,
    cosign_text,
    decode64,
    encode64,
    open_note,
    parse_note,
)

MAX_PROOF_LINES: Final = 63
MAX_REQUEST: Final = MAX_NOTE_BYTES + 8 * 1024  # bytes
TEXT: Final = "text/plain; charset=utf-8"
SIZE_TYPE: Final = "text/x.tlog.size"

_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


class BadRequest(ValueError):
    """A request that is not in the form of the protocol."""


class Request(NamedTuple):
    """What somebody asks of a witness: to go on from a size, by a proof, to a checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def to_bytes(self) -> bytes:
        """Return the body of the request."""
        lines = [f"old {self.old}", *(encode64(value) for value in self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.note


class WitnessAnswer(NamedTuple):
    """The status, the body and its type."""

    status: int
    body: str
    type: str = TEXT


class Seen(NamedTuple):
    """The largest checkpoint of a log that was cosigned, the note, and when."""

    size: int
    root: bytes
    note: bytes
    seconds: int


NOTHING_SEEN: Final = Seen(0, EMPTY_ROOT, b"", 0)


class SeenTrees(Protocol):
    """What a witness keeps. Inside `turn` nobody else reads or writes."""

    def turn(self) -> AbstractContextManager[None]:
        """Begin a transaction that is on disk when it ends."""
        ...

    def last(self, origin: str) -> Seen:
        """Return what was cosigned last; `NOTHING_SEEN` if nothing was."""
        ...

    def keep(self, origin: str, seen: Seen) -> None:
        """Replace what was cosigned last."""
        ...

    def retired(self, origin: str) -> frozenset[str]:
        """Return the keys of a log (verifier keys) that count no more."""
        ...

    def retire(self, origin: str, vkey: str) -> None:
        """Keep for good that a key counts no more. Idempotent."""
        ...

    def refuse(self, checkpoint: Checkpoint, why: str, body: bytes, seconds: int) -> None:
        """Keep a refused request, once for each checkpoint that a log signed."""
        ...


@dataclass(frozen=True)
class Witness:
    """A witness: its key, the logs that it watches, what it has seen, and its clock."""

    verifier: Verifier
    sign: Callable[[bytes], bytes]
    logs: tuple[Verifier, ...]
    trees: SeenTrees
    clock: Callable[[], int]

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Answer a request: cosign the checkpoint, or say why not."""
        try:
            request = parse_request(body)
            checkpoint = parse_checkpoint(parse_note(request.note).text)
        except (BadRequest, BadNote) as error:
            return _refusal(400, str(error))
        known = [log for log in self.logs if log.name == checkpoint.origin]
        if not known:
            return _refusal(404, "This witness does not know the log.")
        try:
            opened = open_note(request.note, known)
        except BadNote as error:
            return _refusal(403, str(error))
        if request.old > checkpoint.size:
            return _refusal(400, f"The old size is above the new one, {checkpoint.size}.")
        with self.trees.turn():
            return self._go_on(request, checkpoint, dict(opened.verified), body)

    def _go_on(
        self,
        request: Request,
        checkpoint: Checkpoint,
        signed: dict[Verifier, Signature],
        body: bytes,
    ) -> WitnessAnswer:
        last = self.trees.last(checkpoint.origin)
        retired = self.trees.retired(checkpoint.origin)
        in_force = {key: value for key, value in signed.items() if key.vkey not in retired}
        if not in_force:
            why = "Only a key signed it that a newer one has replaced."
            self.trees.refuse(checkpoint, why, body, self.clock())
            return _refusal(403, why)
        if request.old != last.size:
            return WitnessAnswer(409, f"{last.size}\n", SIZE_TYPE)
        seconds = max(self.clock(), last.seconds)  # a clock that was set back unsays nothing
        try:
            verify_consistency(
                last.size, checkpoint.size, request.proof, last.root, checkpoint.root
            )
        except BadProof as error:
            self.trees.refuse(checkpoint, str(error), body, seconds)
            return _refusal(422, str(error))
        cosignature = cosign_text(checkpoint.text, seconds, self.verifier, self.sign)
        note = Note(checkpoint.text, (*in_force.values(), cosignature)).to_bytes()
        for key in self._replaced(last, set(in_force)):
            self.trees.retire(checkpoint.origin, key.vkey)
        seen = Seen(checkpoint.size, checkpoint.root, note, seconds)
        self.trees.keep(checkpoint.origin, seen)
        return WitnessAnswer(200, cosignature.line)

    def _replaced(self, last: Seen, signers: set[Verifier]) -> set[Verifier]:
        """Return the keys that count no more once these have signed.

        What was cosigned before says which key is the newer one. Without it, the order does in
        which the witness was told of them, the newest first.
        """
        if not last.note:
            newest = next(log for log in self.logs if log in signers)
            older = self.logs[self.logs.index(newest) + 1 :]
            return {log for log in older if log.name == newest.name}
        try:
            before = {key for key, _signature in open_note(last.note, self.logs).verified}
        except BadNote:  # this witness does not watch that key any more
            return set()
        return before if signers - before else before - signers

    def checkpoint(self, digest: str) -> WitnessAnswer:
        """Answer with the last cosigned checkpoint of the log whose origin has this SHA-256."""
        for log in self.logs:
            if origin_digest(log.name) == digest:
                note = self.trees.last(log.name).note
                if note:
                    return WitnessAnswer(200, note.decode())
        return _refusal(404, "This witness has cosigned nothing of that log.")


def origin_digest(origin: str) -> str:
    """Return the hex SHA-256 of an origin, under which its checkpoint is read."""
    return hashlib.sha256(origin.encode()).hexdigest()


def parse_request(body: bytes) -> Request:
    """Read the body of a request. Raises `BadRequest`."""
    if len(body) > MAX_REQUEST:
        raise BadRequest(f"A request has at most {MAX_REQUEST:,} bytes.")
    head, separator, note = body.partition(b"\n\n")
    try:
        old, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise BadRequest("The lines before the checkpoint are ASCII.") from None
    match = _OLD.fullmatch(old)
    if not separator or match is None or int(match[1]) > MAX_SIZE:
        raise BadRequest("A request has a line `old SIZE`, a proof, an empty line, a checkpoint.")
    if len(lines) > MAX_PROOF_LINES:
        raise BadRequest(f"A proof has at most {MAX_PROOF_LINES} lines.")
    try:
        proof = tuple(decode64(line) for line in lines)
    except BadNote as error:
        raise BadRequest(f"A line of the proof: {error}") from None
    if any(len(value) != HASH_BYTES for value in proof):
        raise BadRequest(f"A hash of the proof has {HASH_BYTES} bytes.")
    return Request(int(match[1]), proof, note)


def _refusal(status: int, sentence: str) -> WitnessAnswer:
    return WitnessAnswer(status, f"{sentence}\n")
