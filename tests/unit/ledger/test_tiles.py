"""Hash tiles: paths, which tiles a tree has, and proofs out of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.ledger.merkle import (
    BadProof,
    Subtree,
    consistency_parts,
    inclusion_parts,
    prove_consistency,
    prove_inclusion,
    root_at,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from kinward.ledger.tiles import (
    BadTile,
    Tile,
    TileReader,
    needed_tiles,
    parse_path,
    tile_at,
    tile_root,
    tiles_between,
    tiles_of,
)
from tests.support.transparency import leaf

SIZE = 70_000
LEAVES = [leaf(number) for number in range(SIZE)]


def of_level(level: int) -> list[bytes]:
    hashes = LEAVES
    for _ in range(level):
        full = len(hashes) // 256
        hashes = [tile_root(hashes[at * 256 : at * 256 + 256]) for at in range(full)]
    return hashes


LEVELS = [of_level(0), of_level(1), of_level(2)]


def fetch(tile: Tile) -> bytes:
    hashes = LEVELS[tile.level][tile.number * 256 : tile.number * 256 + tile.width]
    return b"".join(hashes)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(0, 273, 112), "tile/0/273.p/112"),
        (Tile(1, 999), "tile/1/999"),
        (Tile(2, 0, 1), "tile/2/000.p/1"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/0/001/000",
        "tile/0/x000/000",
        "tile/0/x001/x000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/007",
        "tile/0/000.p/",
        "tile/8/0/x001/234",
        "tile/entries/000",
        "tile/-1/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/../000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/" + "x999/" * 20 + "999",
        "tile/7/x999/999",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(BadTile):
        parse_path(path)


@given(st.integers(0, 6), st.integers(0, 2**14), st.integers(1, 256))
def test_a_path_is_read_as_it_is_written(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    if tile.size < 2**63:
        assert parse_path(tile.path) == tile


def test_which_tiles_a_tree_has() -> None:
    tiles = list(tiles_of(SIZE))
    partial = [tile for tile in tiles if not tile.is_full]
    assert partial == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert len(tiles) - len(partial) == 273 + 1
    assert list(tiles_of(0)) == []
    assert list(tiles_of(1)) == [Tile(0, 0, 1)]
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_what_a_tree_adds_is_what_it_has_beyond_the_old(old: int, more: int) -> None:
    grown = list(tiles_between(old, old + more))
    assert grown == [tile for tile in tiles_of(old + more) if tile not in set(tiles_of(old))]


@given(st.integers(1, SIZE), st.data())
@settings(max_examples=40, deadline=None)
def test_proofs_out_of_tiles_verify(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    reader = TileReader(size, fetch)
    root = root_at(size, reader)
    proof = prove_inclusion(index, size, reader)
    verify_inclusion(LEAVES[index], index, size, proof, root)
    old_root = root_at(old, TileReader(old, fetch)) if old else tree_root([])
    verify_consistency(old, size, prove_consistency(old, size, reader), old_root, root)


def test_the_root_out_of_tiles_is_that_of_the_leaves() -> None:
    assert root_at(SIZE, TileReader(SIZE, fetch)) == tree_root(LEAVES)


def test_a_proof_reads_few_tiles_and_each_once() -> None:
    fetched: list[Tile] = []

    def counted(tile: Tile) -> bytes:
        fetched.append(tile)
        return fetch(tile)

    reader = TileReader(SIZE, counted)
    prove_inclusion(33_333, SIZE, reader)
    assert set(fetched) == needed_tiles(inclusion_parts(33_333, SIZE), SIZE)
    assert len(fetched) == len(set(fetched)) <= 5
    prove_consistency(33_333, SIZE, reader)
    assert set(fetched) >= needed_tiles(consistency_parts(33_333, SIZE), SIZE)


@pytest.mark.parametrize("wrong", [0, 8191, 8193])
def test_a_tile_of_another_length_is_refused(wrong: int) -> None:
    reader = TileReader(SIZE, lambda tile: (fetch(tile) + b"\x00")[:wrong])
    with pytest.raises(BadTile, match=r"instead of"):
        prove_inclusion(5, SIZE, reader)


def test_a_changed_tile_does_not_prove() -> None:
    def forged(tile: Tile) -> bytes:
        data = fetch(tile)
        return data[:32] + bytes([data[32] ^ 1]) + data[33:] if tile == Tile(0, 0) else data

    proof = prove_inclusion(2, SIZE, TileReader(SIZE, forged))
    with pytest.raises(BadProof):
        verify_inclusion(LEAVES[2], 2, SIZE, proof, tree_root(LEAVES))


def test_what_the_tree_does_not_have_is_refused() -> None:
    with pytest.raises(BadTile, match="no tile 274"):
        tile_at(0, 274, SIZE)
    with pytest.raises(BadTile, match="no full subtree"):
        TileReader(SIZE, fetch)(Subtree(7, SIZE >> 7))
    with pytest.raises(BadTile, match="power of two"):
        tile_root([leaf(0)] * 3)
