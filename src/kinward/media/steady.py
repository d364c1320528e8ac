"""Whether a frame of a film is all but the same, sample by sample, as one that was looked at.

Slides, screens and resting cameras have long runs of such frames. To compare two frames takes a
fraction of the time of a glance. Every eighth row takes part, and chance decides the first, so that
a stranger cannot keep to the others.
"""

from typing import Final

import numpy as np

from kinward.media.chroma import Plane
from kinward.media.planes import Planes

LEVELS: Final = 2  # of 255 by which each sample may differ: what coding adds to a picture at rest
MOST: Final = 4_000_000  # pixels: a larger frame is not kept for comparison, since tracks are many
ROWS: Final = 8  # of which one is compared
BAND: Final = 1 << 16  # samples compared at a time: so few stay in the cache

_DICE: Final = np.random.default_rng()


def is_keepable(planes: Planes) -> bool:
    """Return whether a frame is small enough to be kept for comparison."""
    return planes.luma.size <= MOST


def is_steady(planes: Planes, before: Planes) -> bool:
    """Return whether no sample differs by more than `LEVELS` from that of an earlier frame.

    >>> black, white = (Planes(np.full((2, 2), grey, dtype=np.uint8)) for grey in (0, 255))
    >>> is_steady(black, black), is_steady(black, white)
    (True, False)
    """
    said = (planes.full, planes.space, planes.shape)
    if said != (before.full, before.space, before.shape):
        return False
    chance = float(_DICE.random())
    pairs = zip(_planes(planes), _planes(before), strict=True)
    return all(_is_near(plane, earlier, chance) for plane, earlier in pairs)


def _planes(planes: Planes) -> tuple[Plane | None, ...]:
    return planes.luma, planes.blue, planes.red, planes.alpha


def _is_near(plane: Plane | None, earlier: Plane | None, chance: float) -> bool:
    """Compare some rows of two planes. `chance`: from 0 to 1, for the first of them."""
    if plane is None or earlier is None:
        return plane is earlier
    if plane.shape != earlier.shape:
        return False
    first = int(chance * min(ROWS, len(plane)))
    some, others = plane[first::ROWS], earlier[first::ROWS]
    rows = max(1, BAND // plane.shape[1])
    for top in range(0, len(some), rows):
        one, other = some[top : top + rows], others[top : top + rows]
        # Not the difference itself, which wraps: black would be next to white.
        apart = np.maximum(one, other)
        apart -= np.minimum(one, other)
        if apart.max() > LEVELS:
            return False
    return True
