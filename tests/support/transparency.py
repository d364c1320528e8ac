"""Keys, trees and vectors of the log's formats, as strangers' software computed them."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kinward.ledger.merkle import Subtree, leaf_hash, tree_root
from kinward.ledger.notes import COSIGNATURE, ED25519, Verifier

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
ORIGIN = "kinward.example/ledger"
LOG_VKEY = "kinward.example/ledger+4224894e+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
WITNESS_VKEY = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
COSIGNED_AT = 1767225600  # 2026-01-01T00:00:00Z
CHECKPOINT = """\
kinward.example/ledger
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— kinward.example/ledger \
QiSJTviq5W55v+MuP9uYNUnmEvijLqKhxt8QG5BDbpdTDn9b1B9JVZJlvIFXA9q1N4ikkPWnAos0xvET+yGLGm2G9gU=
— witness.example/w1 \
IDJKvgAAAABpVbkA9DzawNV278xdv3owFWel04ba+ZqVVvVJlIeCVtPFRpBHoDDyNjvc4ENxk/tehqaunQhR+ibY66i7BPM9vez4DQ==
""".encode()


class Signer:
    """A private key that is as good as public: its seed counts up from a number."""

    def __init__(self, name: str, first: int, kind: int = ED25519) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(range(first, first + 32)))
        self.verifier = Verifier(name, kind, self._key.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def log_signer(origin: str = ORIGIN) -> Signer:
    return Signer(origin, 0)


def witness_signer(name: str = "witness.example/w1", first: int = 0x20) -> Signer:
    return Signer(name, first, COSIGNATURE)


def leaf(number: int) -> bytes:
    """The hash of a leaf of the generated trees."""
    return leaf_hash(b"entry %d" % number)


class Tree:
    """All leaf hashes of a tree in memory; it reads subtrees by computing them."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = list(leaves)

    def root(self, size: int) -> bytes:
        return tree_root(self.leaves[:size])

    def __call__(self, subtree: Subtree) -> bytes:
        start = subtree.number << subtree.level
        hashes = self.leaves[start : start + (1 << subtree.level)]
        assert len(hashes) == 1 << subtree.level
        return tree_root(hashes)


def plain_root(leaves: Sequence[bytes]) -> bytes:
    """The root as RFC 6962 defines it, by recursion: the reference of the properties."""
    from hashlib import sha256

    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    halves = plain_root(leaves[:split]) + plain_root(leaves[split:])
    return sha256(b"\x01" + halves).digest()
