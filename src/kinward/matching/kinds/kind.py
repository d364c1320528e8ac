"""The base of the kinds of hash: how values are written, looked up, and explained to a reviewer.

Modelled on `SignalType` of python-threatexchange: one class for each kind, with its examples.
"""

from abc import ABC, abstractmethod
from typing import Final

MAX_CARRIED: Final = 64 * 1024  # characters of a carried value


class SaysTooLittle(ValueError):
    """A hash is well-formed but says too little to be banked, such as that of an empty file."""


class HashKind(ABC):
    """A kind of hash. A new kind is one class, listed in `kinward.matching.kinds.KINDS`.

    `exact`, `frames` and `text` say what to look up for a value. They are pure:
    `kinward.matching.lookup` does the lookup.
    """

    name: str  # in banks, lists and matches: a to z, 0 to 9, _
    aliases: tuple[str, ...] = ()  # other names in lists and at partners
    # Whether files have it. Then it is kept for every check, and retro-matching compares it.
    of_files: bool = False
    # Whether it is looked up by nearness, within `layout.RADIUS` of the 256 bits of PDQ.
    near: bool = False
    # Whether Kinward compares it as it is meant to be compared. A carried kind it does not.
    matched: bool = True
    column: bool = False  # whether a CSV list may have a column with this name
    least_quality: int | None = None  # below it a hash is not banked or looked up
    examples: tuple[str, ...]  # two or more, as lists write them; none matches another

    @abstractmethod
    def parse(self, text: str) -> bytes:
        """Return the banked bytes of a value as a list writes it. Raises `ValueError`."""

    def ask(self, text: str) -> bytes:
        """Return the bytes of what somebody looks up. Raises `ValueError`."""
        return self.parse(text)

    def banked(self, text: str) -> bytes:
        """Return the bytes of what leaves a bank, also of what no longer gets into one.

        Raises `ValueError`.
        """
        return self.parse(text)

    def write(self, value: bytes) -> str:
        """Return a banked value as a list writes it: the inverse of `parse`."""
        return value.hex()

    def exact(self, value: bytes) -> list[bytes]:
        """Return the values that are looked up byte for byte."""
        return [value]

    def carried(self, value: bytes) -> list[bytes]:
        """Return what is looked up like `exact` for what a value carries inside."""
        return []

    def entire(self, value: bytes, *, carried: bool) -> bool:
        """Return whether `exact`, and `carried` if asked for, have all that could be found."""
        return True

    def frames(self, value: bytes) -> list[bytes]:
        """Return the PDQ hashes, 32 bytes each, that are looked up by nearness."""
        return []

    def asked(self, value: bytes) -> list[bytes]:
        """Return the frames of what is looked up, without those that say nothing."""
        return [frame for frame in self.frames(value) if any(frame)]

    def text(self, value: bytes) -> str:
        """Return the text that is searched for banked keywords."""
        return ""

    def too_little(self, value: bytes) -> str:
        """Return why a value may be neither banked nor looked up; empty if it says enough."""
        return "" if value else f"this {self.name} is empty"

    def says_enough(self, value: bytes, quality: int | None) -> bool:
        """Return whether a file's hash is meaningful, so that it may be banked and looked up."""
        if self.too_little(value):
            return False
        return self.least_quality is None or (quality or 0) >= self.least_quality

    @abstractmethod
    def in_words(self, bank: str, distance: int) -> str:
        """Explain a hit to a reviewer. `bank`: such as `the verified bank “known”`."""


class HexKind(HashKind):
    """A kind written in hexadecimal. `sizes`: the possible numbers of bytes."""

    sizes: range

    def decode(self, text: str) -> bytes:
        """Return the bytes of a hash in hex. Raises `ValueError`."""
        text = text.strip()
        try:
            value = bytes.fromhex(text)
        except ValueError:
            raise ValueError(f"{self.name} is not hexadecimal") from None
        # Check the text, too: `fromhex` skips spaces, which no hash has.
        if len(value) not in self.sizes or len(text) != 2 * len(value):
            raise ValueError(self._length_wrong(text))
        return value

    def _length_wrong(self, text: str) -> str:
        return f"{self.name} needs {2 * self.sizes[0]} hex digits, not {len(text)}"

    def parse(self, text: str) -> bytes:
        value = self.decode(text)
        if why := self.too_little(value):
            raise SaysTooLittle(why)
        return value

    def banked(self, text: str) -> bytes:
        return self.decode(text)

    def too_little(self, value: bytes) -> str:
        return "" if any(value) else f"this {self.name} is all zeros"
