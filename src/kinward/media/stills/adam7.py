"""PNG that breaks off: what there is of its passes, each painted in blocks, as browsers do."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from kinward.media.stills.reading import Pixels

LAST_FILTER: Final = 4  # of those that a row may name; browsers stop at a row with another


class Pass(NamedTuple):
    """Where a pass begins, how far apart its pixels are, and the block that each of them paints."""

    left: int
    top: int
    across: int
    down: int
    wide: int
    high: int


PASSES: Final = (
    Pass(0, 0, 8, 8, 8, 8),
    Pass(4, 0, 8, 8, 4, 8),
    Pass(0, 4, 4, 8, 4, 4),
    Pass(2, 0, 4, 4, 2, 4),
    Pass(0, 2, 2, 4, 2, 2),
    Pass(1, 0, 2, 2, 1, 2),
    Pass(0, 1, 1, 2, 1, 1),
)


WHOLE: Final = (Pass(0, 0, 1, 1, 1, 1),)


def sizes_of(
    width: int, height: int, bits: int, *, interlaced: bool
) -> Iterator[tuple[Pass, int, int, int]]:
    """Yield each pass that has pixels with its columns, its rows, and the bytes of a row.

    A picture that is not interlaced is one pass. `bits`: of a pixel. The first byte of a row
    names its filter.
    """
    for part in PASSES if interlaced else WHOLE:
        columns = -(-(width - part.left) // part.across)
        rows = -(-(height - part.top) // part.down)
        if columns > 0 and rows > 0:
            yield part, columns, rows, 1 + (columns * bits + 7) // 8


def paint_passes(
    size: tuple[int, int],
    sizes: Iterable[tuple[Pass, int, int, int]],
    coded: bytes,
    read: Callable[[int, int, bytes], Pixels],
) -> Pixels:
    """Return a picture of this width and height, uint8[H, W, 4] in RGBA, as far as its rows go.

    The rest is transparent. `read` returns the pixels of so many columns and rows, uint8[h, w, 4].
    """
    canvas: Pixels = np.zeros((size[1], size[0], 4), dtype=np.uint8)
    at = 0
    for part, columns, rows, length in sizes:
        there = min(rows, (len(coded) - at) // length)
        filters = np.frombuffer(coded, dtype=np.uint8)[at : at + there * length : length]
        if (unknown := np.flatnonzero(filters > LAST_FILTER)).size:
            there = int(unknown[0])
        if there:
            patch = read(columns, there, coded[at : at + there * length])
            for down in range(part.high):
                for across in range(part.wide):
                    target = canvas[part.top + down :: part.down, part.left + across :: part.across]
                    target = target[:there]
                    target[...] = patch[: len(target), : target.shape[1]]
        if there < rows:
            break
        at += rows * length
    return canvas
