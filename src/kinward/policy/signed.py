"""A pack as one signed file, so that a platform can decide inside its own process.

The file is JSON: `{"kinward_pack": 1, "body": <base64>, "signature": <base64>}`. The body is JSON
too, with the pack's files and the days on which it may be used. The signature is Ed25519 (RFC 8032)
over the body's bytes.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from kinward.policy.pack import Pack, decode_pack, read_pack
from kinward.policy.problems import PackExpired, PackInvalid, SignatureRefused
from kinward.policy.sources import read_files

MAX_EXPORT: Final = 16 * 1024 * 1024


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The signed part. The pack may be used from `issued` to the day before `expires`."""

    files: dict[str, str]
    issued: date
    expires: date


class Export(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The signed file."""

    kinward_pack: int
    body: bytes
    signature: bytes


def new_signing_key() -> str:
    """Generate an Ed25519 private key, 32 bytes in hex."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes_raw().hex()


def public_key(signing_key: str) -> str:
    """Return the public half (hex) of a signing key, which a platform pins."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(signing_key))
    return key.public_key().public_bytes_raw().hex()


def export_pack(
    files: Mapping[str, str], *, signing_key: str, issued: date, expires: date
) -> bytes:
    """Return a pack's files as a signed export."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if issued >= expires:
        raise PackInvalid("An export expires after the day it was issued.")
    body = msgspec.json.encode(Body(dict(files), issued, expires))
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(signing_key))
    return msgspec.json.encode(Export(1, body, key.sign(body)))


def load_pack(
    where: str | Path | Mapping[str, str] | bytes,
    *,
    key: str | None = None,
    on: date | None = None,
) -> Pack:
    """Read a pack: a shipped one by name, a directory by path, its files, or a signed export.

    An export (bytes, or a path that ends in `.json`) needs the trusted `key` (public, hex) and the
    day of its use, `on`. Raises `PackInvalid`, `SignatureRefused` or `PackExpired`.

    >>> load_pack("tiktok-2021").label
    'tiktok-2021 2021.08-5'
    """
    if isinstance(where, Mapping):
        pack = read_pack(where)
    elif isinstance(where, bytes) or str(where).endswith(".json"):
        pack = _open_export(where, key, on)
    else:
        pack = read_pack(read_files(where))
    return pack if on is None else pack.on(on)


def _open_export(where: bytes | str | Path, key: str | None, on: date | None) -> Pack:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if key is None or on is None:
        raise SignatureRefused("Give the public key to trust, and the day: load_pack(…, key, on).")
    try:
        data = where if isinstance(where, bytes) else Path(where).read_bytes()
        if len(data) > MAX_EXPORT:
            raise PackInvalid(f"An export has at most {MAX_EXPORT:,} bytes.")
        export = msgspec.json.decode(data, type=Export)
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise PackInvalid(f"This is not an exported pack: {error}.") from error
    try:
        trusted = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        trusted.verify(export.signature, export.body)
    except (InvalidSignature, ValueError) as error:
        raise SignatureRefused from error
    body = msgspec.json.decode(export.body, type=Body)  # do not read the body before this line
    if not body.issued <= on < body.expires:
        raise PackExpired(f"It holds from {body.issued} to {body.expires}; today is {on}.")
    return decode_pack(body.files)  # its signer judged it already
