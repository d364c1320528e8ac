"""The kinds of hash, and how sure a bank can be: names shared by pure code and tables."""

import re
from enum import StrEnum
from typing import Final


class HashKind(StrEnum):
    """A kind of hash that Kinward matches. A bank carries others too, as they came."""

    PDQ = "pdq"
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    VIDEO = "video"  # the PDQ hashes of a video's frames, one after the other
    URL = "url"  # in its normal form, see `links`
    KEYWORD = "keyword"  # in its normal form, see `keywords`


DIGESTS: Final = (HashKind.MD5, HashKind.SHA1, HashKind.SHA256)
FILE_KINDS: Final = (HashKind.PDQ, *DIGESTS)
KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")  # how any kind is named, such as `photodna`


class Confidence(StrEnum):
    """Whether a person at the source has verified what a hash stands for."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
