"""The keys of a log in their order, and at which sizes each of them counts. Pure.

A handover is a checkpoint that two keys signed: the last one of the key before, and the first one
of the key after. Below and above it only one of them counts. So whoever has a retired key cannot
move the size at which it was retired.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kinward.ledger.notes import BadNote, Verifier


class BadRotation(BadNote):
    """A rotation that does not prove what it says, or keys that do not follow each other."""


class Handover(NamedTuple):
    """A rotation that was carried out. `leaf`: index of its entry. `size`: of its checkpoint."""

    leaf: int
    size: int
    root: bytes
    before: Verifier
    after: Verifier

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self.after.name


class Succession:
    """The keys of one log, the first one first. Raises `BadRotation` if they do not follow."""

    def __init__(self, handovers: Iterable[Handover]) -> None:
        self.handovers = sorted(set(handovers), key=lambda one: (one.size, one.leaf))
        if not self.handovers:
            raise BadRotation("There is no rotation.")
        for first, then in zip(self.handovers, self.handovers[1:], strict=False):
            if first.after != then.before or first.size > then.leaf:
                raise BadRotation(
                    f"The rotation at size {then.size} does not follow from the one at size "
                    f"{first.size}. Somebody who has a retired key may have made one of them."
                )
        if len(set(self.keys)) < len(self.keys):
            raise BadRotation("A retired key comes again.")

    @property
    def keys(self) -> list[Verifier]:
        """The keys in their order."""
        return [self.handovers[0].before, *(each.after for each in self.handovers)]

    def retired_at(self, key: Verifier) -> int | None:
        """Return the size up to which a key counts. None if it is the last one, or no key."""
        sizes = {each.before: each.size for each in self.handovers}
        return sizes.get(key)

    def require_in_force(self, signers: Sequence[Verifier], size: int) -> None:
        """Raise `BadNote` unless one of the signers was in force at this size."""
        starts = {each.after: each.size for each in self.handovers}
        late = None
        for key in self.keys:
            if key not in signers or size < starts.get(key, 0):
                continue
            end = self.retired_at(key)
            if end is None or size <= end:
                return
            late = f"The key {key.key_id.hex()} was retired at size {end}, and somebody signed a "
            late += f"log of {size} entries with it."
        raise BadNote(late or f"No key that counts at size {size} signed this checkpoint.")


def successions(handovers: Iterable[Handover]) -> dict[str, Succession]:
    """Return the keys of each log, by its origin. Raises `BadRotation`."""
    by_origin: dict[str, list[Handover]] = {}
    for handover in handovers:
        by_origin.setdefault(handover.origin, []).append(handover)
    return {origin: Succession(found) for origin, found in by_origin.items()}
