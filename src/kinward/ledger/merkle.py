"""The Merkle tree of RFC 6962 and RFC 9162 (2.1) over SHA-256: frontier, proofs, checks. Pure.

Hashes have 32 bytes. Leaves are counted from 0. `read(subtree)` returns the root of a full subtree,
as `tiles.TileReader` does. Verification raises `BadProof` with the reason.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256().digest()
MAX_SIZE: Final = 2**63 - 1  # leaves; what a signed 64-bit column holds

_sha256 = hashlib.sha256


class BadProof(ValueError):
    """A proof that does not prove what it claims. The message says why."""


class Subtree(NamedTuple):
    """A full subtree: the `2**level` leaves that begin with leaf `number * 2**level`."""

    level: int
    number: int


Reader = Callable[[Subtree], bytes]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf with these bytes."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above these two."""
    return _sha256(b"\x01" + left + right).digest()


def tree_root(hashes: Iterable[bytes]) -> bytes:
    """Return the root of a tree with these leaf hashes."""
    frontier = Frontier()
    frontier.extend(hashes)
    return frontier.root()


class Frontier:
    """The right edge of a tree: the roots of its full subtrees, largest first."""

    __slots__ = ("_roots", "_size")

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        if not 0 <= size <= MAX_SIZE or len(roots) != size.bit_count():
            raise ValueError(f"A frontier of size {size} has {size.bit_count()} hashes.")
        if any(len(root) != HASH_BYTES for root in roots):
            raise ValueError(f"A hash of a frontier has {HASH_BYTES} bytes.")
        self._size = size
        self._roots = list(roots)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The roots of the full subtrees, largest first."""
        return tuple(self._roots)

    def append(self, leaf: bytes) -> None:
        """Append a leaf by its hash."""
        roots, position = self._roots, self._size
        while position & 1:
            leaf = _sha256(b"\x01" + roots.pop() + leaf).digest()
            position >>= 1
        roots.append(leaf)
        self._size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaves by their hashes."""
        for leaf in leaves:
            self.append(leaf)

    def append_subtree(self, level: int, root: bytes) -> None:
        """Append a full subtree of `2**level` leaves. The size must be a multiple of that."""
        if self._size & ((1 << level) - 1):
            raise ValueError(f"A subtree of level {level} does not fit at size {self._size}.")
        position = self._size >> level
        while position & 1:
            root = node_hash(self._roots.pop(), root)
            position >>= 1
        self._roots.append(root)
        self._size += 1 << level

    def root(self) -> bytes:
        """Return the root of the tree of this size."""
        return fold(self._roots)

    def copy(self) -> "Frontier":
        """Return a frontier that grows on its own."""
        return Frontier(self._size, self._roots)

    def to_bytes(self) -> bytes:
        """Return 8 bytes of size, big-endian, and the hashes."""
        return self._size.to_bytes(8, "big") + b"".join(self._roots)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Frontier":
        """Restore what `to_bytes` wrote. Raises `ValueError` for anything else."""
        body = data[8:]
        if len(data) < 8 or len(body) % HASH_BYTES:
            raise ValueError("A frontier is 8 bytes of size and whole hashes.")
        return cls(int.from_bytes(data[:8], "big"), split_hashes(body))


def split_hashes(data: bytes) -> list[bytes]:
    """Split bytes into hashes; a rest that is no whole hash stays as it is."""
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]


def fold(roots: Sequence[bytes]) -> bytes:
    """Return the root over full subtrees that lie side by side, largest first."""
    if not roots:
        return EMPTY_ROOT
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = node_hash(left, root)
    return root


def subtrees(start: int, end: int) -> Iterator[Subtree]:
    """Yield the full subtrees of these leaves, from the left. `start` is where one may begin."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield Subtree(level, start >> level)
        start += 1 << level


def inclusion_parts(index: int, size: int) -> list[list[Subtree]]:
    """Return, for each hash of an inclusion proof, sibling first, the subtrees that make it up."""
    if not 0 <= index < size:
        raise BadProof(f"Leaf {index} is not in a tree of {size}.")
    parts, low, high = [], 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            parts.append((middle, high))
            high = middle
        else:
            parts.append((low, middle))
            low = middle
    return [list(subtrees(*part)) for part in reversed(parts)]


def consistency_parts(old: int, size: int) -> list[list[Subtree]]:
    """Return, for each hash of a consistency proof, the subtrees that make it up."""
    if not 0 <= old <= size:
        raise BadProof(f"A tree of {size} cannot come after one of {old}.")
    if old in {0, size}:
        return []
    parts, low, high = [], 0, size
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            parts.append((middle, high))
            high = middle
        else:
            parts.append((low, middle))
            low = middle
    if low:
        parts.append((low, high))
    return [list(subtrees(*part)) for part in reversed(parts)]


def prove_inclusion(index: int, size: int, read: Reader) -> list[bytes]:
    """Prove that a leaf is in the tree of this size: hashes, sibling first."""
    return [fold([read(tree) for tree in part]) for part in inclusion_parts(index, size)]


def prove_consistency(old: int, size: int, read: Reader) -> list[bytes]:
    """Prove that the tree of `old` leaves is the beginning of the tree of `size`."""
    return [fold([read(tree) for tree in part]) for part in consistency_parts(old, size)]


def root_at(size: int, read: Reader) -> bytes:
    """Return the root of the first `size` leaves."""
    return fold([read(tree) for tree in subtrees(0, size)])


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Verify that the leaf with this hash has this index in the tree with this size and root."""
    if not 0 <= index < size:
        raise BadProof(f"Leaf {index} is not in a tree of {size}.")
    _check_lengths(leaf, root, *proof)
    position, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise BadProof("The inclusion proof is too long.")
        if position & 1 or position == last:
            computed = node_hash(sibling, computed)
            position, last = _skip_even(position, last)
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise BadProof("The inclusion proof is too short.")
    if computed != root:
        raise BadProof(f"Leaf {index} leads to another root at size {size}.")


def verify_consistency(
    old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes
) -> None:
    """Verify that the tree of `old` leaves is the beginning of the tree of `size`."""
    if not 0 <= old <= size:
        raise BadProof(f"A tree of {size} cannot come after one of {old}.")
    _check_lengths(old_root, root, *proof)
    if old in {0, size}:
        _verify_trivial(old, size, proof, old_root, root)
        return
    before, after = _roots_of_consistency(old, size, proof, old_root)
    if before != old_root:
        raise BadProof(f"The proof leads to another root at size {old}.")
    if after != root:
        raise BadProof(f"The proof leads to another root at size {size}.")


def _roots_of_consistency(
    old: int, size: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes]:
    """Return the roots at `old` and at `size` to which the proof leads."""
    hashes = [old_root, *proof] if old.bit_count() == 1 else list(proof)
    if not hashes:
        raise BadProof("The consistency proof is too short.")
    position, last = old - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise BadProof("The consistency proof is too long.")
        if position & 1 or position == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            position, last = _skip_even(position, last)
        else:
            after = node_hash(after, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise BadProof("The consistency proof is too short.")
    return before, after


def _verify_trivial(
    old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes
) -> None:
    if proof:
        raise BadProof(f"From {old} to {size} leaves there is nothing to prove.")
    if old == 0 and old_root != EMPTY_ROOT:
        raise BadProof("The root at size 0 is not that of an empty tree.")
    if old == size and old_root != root:
        raise BadProof(f"Two trees of {size} leaves have different roots.")


def _check_lengths(*hashes: bytes) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise BadProof(f"A hash has {HASH_BYTES} bytes.")


def _skip_even(position: int, last: int) -> tuple[int, int]:
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
