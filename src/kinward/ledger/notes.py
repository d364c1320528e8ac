"""Signed notes (c2sp.org/signed-note) and cosignatures (c2sp.org/tlog-cosignature). Pure.

A note is a text that ends with a newline, an empty line, and lines of signatures. A verifier is who
may sign, by name and public key. Two types are known: Ed25519 over the text, and an Ed25519
cosignature, which a witness makes over the text and the time.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04

MAX_NOTE_BYTES: Final = 256 * 1024
MAX_SIGNATURES: Final = 64  # at least 16 must be accepted; ML-DSA lines have 3.3 kB
MAX_NAME: Final = 255  # characters

_DASH: Final = "— "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_BYTES: Final = {ED25519: 64, COSIGNATURE: 72}
_PUBLIC_BYTES: Final = 32


class BadNote(ValueError):
    """A note, a signature or a key that is malformed or not valid. The message says why."""


@dataclass(frozen=True)
class Verifier:
    """Who may sign: a name, the type of signature, and the public key."""

    name: str
    kind: int
    public: bytes
    key_id: bytes = field(init=False)
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in _SIGNATURE_BYTES:
            raise BadNote(f"Keys of type {self.kind:#04x} are not known here.")
        if len(self.public) != _PUBLIC_BYTES:
            raise BadNote(f"An Ed25519 key has {_PUBLIC_BYTES} bytes.")
        object.__setattr__(self, "key_id", key_id(self.name, self.kind, self.public))
        object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(self.public))

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Read `NAME+KEY ID+BASE64`. The base64 may hold a `+` itself."""
        parts = vkey.split("+", 2)
        if len(parts) != 3:
            raise BadNote("A verifier key has the form NAME+KEYID+BASE64.")
        data = decode64(parts[2])
        if not data:
            raise BadNote("A verifier key names its type before its bytes.")
        verifier = cls(parts[0], data[0], data[1:])
        if parts[1] != verifier.key_id.hex():
            raise BadNote(f"The key id {parts[1]!r} does not belong to this name and key.")
        return verifier

    @property
    def vkey(self) -> str:
        """The verifier key as others write it into their files."""
        return f"{self.name}+{self.key_id.hex()}+{encode64(bytes([self.kind]) + self.public)}"

    def verify(self, text: str, value: bytes) -> None:
        """Verify the bytes of a signature over a text. Raises `BadNote`."""
        if len(value) != _SIGNATURE_BYTES[self.kind]:
            raise BadNote(f"The signature of {self.name} has the wrong length.")
        message = text.encode()
        if self.kind == COSIGNATURE:
            message = cosigned_bytes(text, int.from_bytes(value[:8], "big"))
            value = value[8:]
        try:
            self._key.verify(value, message)
        except InvalidSignature:
            raise BadNote(f"The signature of {self.name} does not fit the text.") from None


@dataclass(frozen=True)
class Signature:
    """One line of signature: whose it claims to be, and its bytes."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line with its newline."""
        return f"{_DASH}{self.name} {encode64(self.key_id + self.value)}\n"

    @property
    def cosigned_at(self) -> int:
        """The time of a cosignature, in seconds since 1970."""
        return int.from_bytes(self.value[:8], "big")


@dataclass(frozen=True)
class Note:
    """A text and its signatures, none of them verified."""

    text: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """Return the note as it is sent and stored."""
        return f"{self.text}\n{''.join(each.line for each in self.signatures)}".encode()


@dataclass(frozen=True)
class OpenedNote:
    """A text, and who was found to have signed it. At least one did."""

    text: str
    verified: tuple[tuple[Verifier, Signature], ...]
    unknown: tuple[Signature, ...]


def parse_note(data: bytes) -> Note:
    """Read a note, without a look at its signatures. Raises `BadNote`."""
    if len(data) > MAX_NOTE_BYTES:
        raise BadNote(f"A note has at most {MAX_NOTE_BYTES} bytes.")
    content = _decode(data)
    text, separator, lines = content.rpartition("\n\n")
    if not separator or not lines:
        raise BadNote("A note has a text, an empty line, and signatures.")
    return Note(text + "\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Read lines of signatures, each with its newline. Raises `BadNote`."""
    if not lines.endswith("\n"):
        raise BadNote("The last line of a note ends with a newline.")
    rows = lines[:-1].split("\n")
    if len(rows) > MAX_SIGNATURES:
        raise BadNote(f"A note has at most {MAX_SIGNATURES} signatures.")
    return tuple(_parse_line(row) for row in rows)


def open_note(data: bytes, known: Iterable[Verifier]) -> OpenedNote:
    """Read a note and verify each signature of a known verifier.

    An unknown verifier is ignored. Raises `BadNote` if one signature of a known verifier does not
    fit, or if there is none.
    """
    note = parse_note(data)
    by_key: dict[tuple[str, bytes], Verifier] = {}
    for verifier in known:
        other = by_key.setdefault((verifier.name, verifier.key_id), verifier)
        if other != verifier:
            raise BadNote(f"Two known keys have the name {verifier.name} and the same key id.")
    verified, unknown = [], []
    for signature in note.signatures:
        signer = by_key.get((signature.name, signature.key_id))
        if signer is None:
            unknown.append(signature)
            continue
        signer.verify(note.text, signature.value)
        verified.append((signer, signature))
    if not verified:
        raise BadNote("No known key signed this note.")
    return OpenedNote(note.text, tuple(verified), tuple(unknown))


def sign_text(text: str, signer: Verifier, sign: Callable[[bytes], bytes]) -> Signature:
    """Sign a text. `sign` makes the raw Ed25519 signature (64 bytes) of bytes."""
    check_text(text)
    signature = Signature(signer.name, signer.key_id, sign(text.encode()))
    signer.verify(text, signature.value)
    return signature


def cosign_text(
    text: str, seconds: int, signer: Verifier, sign: Callable[[bytes], bytes]
) -> Signature:
    """Cosign a text as a witness at this time. `sign` as for `sign_text`."""
    check_text(text)
    value = seconds.to_bytes(8, "big") + sign(cosigned_bytes(text, seconds))
    signer.verify(text, value)
    return Signature(signer.name, signer.key_id, value)


def cosigned_bytes(text: str, seconds: int) -> bytes:
    """Return what a witness signs."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Return the four bytes by which a signature names its key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def check_name(name: str) -> None:
    """Raise `BadNote` unless this may be the name of a key."""
    if not name or len(name) > MAX_NAME:
        raise BadNote(f"The name of a key has 1 to {MAX_NAME} characters.")
    if "+" in name or any(character.isspace() for character in name):
        raise BadNote("The name of a key has no plus sign and no white space.")


def check_text(text: str) -> None:
    """Raise `BadNote` unless this may be signed."""
    if not text.endswith("\n") or _has_controls(text):
        raise BadNote("A signed text ends with a newline and has no other control characters.")


def encode64(data: bytes) -> str:
    """Return padded base64."""
    return base64.b64encode(data).decode()


def decode64(text: str) -> bytes:
    """Read padded base64 in its only form. Raises `BadNote`."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise BadNote("This is not base64.") from None
    if encode64(data) != text:
        raise BadNote("This is not base64 in its canonical form.")
    return data


def _decode(data: bytes) -> str:
    try:
        content = data.decode()
    except UnicodeDecodeError:
        raise BadNote("A note is UTF-8.") from None
    if _has_controls(content):
        raise BadNote("A note has no control characters but newlines.")
    return content


def _has_controls(content: str) -> bool:
    return _CONTROL.search(content) is not None


def _parse_line(row: str) -> Signature:
    name, space, encoded = row.removeprefix(_DASH).partition(" ")
    if not row.startswith(_DASH) or not space:
        raise BadNote("A signature is a line of a dash, a name and base64.")
    check_name(name)
    data = decode64(encoded)
    if len(data) < 5:
        raise BadNote(f"The signature of {name} is too short.")
    return Signature(name, data[:4], data[4:])
