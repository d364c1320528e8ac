"""Proofs of one entry as a file (c2sp.org/tlog-proof, `.tlog-proof`). Pure.

Such a file is a receipt: who keeps it can show later, without anybody's help, that the log held an
entry. It has the entry's index, an inclusion proof and a signed checkpoint. It does not have the
entry: whoever verifies computes the leaf.
"""

import re
from dataclasses import dataclass
from typing import Final

from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.merkle import HASH_BYTES, MAX_SIZE, verify_inclusion
from kinward.ledger.notes import MAX_NOTE_BYTES, BadNote, decode64, encode64
from kinward.ledger.witness_policy import Policy

PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_HASHES: Final = 63
MAX_EXTRA: Final = 64 * 1024  # bytes
MAX_PROOF_BYTES: Final = MAX_NOTE_BYTES + 2 * MAX_EXTRA

_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


class BadProofFile(ValueError):
    """A file that is no proof of an entry. The message says why."""


@dataclass(frozen=True)
class ProofFile:
    """The proof of an entry. `extra` is not authenticated: nobody signed it."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def to_bytes(self) -> bytes:
        """Return the file."""
        lines = [PROOF_HEADER]
        if self.extra:
            lines.append(f"extra {encode64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [encode64(value) for value in self.hashes]
        return "".join(f"{line}\n" for line in [*lines, ""]).encode() + self.checkpoint

    def verify(self, leaf: bytes, policy: Policy) -> Checkpoint:
        """Verify that the log held the leaf with this hash, and return the proof's checkpoint.

        Raises `BadNote` or `BadProof`.
        """
        checkpoint, _opened = policy.open(self.checkpoint)
        verify_inclusion(leaf, self.index, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint


def parse_proof(data: bytes) -> ProofFile:
    """Read a proof of an entry, without a look at its signatures. Raises `BadProofFile`."""
    if len(data) > MAX_PROOF_BYTES:
        raise BadProofFile(f"A proof has at most {MAX_PROOF_BYTES:,} bytes.")
    head, separator, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise BadProofFile("The lines before the checkpoint are ASCII.") from None
    if not separator or lines.pop(0) != PROOF_HEADER:
        raise BadProofFile(f"A proof begins with the line {PROOF_HEADER}.")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = _bytes_of(lines.pop(0).removeprefix("extra "), "extra data")
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if match is None or int(match[1]) > MAX_SIZE:
        raise BadProofFile("A proof has a line `index NUMBER`.")
    if len(lines) > MAX_HASHES:
        raise BadProofFile(f"A proof has at most {MAX_HASHES} hashes.")
    hashes = tuple(_bytes_of(line, "hash") for line in lines)
    if any(len(value) != HASH_BYTES for value in hashes):
        raise BadProofFile(f"A hash has {HASH_BYTES} bytes.")
    if len(extra) > MAX_EXTRA:
        raise BadProofFile(f"The extra data has at most {MAX_EXTRA:,} bytes.")
    return ProofFile(int(match[1]), hashes, checkpoint, extra)


def _bytes_of(text: str, what: str) -> bytes:
    try:
        return decode64(text)
    except BadNote as error:
        raise BadProofFile(f"The {what} of the proof: {error}") from None
