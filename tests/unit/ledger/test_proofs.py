"""Proofs of one entry as a file: what a person who keeps one can show."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.ledger.merkle import BadProof, leaf_hash
from kinward.ledger.notes import BadNote
from kinward.ledger.proofs import MAX_PROOF_BYTES, BadProofFile, ProofFile, parse_proof
from kinward.ledger.witness_policy import TooFewWitnesses, parse_policy
from tests.support.transparency import (
    CHECKPOINT,
    LEAVES,
    LOG_VKEY,
    ROOTS,
    WITNESS_VKEY,
    entry_line,
    leaf_of,
    receipt,
)

VECTOR = ProofFile(
    5,
    (
        bytes.fromhex("bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"),
        bytes.fromhex("ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"),
        ROOTS[4],
    ),
    CHECKPOINT,
)
TEXT = (
    b"c2sp.org/tlog-proof@v1\nindex 5\n"
    b"vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=\n"
    b"yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=\n"
    b"037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=\n\n"
) + CHECKPOINT
LOG_ALONE = parse_policy(f"log {LOG_VKEY}\nquorum none\n".encode())
WITH_WITNESS = parse_policy(f"log {LOG_VKEY}\nwitness w {WITNESS_VKEY}\nquorum w\n".encode())


def test_the_vector_is_written_read_and_verified() -> None:
    assert VECTOR.to_bytes() == TEXT
    assert parse_proof(TEXT) == VECTOR
    for policy in (LOG_ALONE, WITH_WITNESS):
        assert VECTOR.verify(leaf_hash(LEAVES[5]), policy).size == 8


def test_another_leaf_place_or_hash_is_refused() -> None:
    leaf = leaf_hash(LEAVES[5])
    with pytest.raises(BadProof):
        VECTOR.verify(leaf_hash(LEAVES[4]), LOG_ALONE)
    with pytest.raises(BadProof):
        replace(VECTOR, index=4).verify(leaf, LOG_ALONE)
    with pytest.raises(BadProof):
        replace(VECTOR, hashes=VECTOR.hashes[::-1]).verify(leaf, LOG_ALONE)
    with pytest.raises(BadNote):
        replace(VECTOR, checkpoint=CHECKPOINT.replace(b"\n8\n", b"\n9\n")).verify(leaf, LOG_ALONE)


def test_a_receipt_without_the_witness_does_not_meet_the_quorum() -> None:
    lines = [entry_line(number) for number in range(6)]
    proof = parse_proof(receipt(lines, 3, 6).to_bytes())
    assert proof.extra == lines[3].encode()
    assert proof.verify(leaf_of(lines[3]), LOG_ALONE).size == 6
    with pytest.raises(TooFewWitnesses, match="Of the 1 known witnesses 0"):
        proof.verify(leaf_of(lines[3]), WITH_WITNESS)


@given(
    st.integers(0, 2**62), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary()
)
def test_a_proof_is_read_as_it_is_written(index: int, hashes: list[bytes], extra: bytes) -> None:
    proof = ProofFile(index, tuple(hashes), CHECKPOINT, extra)
    assert parse_proof(proof.to_bytes()) == proof


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"tlog-proof@v1", b"tlog-proof@v2", "begins with the line"),
        (b"index 5", b"index 05", "index NUMBER"),
        (b"index 5", b"index -5", "index NUMBER"),
        (b"index 5\n", b"", "index NUMBER"),
        (b"index 5", b"index 9999999999999999999", "index NUMBER"),
        (b"index 5", b"extra AA\nindex 5", "extra data"),
        (b"vBoG", b"vBo", "base64"),
        (b"vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=", b"AAAA", "32 bytes"),
        (b"\n\nkinward", b"\nkinward", "hash of the proof|ASCII"),
        (b"index 5\n", b"index 5\n" + b"vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=\n" * 61, "63"),
    ],
)
def test_a_malformed_proof_says_why(old: bytes, new: bytes, why: str) -> None:
    with pytest.raises(BadProofFile, match=why):
        parse_proof(TEXT.replace(old, new, 1))


@pytest.mark.parametrize("data", [b"", b"\n\n", "ü\n\n".encode(), b"x" * (MAX_PROOF_BYTES + 1)])
def test_what_is_no_proof_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(BadProofFile):
        parse_proof(data)
