"""What a reader's pages show of what guardians want, where it is not simply what is in force."""

from uuid import UUID

from kinward.experience.api import GuardianValues


class ShownValues(GuardianValues, frozen=True):
    """What guardians want, as somebody's pages show it.

    `held`: also what is held. `only`: of which pairings, None for all of them.
    """

    held: bool = True
    only: frozenset[UUID] | None = None
