"""Digests of a file of any type."""

import hashlib

import msgspec


class Digests(msgspec.Struct, frozen=True):
    """Digests of a file in lower-case hex. Empty if unknown."""

    md5: str
    sha1: str
    sha256: str

    def known(self) -> list[tuple[str, bytes]]:
        """Return the known digests: the name of the kind, and the bytes."""
        texts = msgspec.structs.asdict(self)
        return [(kind, bytes.fromhex(text)) for kind, text in texts.items() if text]


def digest_bytes(data: bytes) -> Digests:
    """Return MD5, SHA-1 and SHA-256 of a file. No security rests on the first two."""
    return Digests(
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )
