"""The bounds on one search for parts."""

import time
from typing import Final

MIB: Final = 1024 * 1024
MAX_PARTS: Final = 1024
MAX_UNPACKED: Final = 256 * MIB  # bytes of a file, all that is packed in it together
MAX_MEMBER: Final = 64 * MIB  # bytes of one packed file
MAX_SEARCHED: Final = 128 * MIB  # bytes of packed files of which no medium knows the beginning
MAX_COPIED: Final = 1024 * MIB  # bytes of parts that begin inside the file
MAX_STEPS: Final = 400_000  # of walks from one header to the next


class Budget:
    """What a search may still find, unpack and spend. `cut`: whether a bound was reached.

    `unread`: whether something is packed in it that cannot be read here.

    `drawn`: whether something is drawn that only a renderer of its format shows.

    `late`: whether the time was up before the search had come to its end.

    `until`: the time of `time.monotonic` at which to stop.
    """

    def __init__(self, until: float) -> None:
        self.until = until
        self.cut = self.unread = self.drawn = self.late = False
        self._parts, self._unpacked, self._copied, self._steps, self._searched = 0, 0, 0, 0, 0

    def number(self) -> int | None:
        """Return the number of the next part, from 0; None after the last that is allowed."""
        if self._parts >= MAX_PARTS or self.is_late():
            self.cut = True
            return None
        self._parts += 1
        return self._parts - 1

    def is_late(self) -> bool:
        """Return whether the time is up, and take note if it is."""
        if time.monotonic() > self.until:
            self.cut = self.late = True
        return self.late

    def step(self, count: int = 1) -> bool:
        """Take steps of a walk. Returns whether they are allowed."""
        self._steps += count
        self.cut = self.cut or self._steps > MAX_STEPS
        return self._steps <= MAX_STEPS

    def room(self) -> int:
        """Return how many bytes the next packed file may have; 0 if none may come any more."""
        room = min(MAX_MEMBER, MAX_UNPACKED - self._unpacked)
        self.cut = self.cut or room <= 0
        return max(0, room)

    def unpack(self, size: int) -> None:
        """Count bytes that were unpacked. A file that fills its room was cut off there."""
        self.cut = self.cut or size >= self.room()
        self._unpacked += size

    def search_room(self) -> int:
        """Return how many bytes of the next packed file may be searched for others."""
        return max(0, min(MAX_MEMBER, MAX_SEARCHED - self._searched))

    def search(self, size: int) -> None:
        """Count bytes of packed files that were searched for others."""
        self._searched += size

    def copy(self, data: bytes, start: int, end: int) -> bytes | None:
        """Return a slice of `data`; None if too much was copied before."""
        self._copied += end - start
        if self._copied > MAX_COPIED:
            self.cut = True
            return None
        return data[start:end]
