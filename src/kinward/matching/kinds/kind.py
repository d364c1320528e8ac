"""What a kind of hash is: how it is written, how it is looked up, and what it says to a reviewer.

The model is `SignalType` of python-threatexchange: one class for each kind, with its examples.
"""

from abc import ABC, abstractmethod
from typing import Final

MAX_CARRIED: Final = 64 * 1024  # characters of a value that is carried as it came


class HashKind(ABC):
    """A kind of hash. A new one is one class, named in `kinward.matching.kinds.KINDS`.

    A value is looked up in as many ways as these say: `exact`, `frames`, `text`. All of them are
    pure: they say what to look for, and `kinward.matching.lookup` looks.
    """

    name: str  # as banks, lists and matches have it: a to z, 0 to 9, _
    aliases: tuple[str, ...] = ()  # what lists and partners call it otherwise
    # Whether files have it: then every check's is kept, and looked for when a list grows.
    of_files: bool = False
    # Whether it is found among what is near, within `layout.RADIUS` of 256 bits of PDQ.
    near: bool = False
    column: bool = False  # whether a CSV list may have a column of this name
    least_quality: int | None = None  # below it a hash says too little to match
    examples: tuple[str, ...]  # two or more, as lists write them; none hits another

    @abstractmethod
    def parse(self, text: str) -> bytes:
        """What a bank keeps of a value as a list writes it; a ValueError says what is wrong."""

    def write(self, value: bytes) -> str:
        """A banked value as a list has it; the other way of `parse`."""
        return value.hex()

    def exact(self, value: bytes) -> list[bytes]:
        """The values that this one is looked up as, byte for byte."""
        return [value]

    def frames(self, value: bytes) -> list[bytes]:
        """The PDQ hashes in a value, 32 bytes each, that are looked up by nearness."""
        return []

    def text(self, value: bytes) -> str:
        """The text that is searched for banked keywords."""
        return ""

    def says_enough(self, value: bytes, quality: int | None) -> bool:
        """Whether a file's hash means anything: whether it may be banked and looked up."""
        return bool(value) and (self.least_quality is None or (quality or 0) >= self.least_quality)

    @abstractmethod
    def in_words(self, bank: str, distance: int) -> str:
        """What a hit says to a reviewer. `bank`: such as `the verified bank “known”`."""


class HexKind(HashKind):
    """A kind that is written in hexadecimal, in `sizes` bytes."""

    sizes: range

    def decode(self, text: str) -> bytes:
        """The bytes of a hash in hex; a ValueError says what is wrong with it."""
        text = text.strip()
        try:
            value = bytes.fromhex(text)
        except ValueError:
            raise ValueError(f"{self.name} is not hexadecimal") from None
        # Twice: `fromhex` passes over spaces, and a hash in pieces is no hash.
        if len(value) not in self.sizes or len(text) != 2 * len(value):
            raise ValueError(self._length_wrong(text))
        return value

    def _length_wrong(self, text: str) -> str:
        return f"{self.name} needs {2 * self.sizes[0]} hex digits, not {len(text)}"

    def parse(self, text: str) -> bytes:
        return self.decode(text)
