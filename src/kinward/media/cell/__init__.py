"""The cell of a decoder: walls that it closes around itself before it reads a stranger's byte.

Each wall is one function that builds it, tries it, and returns why it does not stand, or "". They
use the kernel's own interface: the packages for it on PyPI are unmaintained or alphas.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from kinward.ground.errors import NotConfigured
from kinward.media.cell.landlock import close_landlock
from kinward.media.cell.macos import close_sandbox
from kinward.media.cell.process import (
    Cell,
    close_environment,
    close_lifetime,
    close_limits,
    close_parent,
    close_pipes,
    close_privileges,
    close_user,
    environment,
)
from kinward.media.cell.seccomp import close_seccomp

__all__ = ("REQUIRED", "WALLS", "Cell", "Walls", "close_cell", "environment", "walls_named")

Builder = Callable[[Cell], str]

_EVERYWHERE: Final[dict[str, Builder]] = {
    "environment": close_environment,
    "pipes": close_pipes,
}
# In the order in which they have to be built. To change the user clears the end with the parent,
# the limit on descriptors comes after the last that is opened, and the filter forbids the rest.
_LINUX: Final[dict[str, Builder]] = _EVERYWHERE | {
    "user": close_user,
    "privileges": close_privileges,
    "lifetime": close_lifetime,
    "parent": close_parent,
    "landlock": lambda cell: close_landlock(),
    "limits": close_limits,
    "seccomp": lambda cell: close_seccomp(),
}
_MACOS: Final[dict[str, Builder]] = _EVERYWHERE | {
    "limits": close_limits,
    "sandbox": lambda cell: close_sandbox(),
}
WALLS: Final = _LINUX if sys.platform == "linux" else _MACOS
# Elsewhere than on Linux a missing wall is a warning: Kinward is developed there, not run.
REQUIRED: Final = frozenset(WALLS) if sys.platform == "linux" else frozenset()


class Walls(msgspec.Struct, frozen=True):
    """What a decoder says of its walls. `missing`: the name of each that does not stand, and why.

    A wall that a setting leaves out is in neither.
    """

    standing: list[str]
    missing: dict[str, str]


def close_cell(cell: Cell) -> Walls:
    """Build every wall around this process. There is no way back out."""
    standing, missing = [], {}
    for name, build in WALLS.items():
        if name in cell.without:
            continue
        try:
            fault = build(cell)
        except Exception as error:  # the others are still built
            fault = f"{type(error).__name__}: {error}"
        if fault:
            missing[name] = fault
        else:
            standing.append(name)
    return Walls(standing, missing)


def walls_named(names: Iterable[str]) -> frozenset[str]:
    """Return names of walls as a set. Raises `NotConfigured` for one that does not exist."""
    known = frozenset({*_LINUX, *_MACOS})
    chosen = frozenset(name.strip() for name in names if name.strip())
    if wrong := chosen - known:
        raise NotConfigured(
            f"KINWARD_DECODERS_WITHOUT_WALLS names {', '.join(sorted(wrong))}. The walls are "
            f"{', '.join(sorted(known))}."
        )
    return chosen
