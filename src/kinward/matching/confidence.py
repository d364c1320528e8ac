"""How sure a bank or an addition is."""

from enum import StrEnum


class Confidence(StrEnum):
    """Whether a person at the source has verified what the hash shows."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
