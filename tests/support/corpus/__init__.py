"""Generated files whose appearance differs from what a plain decoder returns, by kind."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from tests.support.corpus import (
    alpha,
    animations,
    appended,
    bitmaps,
    bordered,
    broken,
    coded,
    depth,
    disagreeing,
    documents,
    films,
    jpegxl,
    leading,
    metadata,
    orientation,
    profiled,
    several,
    sniffed,
    vector,
)
from tests.support.corpus.entry import Desk, Entry

KINDS: Final[dict[str, Callable[[Desk], Iterator[Entry]]]] = {
    orientation.KIND: orientation.entries,
    alpha.KIND: alpha.entries,
    depth.KIND: depth.entries,
    profiled.KIND: profiled.entries,
    animations.KIND: animations.entries,
    several.KIND: several.entries,
    broken.KIND: broken.entries,
    appended.KIND: appended.entries,
    sniffed.KIND: sniffed.entries,
    vector.KIND: vector.entries,
    documents.KIND: documents.entries,
    films.KIND: films.entries,
    coded.KIND: coded.entries,
    bordered.KIND: bordered.entries,
    metadata.KIND: metadata.entries,
    leading.KIND: leading.entries,
    bitmaps.KIND: bitmaps.entries,
    jpegxl.KIND: jpegxl.entries,
    disagreeing.KIND: disagreeing.entries,
}


def make_corpus(seed: int = 1, kinds: Iterable[str] | None = None) -> list[Entry]:
    """Return the files of these kinds, or of all. The same seed makes the same files."""
    return [entry for kind in kinds or KINDS for entry in _make(kind, seed)]


@cache
def _make(kind: str, seed: int) -> tuple[Entry, ...]:
    return tuple(KINDS[kind](Desk(seed)))


__all__ = ("KINDS", "Desk", "Entry", "make_corpus")
