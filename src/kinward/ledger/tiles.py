"""Hash tiles (c2sp.org/tlog-tiles): which a tree has, their paths, and proofs out of them. Pure.

A tile is up to 256 hashes. On level 0 these are leaf hashes. On each level above, a hash is the
root of a full tile below.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from kinward.ledger.merkle import HASH_BYTES, MAX_SIZE, Subtree, node_hash, split_hashes

WIDTH: Final = 256
HEIGHT: Final = 8  # levels of the tree in one tile
MAX_LEVEL: Final = 63

_PATH: Final = re.compile(
    r"tile/([0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?", re.ASCII
)


class BadTile(ValueError):
    """A path that names no tile, or bytes that are none. The message says why."""


class Tile(NamedTuple):
    """A tile by its level, its number from 0, and how many hashes it has."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The path below the log's prefix, such as `tile/0/x001/x234/067` or `tile/1/000.p/17`."""
        groups = [f"{self.number % 1000:03}"]
        rest = self.number // 1000
        while rest:
            groups.append(f"x{rest % 1000:03}")
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{'/'.join(reversed(groups))}{partial}"

    @property
    def is_full(self) -> bool:
        """Whether it will never change."""
        return self.width == WIDTH

    @property
    def size(self) -> int:
        """The least size of a tree that has this tile, with this many hashes."""
        return (self.number * WIDTH + self.width) << (HEIGHT * self.level)


def parse_path(path: str) -> Tile:
    """Read a tile's path in its only form. Raises `BadTile`."""
    match = _PATH.fullmatch(path)
    if match is None or len(path) > 64:
        raise BadTile("A tile has the path tile/LEVEL/NUMBER or tile/LEVEL/NUMBER.p/WIDTH.")
    level, groups, width = match.groups()
    number = int(groups.replace("x", "").replace("/", ""))
    tile = Tile(int(level), number, WIDTH if width is None else int(width))
    if tile.level > MAX_LEVEL or not 1 <= tile.width <= WIDTH or tile.path != path:
        raise BadTile("A tile has a level to 63, a number in groups, and 1 to 256 hashes.")
    if tile.size > MAX_SIZE:
        raise BadTile("No tree has so many leaves.")
    return tile


def level_size(level: int, size: int) -> int:
    """Return how many hashes the tiles of a level hold, in a tree with this size."""
    return size >> (HEIGHT * level)


def tile_at(level: int, number: int, size: int) -> Tile:
    """Return a tile as it is in a tree with this size. Raises `BadTile` if it has none there."""
    width = min(WIDTH, level_size(level, size) - number * WIDTH)
    if width < 1:
        raise BadTile(f"A tree of {size} has no tile {number} on level {level}.")
    return Tile(level, number, width)


def tiles_between(old: int, size: int) -> Iterator[Tile]:
    """Yield what tiles a tree of `size` leaves has beyond one of `old`, the lowest level first.

    A tile that has grown is among them, with its new width.
    """
    level = 0
    while level_size(level, size):
        before, after = level_size(level, old), level_size(level, size)
        if after > before:
            for number in range(before // WIDTH, (after - 1) // WIDTH + 1):
                yield tile_at(level, number, size)
        level += 1


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every tile of a tree with this size."""
    return tiles_between(0, size)


def tile_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a full run of hashes; their number is a power of two."""
    row = list(hashes)
    if not row or len(row) & (len(row) - 1):
        raise BadTile("A full run has a power of two of hashes.")
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def tile_hashes(tile: Tile, data: bytes) -> list[bytes]:
    """Split a tile's bytes. Raises `BadTile` if they are not as many as its width says."""
    if len(data) != tile.width * HASH_BYTES:
        raise BadTile(f"{tile.path} has {len(data)} bytes instead of {tile.width * HASH_BYTES}.")
    return split_hashes(data)


class TileReader:
    """Reads roots of subtrees out of the tiles of one tree. `fetch` returns the bytes of a tile.

    It keeps what it fetched. It is for one proof or a few: nothing is forgotten.
    """

    def __init__(self, size: int, fetch: Callable[[Tile], bytes]) -> None:
        self.size = size
        self._fetch = fetch
        self._hashes: dict[tuple[int, int], list[bytes]] = {}

    def __call__(self, subtree: Subtree) -> bytes:
        """Return the root of a full subtree. Raises `BadTile` if the tree does not have it."""
        level, height = divmod(subtree.level, HEIGHT)
        first = subtree.number << height
        number, offset = divmod(first, WIDTH)
        hashes = self._of_tile(level, number)[offset : offset + (1 << height)]
        if len(hashes) != 1 << height:
            raise BadTile(f"A tree of {self.size} has no full subtree {tuple(subtree)}.")
        return tile_root(hashes)

    def _of_tile(self, level: int, number: int) -> list[bytes]:
        key = (level, number)
        if key not in self._hashes:
            tile = tile_at(level, number, self.size)
            self._hashes[key] = tile_hashes(tile, self._fetch(tile))
        return self._hashes[key]


def needed_tiles(parts: Sequence[Sequence[Subtree]], size: int) -> set[Tile]:
    """Return the tiles that a proof reads (`merkle.inclusion_parts`, `consistency_parts`)."""
    tiles = set()
    for part in parts:
        for subtree in part:
            level, height = divmod(subtree.level, HEIGHT)
            tiles.add(tile_at(level, (subtree.number << height) // WIDTH, size))
    return tiles
