"""Kinds that Kinward does not compute. Their values are kept as the list has them."""

from kinward.matching.kinds.kind import MAX_CARRIED
from kinward.matching.kinds.texts import Text


class Carried(Text):
    """A kind that is known by name only. It matches a lookup of exactly the same value.

    So it can say that a value is banked, and never that what the value stands for is unknown.
    """

    matched = False
    examples = ("as it came",)

    def __init__(self, name: str) -> None:
        self.name = name

    def parse(self, text: str) -> bytes:
        if not text or len(text) > MAX_CARRIED:
            raise ValueError(f"a {self.name} has 1 to {MAX_CARRIED:,} characters")
        return text.encode()

    def in_words(self, bank: str, distance: int) -> str:
        return f"Is byte for byte an entry of {bank} ({self.name.upper()})."
