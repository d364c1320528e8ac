"""The rotations of this log's key as others verify them: each by its entry and both keys."""

import json
from collections.abc import Iterator

import msgspec

from kinward.ledger.merkle import prove_inclusion
from kinward.ledger.models import Entry, LogRotation
from kinward.ledger.openings import leaf_index, opening_of
from kinward.ledger.pinned import LogContradicted
from kinward.ledger.proofs import ProofFile
from kinward.ledger.rotations import read_rotation
from kinward.ledger.signing import tile_reader
from kinward.ledger.succession import BadRotation, Handover
from kinward.ledger.tiles import BadTile


def rotation_proofs(origin: str) -> list[bytes]:
    """Return each rotation that was carried out as a proof, oldest first.

    A proof shows the two keys of its entry, and not who changed them. Raises `BadRotation`.
    """
    carried_out = LogRotation.objects.filter(origin=origin, size__isnull=False)
    return [_proof(rotation) for rotation in carried_out.order_by("size")]


def rotation_lines(origin: str) -> Iterator[bytes]:
    """Yield each change of the key that was carried out, a proof as a JSON string.

    Raises `LogContradicted` if the database has not what the proofs need.
    """
    try:
        for proof in rotation_proofs(origin):
            yield json.dumps(proof.decode()).encode()
    except BadRotation as error:
        raise LogContradicted(str(error)) from error


def handovers_of(origin: str) -> list[Handover]:
    """Return each rotation that was carried out, verified by itself. Raises `BadRotation`."""
    return [read_rotation(proof) for proof in rotation_proofs(origin)]


def _proof(rotation: LogRotation) -> bytes:
    entry = Entry.objects.filter(seq=rotation.entry or 0).first()
    index = None if entry is None else leaf_index(entry.pk)
    if entry is None or index is None or rotation.size is None or index >= rotation.size:
        raise BadRotation(f"The entry of the rotation at size {rotation.size} is missing.")
    opening = opening_of(entry)
    shown = {name: opening[name] for name in ("leaf", "data") if name in opening}
    try:
        hashes = prove_inclusion(index, rotation.size, tile_reader(rotation.size))
    except BadTile as error:
        raise BadRotation(f"The rotation at size {rotation.size}: {error}") from error
    extra = msgspec.json.encode(shown)
    return ProofFile(index, tuple(hashes), bytes(rotation.note), extra).to_bytes()
