"""The Merkle tree: the vectors of strangers, and properties over all small trees."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.ledger.merkle import (
    EMPTY_ROOT,
    BadProof,
    Frontier,
    consistency_parts,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root_at,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from tests.support.transparency import LEAVES, ROOTS, Tree, leaf, plain_root

MOST = 70
GROWN = Tree([leaf(number) for number in range(MOST + 1)])
GROWN_ROOTS = [plain_root(GROWN.leaves[:size]) for size in range(MOST + 2)]
VECTOR = Tree([leaf_hash(data) for data in LEAVES])
sizes = st.integers(1, MOST)


def of_hex(*texts: str) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


@pytest.mark.parametrize("size", range(9))
def test_the_roots_of_the_vectors(size: int) -> None:
    assert tree_root(VECTOR.leaves[:size]) == ROOTS[size]
    assert root_at(size, VECTOR) == ROOTS[size]


def test_the_inclusion_proofs_of_the_vectors() -> None:
    assert prove_inclusion(5, 8, VECTOR) == of_hex(
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        ROOTS[4].hex(),
    )
    assert prove_inclusion(2, 3, VECTOR) == [ROOTS[2]]
    assert prove_inclusion(0, 1, VECTOR) == []


def test_the_consistency_proofs_of_the_vectors() -> None:
    assert prove_consistency(6, 8, VECTOR) == of_hex(
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        ROOTS[4].hex(),
    )
    assert prove_consistency(2, 5, VECTOR) == of_hex(
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    )
    assert prove_consistency(8, 8, VECTOR) == prove_consistency(0, 8, VECTOR) == []


def test_every_inclusion_verifies_in_every_small_tree() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = prove_inclusion(index, size, GROWN)
            verify_inclusion(leaf(index), index, size, proof, GROWN_ROOTS[size])


def test_every_small_tree_is_consistent_with_every_smaller_one() -> None:
    for size in range(MOST + 1):
        for old in range(size + 1):
            proof = prove_consistency(old, size, GROWN)
            verify_consistency(old, size, proof, GROWN_ROOTS[old], GROWN_ROOTS[size])


@given(sizes, st.data())
def test_a_changed_byte_or_place_fails_an_inclusion(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(index, size, GROWN)
    root = GROWN_ROOTS[size]
    with pytest.raises(BadProof):
        verify_inclusion(leaf(index + 1), index, size, proof, root)
    with pytest.raises(BadProof):
        verify_inclusion(leaf(index), index, size, proof, changed(root, data))
    with pytest.raises(BadProof):
        verify_inclusion(leaf(index), index, size, [*proof, root], root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        other = [*proof[:at], changed(proof[at], data), *proof[at + 1 :]]
        with pytest.raises(BadProof):
            verify_inclusion(leaf(index), index, size, other, root)
        with pytest.raises(BadProof):
            verify_inclusion(leaf(index), index, size, proof[:-1], root)


@given(sizes, st.data())
def test_a_changed_byte_or_length_fails_a_consistency(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    proof = prove_consistency(old, size, GROWN)
    old_root, root = GROWN_ROOTS[old], GROWN_ROOTS[size]
    with pytest.raises(BadProof):
        verify_consistency(old, size, proof, changed(old_root, data), root)
    with pytest.raises(BadProof):
        verify_consistency(old, size, proof, old_root, changed(root, data))
    with pytest.raises(BadProof):
        verify_consistency(old, size, [*proof, root], old_root, root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        other = [*proof[:at], changed(proof[at], data), *proof[at + 1 :]]
        with pytest.raises(BadProof):
            verify_consistency(old, size, other, old_root, root)
        with pytest.raises(BadProof):
            verify_consistency(old, size, proof[:-1], old_root, root)


@pytest.mark.parametrize("index", [8, 9, -1, 2**63])
def test_a_leaf_outside_the_tree_is_refused(index: int) -> None:
    with pytest.raises(BadProof, match="is not in a tree of 8"):
        verify_inclusion(VECTOR.leaves[0], index, 8, [], ROOTS[8])


def test_a_hash_of_another_length_is_refused() -> None:
    proof = prove_inclusion(5, 8, VECTOR)
    for other in ([proof[0][:31], *proof[1:]], [proof[0] + b"\x00", *proof[1:]]):
        with pytest.raises(BadProof, match="32 bytes"):
            verify_inclusion(VECTOR.leaves[5], 5, 8, other, ROOTS[8])


def test_a_tree_that_shrank_or_forked_is_refused() -> None:
    with pytest.raises(BadProof, match="A tree of 6 cannot come after one of 8"):
        verify_consistency(8, 6, [], ROOTS[8], ROOTS[6])
    with pytest.raises(BadProof, match="Two trees of 8 leaves have different roots"):
        verify_consistency(8, 8, [], ROOTS[8], ROOTS[7])
    with pytest.raises(BadProof, match="empty tree"):
        verify_consistency(0, 8, [], ROOTS[1], ROOTS[8])
    with pytest.raises(BadProof, match="nothing to prove"):
        verify_consistency(0, 8, [ROOTS[1]], EMPTY_ROOT, ROOTS[8])
    forked = Tree([*VECTOR.leaves[:5], leaf(99), *VECTOR.leaves[6:]])
    with pytest.raises(BadProof, match="another root at size 6"):
        proof = prove_consistency(6, 8, forked)
        verify_consistency(6, 8, proof, ROOTS[6], forked.root(8))
    with pytest.raises(BadProof):
        consistency_parts(9, 8)


def test_a_frontier_is_restored_and_goes_on() -> None:
    frontier = Frontier()
    for size in range(MOST + 1):
        restored = Frontier.from_bytes(frontier.to_bytes())
        assert (restored.size, restored.root()) == (size, GROWN_ROOTS[size])
        frontier = restored
        frontier.append(leaf(size))


@given(st.integers(0, MOST), st.integers(0, 6), st.integers(0, 8))
@settings(max_examples=60)
def test_a_full_subtree_is_appended_as_its_leaves_are(size: int, level: int, more: int) -> None:
    size = size >> level << level
    frontier = Frontier()
    frontier.extend(GROWN.leaves[:size])
    run = [leaf(1000 + number) for number in range(1 << level)]
    frontier.append_subtree(level, tree_root(run))
    frontier.extend(run[:more])
    assert frontier.root() == plain_root([*GROWN.leaves[:size], *run, *run[:more]])


@pytest.mark.parametrize(
    "data", [b"", bytes(7), bytes(8) + b"x", (3).to_bytes(8, "big") + bytes(32), b"\xff" * 8]
)
def test_what_is_no_frontier_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier.from_bytes(data)


def test_a_subtree_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit at size 1"):
        Frontier(1, [leaf(0)]).append_subtree(1, leaf(1))


def changed(value: bytes, data: st.DataObject) -> bytes:
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.integers(1, 255))
    return value[:at] + bytes([value[at] ^ other]) + value[at + 1 :]


def test_a_proof_that_ends_too_early_is_refused_whatever_the_root() -> None:
    """A leaf is no root of a larger tree, and one tree is no larger one, even if both are equal."""
    with pytest.raises(BadProof, match="inclusion proof is too short"):
        verify_inclusion(leaf(0), 0, 2, [], leaf(0))
    with pytest.raises(BadProof, match="consistency proof is too short"):
        verify_consistency(1, 2, [], leaf(0), leaf(0))
    with pytest.raises(BadProof, match="consistency proof is too short"):
        verify_consistency(3, 5, [], leaf(0), leaf(0))
