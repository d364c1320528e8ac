"""Strangers agree: Go's own implementation verifies our checkpoint, tiles and proofs."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kinward.ledger.merkle import prove_consistency, prove_inclusion, root_at
from kinward.ledger.tiles import Tile, TileReader
from tests.support import golang
from tests.support.transparency import (
    LOG_VKEY,
    entry_line,
    leaf_of,
    plain_root,
    tile_rows,
    write_export,
)

SIZE = 20_300  # 79 full tiles and one with 76 hashes
INCLUSIONS, CONSISTENCIES = 1_000, 200
LINES = [entry_line(number) for number in range(SIZE)]
LEAVES = [leaf_of(line) for line in LINES]
ROWS = tile_rows(LEAVES)
OLDER = (1, 255, 256, 257, 6_000, 16_384)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("go") / "export"
    write_export(folder, LINES)
    return folder


@pytest.fixture(scope="module")
def proofs() -> dict[str, Any]:
    """1,000 random inclusion proofs and 200 consistency proofs, read out of the tiles."""
    chance = random.Random(20)

    sizes = [*OLDER, *[SIZE] * (INCLUSIONS - len(OLDER))]
    olds = [*OLDER, *(chance.randrange(1, SIZE) for _ in range(CONSISTENCIES - len(OLDER)))]
    readers = {size: TileReader(size, fetch) for size in (*olds, SIZE)}
    roots = {size: root_at(size, reader) for size, reader in readers.items()}

    def inclusion(size: int) -> dict[str, Any]:
        index = chance.randrange(size)
        hashes = prove_inclusion(index, size, readers[size])
        return {
            "Index": index,
            "Size": size,
            "Leaf": LEAVES[index],
            "Root": roots[size],
            "Hashes": hashes,
        }

    def consistency(old: int) -> dict[str, Any]:
        return {
            "Old": old,
            "Size": SIZE,
            "OldRoot": roots[old],
            "Root": roots[SIZE],
            "Hashes": prove_consistency(old, SIZE, readers[SIZE]),
        }

    return {
        "inclusion": [inclusion(size) for size in sizes],
        "consistency": [consistency(old) for old in olds],
    }


def fetch(tile: Tile) -> bytes:
    start = tile.number * 256
    return b"".join(ROWS[tile.level][start : start + tile.width])


def test_go_verifies_the_checkpoint_the_tiles_and_the_proofs(
    export: Path, proofs: dict[str, Any], tmp_path: Path
) -> None:
    if not golang.find_go():
        golang.say_that_go_is_missing()
        check_by_recursion(proofs["inclusion"][:20], proofs["consistency"][:20])
        return
    binary = golang.build(tmp_path)
    assert golang.judge(binary, LOG_VKEY, export, proofs) == (
        f"ok: size {SIZE}, {SIZE} entries, {INCLUSIONS} inclusion proofs, "
        f"{CONSISTENCIES} consistency proofs"
    )
    for kind in ("inclusion", "consistency"):
        changed = dict(proofs[kind][-1])
        changed["Hashes"] = [bytes(32), *changed["Hashes"][1:]]
        wrong: dict[str, Any] = {"inclusion": [], "consistency": []} | {kind: [changed]}
        assert golang.judge(binary, LOG_VKEY, export, wrong).startswith(f"refused: {kind} of")
    none: dict[str, Any] = {"inclusion": [], "consistency": []}
    checkpoint = export / "checkpoint"
    note = checkpoint.read_bytes()
    checkpoint.write_bytes(note.replace(b"\n20300\n", b"\n20301\n"))
    assert golang.judge(binary, LOG_VKEY, export, none).startswith("refused: invalid signature")
    checkpoint.write_bytes(note)
    entries = export / "entries" / "000000.jsonl"
    text = entries.read_text()
    entries.write_text(text.replace("case.opened", "case.closed", 1))
    assert golang.judge(binary, LOG_VKEY, export, none).startswith("refused: an entry of 000000")
    entries.write_text(text)


def check_by_recursion(inclusion: Sequence[Any], consistency: Sequence[Any]) -> None:
    """Without Go, RFC 6962's own recursive definition judges a few proofs."""
    for proof in inclusion:
        leaves = LEAVES[: proof["Size"]]
        assert proof["Root"] == plain_root(leaves)
        assert proof["Hashes"] == plain_path(proof["Index"], leaves)
    for proof in consistency:
        assert proof["OldRoot"] == plain_root(LEAVES[: proof["Old"]])


def plain_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*plain_path(index, leaves[:split]), plain_root(leaves[split:])]
    return [*plain_path(index - split, leaves[split:]), plain_root(leaves[:split])]


def test_without_go_the_tests_say_so_and_check_all_the_same(
    export: Path, proofs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golang, "find_go", lambda: "")
    with pytest.warns(RuntimeWarning, match="NO GO"):
        test_go_verifies_the_checkpoint_the_tiles_and_the_proofs(export, proofs, tmp_path)
