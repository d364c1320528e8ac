"""Rotations of a log's key, as files for strangers. Pure.

A rotation is a proof of its entry (c2sp.org/tlog-proof). The entry names the key before and the key
after, and both signed the checkpoint of the proof. `rotations.jsonl` has one a line, each as a JSON
string.
"""

import json
from collections.abc import Iterator

from kinward.ledger.checkpoints import parse_checkpoint
from kinward.ledger.export_files import NotVerified, key_change, leaf_bytes
from kinward.ledger.merkle import BadProof, leaf_hash, verify_inclusion
from kinward.ledger.notes import BadNote, open_note
from kinward.ledger.proofs import BadProofFile, parse_proof
from kinward.ledger.succession import BadRotation, Handover


def read_rotation(proof: bytes) -> Handover:
    """Verify a rotation by itself. Raises `BadRotation`."""
    try:
        return _verified(proof)
    except BadRotation:
        raise
    except (BadProofFile, BadProof, BadNote, NotVerified) as error:
        raise BadRotation(f"A rotation does not prove what it says: {error}") from None


def _verified(proof: bytes) -> Handover:
    parsed = parse_proof(proof)
    leaf, _opened = leaf_bytes(parsed.index, parsed.extra)
    change = key_change(parsed.index, parsed.extra, leaf)
    if change is None:
        raise BadRotation("The entry of a rotation changes no key.")
    opened = open_note(parsed.checkpoint, change)
    checkpoint = parse_checkpoint(opened.text)
    if {who for who, _signature in opened.verified} != set(change):
        raise BadRotation("The checkpoint of a rotation is not signed by both keys.")
    if checkpoint.origin != change.after.name:
        raise BadRotation(f"The checkpoint of a rotation is of {checkpoint.origin!r}.")
    size, root = checkpoint.size, checkpoint.root
    verify_inclusion(leaf_hash(leaf), parsed.index, size, parsed.hashes, root)
    return Handover(parsed.index, size, root, *change)


def read_rotations(lines: bytes) -> Iterator[Handover]:
    """Yield the rotations of a file, each verified by itself. Raises `BadRotation`."""
    for number, line in enumerate(lines.splitlines(), 1):
        try:
            proof = json.loads(line)
        except (ValueError, RecursionError):
            proof = None
        if not isinstance(proof, str):
            raise BadRotation(f"Line {number} of the rotations is no JSON string.")
        yield read_rotation(proof.encode("utf-8", "replace"))
