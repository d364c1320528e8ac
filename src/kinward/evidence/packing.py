"""Packages for an authority or a court: a signed zip, sealed to its recipients.

    manifest.json   what is in it, each file with its size and SHA-256, and a signed
                    checkpoint of the ledger
    manifest.sig    an Ed25519 signature (RFC 8032) over manifest.json, in hex
    summary.pdf     the same for people, with a place to sign
    …               the files

The zip flows through a pipe into age (age-encryption.org/v1), so it never lies unencrypted on a
disk. A recipient opens it with their identity: `age -d -i KEY FILE > package.zip`.
"""

import hashlib
import os
import threading
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage.x25519 import Recipient

from kinward import __version__
from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.ground.names import readable_json, visible
from kinward.ledger.api import signed_checkpoint

FORMAT: Final = 1
READ: Final = 1024 * 1024
MARGIN: Final = 20  # mm


class PackageItem(msgspec.Struct, frozen=True):
    """One file of a package: its name there, its bytes, and a short description."""

    name: str
    data: bytes
    about: str


class Packed(msgspec.Struct, frozen=True):
    """A written package: the number of its files, and the SHA-256 of the sealed package."""

    files: int
    sha256: str


def check_recipient(text: str) -> str:
    """Parse an age recipient (`age1…`). Raises `Invalid` if the text is not one."""
    try:
        Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise Invalid("The recipient's key is an age recipient: age1…") from error
    return text.strip()


def write_package(
    path: Path,
    *,
    recipients: Iterable[str],
    title: str,
    facts: Mapping[str, str],
    items: Iterable[PackageItem],
) -> Packed:
    """Write a sealed package to a path, whole or not at all."""
    keys = [Recipient.from_str(check_recipient(recipient)) for recipient in recipients]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    reading, writing = os.pipe()
    failed: list[BaseException] = []

    def seal() -> None:
        try:
            with os.fdopen(reading, "rb") as clear, _new_file(partial) as sealed:
                pyrage.encrypt_io(clear, sealed, keys)
        except BaseException as error:  # raised again by the thread that waits below
            failed.append(error)

    sealing = threading.Thread(target=seal, name="sealing a package")
    sealing.start()
    try:
        with os.fdopen(writing, "wb") as clear:
            count = _write_zip(clear, title, facts, items)
    except BaseException:
        sealing.join()
        partial.unlink(missing_ok=True)
        raise
    sealing.join()
    if failed:
        partial.unlink(missing_ok=True)
        raise failed[0]
    digest = _digest(partial)
    partial.replace(path)
    return Packed(count, digest)


def _new_file(path: Path) -> BinaryIO:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(handle, "wb")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_zip(
    clear: BinaryIO, title: str, facts: Mapping[str, str], items: Iterable[PackageItem]
) -> int:
    listed: list[dict[str, Any]] = []
    with zipfile.ZipFile(clear, "w", zipfile.ZIP_STORED) as archive:
        for item in items:
            archive.writestr(item.name, item.data)
            digest = hashlib.sha256(item.data).hexdigest()
            listed.append(
                {"name": item.name, "size": len(item.data), "sha256": digest, "about": item.about}
            )
        manifest = _manifest(title, facts, listed)
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(config().secret("package_key")))
        archive.writestr("manifest.json", manifest)
        archive.writestr("manifest.sig", key.sign(manifest).hex())
        archive.writestr("summary.pdf", _summary(title, facts, listed, manifest))
    return len(listed)


def signing_key() -> str:
    """Return the public half (hex) of the key that signs packages. Recipients need it."""
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(config().secret("package_key")))
    return key.public_key().public_bytes_raw().hex()


def _manifest(title: str, facts: Mapping[str, str], listed: list[dict[str, Any]]) -> bytes:
    checkpoint = signed_checkpoint().decode()
    manifest = msgspec.json.format(
        msgspec.json.encode(
            {
                "format": FORMAT,
                "title": title,
                "facts": dict(facts),
                "made_at": datetime.now(UTC).isoformat(),
                "made_by": f"Kinward {__version__}",
                "signed_by": signing_key(),
                "ledger": {"checkpoint": checkpoint} if checkpoint else None,
                "files": listed,
            }
        )
    )
    return readable_json(manifest)


def _summary(
    title: str, facts: Mapping[str, str], listed: list[dict[str, Any]], manifest: bytes
) -> bytes:
    """Write the manifest as a PDF, with a declaration for a person to sign."""
    from fpdf import FPDF  # takes a second to load: no page of the console should wait for it

    paper = FPDF(format="A4")
    paper.set_margin(MARGIN)
    paper.set_title(title)
    paper.add_page()

    def line(text: str, *, bold: bool = False, size: int = 10) -> None:
        # Further lines are indented, so that no name can pass for another line of the paper.
        text = visible("\n    ".join(text.splitlines()), lines=True)
        paper.set_font("Helvetica", style="B" if bold else "", size=size)
        # The built-in fonts have Latin letters only. Others are escaped, so that none is lost.
        shown = text.encode("latin-1", "backslashreplace").decode("latin-1")
        paper.multi_cell(0, size * 0.5, shown, new_x="LMARGIN", new_y="NEXT")
        paper.ln(1)

    line(title, bold=True, size=16)
    for name, value in facts.items():
        line(f"{name}: {value}")
    line(f"SHA-256 of manifest.json: {hashlib.sha256(manifest).hexdigest()}")
    line(f"Signed with Ed25519, public key: {signing_key()}")
    line("Files", bold=True, size=12)
    for item in listed:
        line(f"{item['name']} ({item['size']:,} bytes): {item['about']}", bold=True)
        line(f"SHA-256 {item['sha256']}")
    line("Declaration", bold=True, size=12)
    line(
        "I declare that I am authorised to make this declaration; that the files listed above were "
        "made and kept in the regular course of business by the system named in manifest.json; "
        "that evidence was sealed when it was received, and every access to it is recorded in a "
        "ledger whose entries are leaves of a signed Merkle tree (RFC 6962); and that the digests "
        "above are those of the files in this package."
    )
    for what in ("Name", "Function", "Place and date", "Signature"):
        line(f"{what}: " + "_" * 60)
    return bytes(paper.output())


def read_manifest(archive: zipfile.ZipFile, trusted: str) -> dict[str, Any]:
    """Check the signature and every digest of an opened package; return its manifest.

    `trusted` is the sender's public key (hex). Raises `Invalid` with what is wrong.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    manifest = archive.read("manifest.json")
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(trusted))
        key.verify(bytes.fromhex(archive.read("manifest.sig").decode()), manifest)
    except (InvalidSignature, ValueError) as error:
        raise Invalid("The manifest is not signed by the key that you trust.") from error
    read: dict[str, Any] = msgspec.json.decode(manifest)
    for item in read["files"]:
        digest = hashlib.sha256(archive.read(item["name"])).hexdigest()
        if digest != item["sha256"]:
            raise Invalid(f"{item['name']} is not what the manifest says.")
    return read
