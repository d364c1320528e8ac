"""How sure a bank can be."""

from enum import StrEnum


class Confidence(StrEnum):
    """Whether a person at the source has verified what a hash stands for."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
