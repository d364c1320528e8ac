"""The kinds of hash, and how sure a bank can be: names shared by pure code and tables."""

from enum import StrEnum


class HashKind(StrEnum):
    """A kind of hash."""

    PDQ = "pdq"
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"


class Confidence(StrEnum):
    """Whether a person at the source has verified what a hash stands for."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
