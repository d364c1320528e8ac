"""The kinds of hash by name. A new kind is a class in this package and an entry in `KINDS`. Pure.

A bank also carries values of unknown kinds, unchanged.
"""

import re
from typing import Final

from kinward.matching.kinds.carried import Carried
from kinward.matching.kinds.digests import Digest, Md5, Sha1, Sha256
from kinward.matching.kinds.kind import HashKind, HexKind, SaysTooLittle
from kinward.matching.kinds.perceptual import Pdq, VideoFrames
from kinward.matching.kinds.texts import Keyword, Url

__all__ = (
    "CARRIED",
    "COLUMNS",
    "DIGESTS",
    "FILE_KINDS",
    "KINDS",
    "NEAR",
    "Carried",
    "Digest",
    "HashKind",
    "HexKind",
    "Keyword",
    "Md5",
    "Pdq",
    "SaysTooLittle",
    "Sha1",
    "Sha256",
    "Url",
    "VideoFrames",
    "kind_named",
    "kind_of",
)

KINDS: Final[tuple[HashKind, ...]] = (
    *(Pdq(), Md5(), Sha1(), Sha256(), VideoFrames()),
    *(Url(), Keyword()),
)
# Kinds that partners share but Kinward does not compute, by alias.
CARRIED: Final = {"pdna": "photodna"}

DIGESTS: Final = tuple(kind.name for kind in KINDS if isinstance(kind, Digest))
FILE_KINDS: Final = tuple(kind.name for kind in KINDS if kind.of_files)
NEAR: Final = tuple(kind.name for kind in KINDS if kind.near)
COLUMNS: Final = tuple(kind.name for kind in KINDS if kind.column)

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")  # the name of any kind, such as `photodna`
_BY_NAME: Final = {kind.name: kind for kind in KINDS}
_ALIASES: Final = CARRIED | {alias: kind.name for kind in KINDS for alias in kind.aliases}


def kind_of(name: str) -> HashKind:
    """Return a kind by its name in banks and matches. An unknown kind is `Carried`."""
    return _BY_NAME.get(name) or Carried(name)


def kind_named(text: str) -> HashKind:
    """Return a kind by any name that lists and partners use. Raises `ValueError`."""
    name = text.strip().lower().replace("-", "_").replace(" ", "_")
    name = _ALIASES.get(name, name)
    if not _NAME.fullmatch(name):
        raise ValueError("a kind of hash is named by letters, digits and underscores")
    return kind_of(name)
