"""Keys, trees and vectors of the log's formats, as strangers' software computed them."""

import hmac
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.export_files import PART
from kinward.ledger.merkle import Subtree, leaf_hash, prove_inclusion, tree_root
from kinward.ledger.notes import (
    COSIGNATURE,
    ED25519,
    Note,
    Verifier,
    cosign_text,
    sign_text,
)
from kinward.ledger.proofs import ProofFile
from kinward.ledger.tiles import WIDTH, tile_root, tiles_of

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
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    halves = plain_root(leaves[:split]) + plain_root(leaves[split:])
    return sha256(b"\x01" + halves).digest()


def entry_line(number: int, **absent: bool) -> str:
    """An entry as a line of an export. `absent` names the fields that are withheld."""
    values = {
        "actor": '"staff:robin"',
        "subject": f'"case:{number}"',
        "data": f'{{"at":"2026-11-25T18:48:48.123456Z","number":{number}}}',
    }
    salts = {name: sha256(f"{name} {number}".encode()).digest() for name in values}
    commitments = [
        hmac.digest(salts[name], f"{name}\0{value}".encode(), "sha256").hex()
        for name, value in values.items()
    ]
    body = json.dumps(["2026-11-25T18:00:00Z", "case.opened", *commitments], separators=(",", ":"))
    line: dict[str, object] = {"leaf": f"kinward.entry/1\n{body}"}
    line |= {
        name: [salts[name].hex(), value] for name, value in values.items() if name not in absent
    }
    return json.dumps(line)


def leaf_of(line: str) -> bytes:
    """The leaf hash of such a line."""
    return leaf_hash(json.loads(line)["leaf"].encode())


def signed(checkpoint: Checkpoint, log: Signer, *witnesses: Signer) -> bytes:
    """The checkpoint as a note that the log signed, and each witness at `COSIGNED_AT`."""
    text = checkpoint.text
    signatures = [sign_text(text, log.verifier, log.sign)]
    signatures += [cosign_text(text, COSIGNED_AT, each.verifier, each.sign) for each in witnesses]
    return Note(text, tuple(signatures)).to_bytes()


def tile_rows(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The hashes of each level of tiles, leaf hashes first."""
    rows = [list(leaves)]
    while len(rows[-1]) >= WIDTH:
        row = rows[-1]
        full = range(0, len(row) - WIDTH + 1, WIDTH)
        rows.append([tile_root(row[at : at + WIDTH]) for at in full])
    return rows


def write_export(
    folder: Path,
    lines: Sequence[str],
    *,
    log: Signer | None = None,
    witnesses: Sequence[Signer] = (),
    earlier: Sequence[int] = (),
    part: int = PART,
) -> None:
    """Write an export of these entries, with earlier checkpoints of these sizes."""
    log = log or log_signer()
    leaves = [leaf_of(line) for line in lines]
    (folder / "entries").mkdir(parents=True)
    for number in range(-(-len(lines) // part)):
        text = "".join(f"{line}\n" for line in lines[number * part : (number + 1) * part])
        (folder / "entries" / f"{number:06}.jsonl").write_text(text)
    rows = tile_rows(leaves)
    for tile in tiles_of(len(leaves)):
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        start = tile.number * WIDTH
        path.write_bytes(b"".join(rows[tile.level][start : start + tile.width]))
    notes = [
        signed(Checkpoint(log.verifier.name, size, tree_root(leaves[:size])), log).decode()
        for size in earlier
    ]
    (folder / "checkpoints.jsonl").write_text("".join(f"{json.dumps(note)}\n" for note in notes))
    last = Checkpoint(log.verifier.name, len(leaves), tree_root(leaves))
    (folder / "checkpoint").write_bytes(signed(last, log, *witnesses))


def receipt(lines: Sequence[str], index: int, size: int, log: Signer | None = None) -> ProofFile:
    """A proof of an entry, as the log gave it when it had this size."""
    log = log or log_signer()
    tree = Tree([leaf_of(line) for line in lines[:size]])
    checkpoint = signed(Checkpoint(log.verifier.name, size, tree.root(size)), log)
    hashes = tuple(prove_inclusion(index, size, tree))
    return ProofFile(index, hashes, checkpoint, lines[index].encode())
