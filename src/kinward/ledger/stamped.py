"""The timestamps of an export (RFC 3161), read without their authority's signature. Pure.

A timestamp is a CMS message (RFC 5652) with a `TSTInfo` in it: a hash, and a time. Whether the hash
is that of the checkpoint is checked here. Whether the authority signed it is not: that takes its
certificates and a library for CMS, and OpenSSL does it.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from kinward.ledger.checkpoints import Checkpoint, parse_checkpoint
from kinward.ledger.export_files import NotVerified, read_lines
from kinward.ledger.notes import BadNote

STAMPS: Final = "timestamps.jsonl"
MAX_STAMP: Final = 256 * 1024  # bytes of a line
SHA256_OID: Final = bytes.fromhex("608648016503040201")
TST_INFO_OID: Final = bytes.fromhex("2a864886f70d0109100104")  # id-ct-TSTInfo, RFC 3161, 2.4.2

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_OID: Final = 0x06
_OCTETS: Final = 0x04
_TIME: Final = 0x18
_EXPLICIT: Final = 0xA0


class Stamped(NamedTuple):
    """A checkpoint that an authority has stamped, as it says, and when."""

    checkpoint: Checkpoint
    at: datetime


def read_stamps(folder: Path) -> Iterator[Stamped]:
    """Yield the timestamps of an export. Raises `NotVerified` for one of another text."""
    path = folder / STAMPS
    if not path.exists():
        return
    for number, line in enumerate(read_lines(path, MAX_STAMP), 1):
        yield _stamped(line, f"Line {number} of {STAMPS}")


def _stamped(line: bytes, what: str) -> Stamped:
    try:
        told = json.loads(line)
        text, response = told["checkpoint"], base64.b64decode(told["response"], validate=True)
        checkpoint, encoded = parse_checkpoint(text), text.encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, BadNote):
        raise NotVerified(f"{what} is no checkpoint with a timestamp.") from None
    try:
        imprint, at = stamp_info(response)
    except (ValueError, IndexError, OverflowError):
        raise NotVerified(f"{what} has a timestamp that cannot be read.") from None
    if imprint != hashlib.sha256(encoded).digest():
        raise NotVerified(f"{what} has a timestamp of another text than its checkpoint.")
    return Stamped(checkpoint, at)


def stamp_info(response: bytes) -> tuple[bytes, datetime]:
    """Return the hash (SHA-256) and the time in an authority's answer.

    Raises `ValueError` for what is no granted timestamp with SHA-256. Its signature is not checked.
    """
    status, token = _fields(_only(response, _SEQUENCE), _SEQUENCE, _SEQUENCE)
    (granted,) = _fields(status, _INTEGER)
    if granted not in (b"\x00", b"\x01"):
        raise ValueError("The authority refused.")
    _signed_data, explicit = _fields(token, _OID, _EXPLICIT)
    _version, _digests, content = _fields(_only(explicit, _SEQUENCE), _INTEGER, 0x31, _SEQUENCE)
    kind, explicit = _fields(content, _OID, _EXPLICIT)
    if kind != TST_INFO_OID:
        raise ValueError("It holds no timestamp.")
    info = _only(_only(explicit, _OCTETS), _SEQUENCE)
    _v, _policy, imprint, _serial, time = _fields(info, _INTEGER, _OID, _SEQUENCE, _INTEGER, _TIME)
    algorithm, digest = _fields(imprint, _SEQUENCE, _OCTETS)
    if _fields(algorithm, _OID) != [SHA256_OID]:
        raise ValueError("Its hash is not SHA-256.")
    text, _, _fraction = time.decode("ascii").removesuffix("Z").partition(".")
    return digest, datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _fields(data: bytes, *tags: int) -> list[bytes]:
    """Return the contents of the first values in DER, which must have these tags."""
    found, at = [], 0
    for tag in tags:
        content, at = _value(data, at, tag)
        found.append(content)
    return found


def _only(data: bytes, tag: int) -> bytes:
    return _value(data, 0, tag)[0]


def _value(data: bytes, at: int, tag: int) -> tuple[bytes, int]:
    """Return the content of the value at a place, and where the next one begins."""
    if data[at] != tag:
        raise ValueError("It is another value.")
    size, start = data[at + 1], at + 2
    if size >= 0x80:
        count = size - 0x80
        if not 1 <= count <= 4:
            raise ValueError("Its length has another form.")
        size, start = int.from_bytes(data[start : start + count], "big"), start + count
    if len(data) < start + size:
        raise ValueError("It ends too early.")
    return data[start : start + size], start + size
