"""Digests, which match a file that is the same byte for byte."""

import hashlib
from functools import cache

from kinward.matching.kinds.kind import HexKind


@cache
def _empty(name: str) -> bytes:
    """Return the digest of an empty file."""
    return hashlib.new(name, b"", usedforsecurity=False).digest()


class Digest(HexKind):
    """A digest of a whole file. Its name is that of `hashlib`."""

    of_files = True
    column = True

    def too_little(self, value: bytes) -> str:
        if value == _empty(self.name):
            return f"this {self.name} is that of an empty file"
        return super().too_little(value)

    def in_words(self, bank: str, distance: int) -> str:
        return f"Is byte for byte an entry of {bank} ({self.name.upper()})."


class Md5(Digest):
    """MD5."""

    name = "md5"
    aliases = ("video_md5", "hash_md5", "hash_video_md5")
    sizes = range(16, 17)
    examples = (
        "1a79a4d60de6718e8e5b326e338ae533",
        "c3fcd3d76192e4007dfb496cca67e13b",
    )


class Sha1(Digest):
    """SHA-1."""

    name = "sha1"
    aliases = ("sha_1", "hash_sha1")
    sizes = range(20, 21)
    examples = (
        "c3499c2729730a7f807efb8676a92dcb6f8a3f8f",
        "32d10c7b8cf96570ca04ce37f2a19d84240d3a89",
    )


class Sha256(Digest):
    """SHA-256."""

    name = "sha256"
    aliases = ("sha_256", "hash_sha256", "hash_video_sha256")
    sizes = range(32, 33)
    examples = (
        "50d858e0985ecc7f60418aaf0cc5ab587f42c2570a884095a9e8ccacd0f6545c",
        "71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73",
    )
