"""Digests of a file's bytes, whatever the file is."""

import hashlib

import msgspec


class Digests(msgspec.Struct, frozen=True):
    """Digests of a file, byte for byte, as lower-case hex; empty where one is unknown."""

    md5: str
    sha1: str
    sha256: str

    def known(self) -> list[tuple[str, bytes]]:
        """The digests that are known: the kind of hash, and its bytes."""
        texts = msgspec.structs.asdict(self)
        return [(kind, bytes.fromhex(text)) for kind, text in texts.items() if text]


def digest_bytes(data: bytes) -> Digests:
    """MD5, SHA-1 and SHA-256 of a file. They identify; no security rests on the first two."""
    return Digests(
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )
