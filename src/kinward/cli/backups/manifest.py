"""The manifest of a backup: its files by digest, and the signature of whoever made it."""

import hashlib
import os
import re
import stat
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from kinward.ground.errors import KinwardError
from kinward.ground.names import visible
from kinward.ledger import BadNote, Verifier, open_note, parse_note

FORMAT: Final = 3
CHAINED: Final = 1  # the format whose head is the digest of an entry
UNSIGNED: Final = (CHAINED, 2)
SECRETS: Final = "secrets.tar.age"
DATABASE: Final = "database.age"
MANIFEST: Final = "manifest.json"
NOTE: Final = "manifest.note"
FIRST_LINE: Final = "kinward-backup/1"  # no checkpoint begins so: the key signs both
MAX_NOTE: Final = 64 * 1024  # bytes
MAX_MANIFEST: Final = 256 * 1024 * 1024  # bytes: an object takes about 150
_NAME: Final = re.compile(r"(objects/[0-9a-f-]{36}\.age|database\.age|secrets\.tar\.age)", re.ASCII)


class BackupFailed(KinwardError):
    """The backup or the restore failed."""

    code = "backup.failed"


class BackupNotTrusted(KinwardError):
    """Nobody whom you named signed this backup. Nothing of it was used."""

    code = "backup.not_trusted"


class Manifest(msgspec.Struct, frozen=True):
    """The contents of a backup. `files` maps names to SHA-256.

    `head`: the root of the ledger's tree (hex) when it had `entries` leaves. In format 1, the
    digest of the entry with this number.
    """

    format: int
    version: str
    made_at: datetime
    entries: int
    head: str
    store: str
    files: dict[str, str]


def write_manifest(directory: Path, manifest: Manifest) -> str:
    """Write the manifest and its signature; return the key that verifies it.

    Raises what `sign_note` raises. The manifest is written by then: a backup without a signature is
    better than none, above all for somebody who has lost the key.
    """
    from kinward.ledger.api import sign_note

    data = msgspec.json.format(msgspec.json.encode(manifest))
    write_new(directory / MANIFEST, data)
    note, vkey = sign_note(_signed_text(data))
    write_new(directory / NOTE, note)
    return vkey


def read_manifest(directory: Path, *, signed_by: str, unsigned: bool) -> Manifest:
    """Read the manifest of a backup that was signed by a key, or that is taken without one.

    `signed_by`: the key that the reader trusts, as a verifier key. Raises `BackupNotTrusted` unless
    it signed this manifest; `unsigned` takes any. Raises `BackupFailed` if there is no backup.
    """
    if not (directory / MANIFEST).exists():
        raise BackupFailed(f"{directory} is not a backup: it has no {MANIFEST}.")
    data = read_file(directory / MANIFEST, MAX_MANIFEST)
    if not unsigned:
        _require_signed(directory / NOTE, data, signed_by)
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupFailed(f"{directory} is not a backup: {error}.") from error
    if manifest.format not in {FORMAT, *UNSIGNED}:
        raise BackupFailed(
            f"The backup has format {manifest.format}. This version reads formats 1 to {FORMAT}."
        )
    for name in manifest.files:
        if not _NAME.fullmatch(name):
            raise BackupFailed(f"{visible(name)!r} is not the name of a file of a backup.")
    if DATABASE not in manifest.files:
        raise BackupFailed(f"{directory} has no {DATABASE}.")
    return manifest


def check_files(directory: Path, manifest: Manifest) -> None:
    """Raise `BackupFailed` for a file that is not what the manifest says."""
    for name, digest in manifest.files.items():
        if digest_file(directory / name) != digest:
            raise BackupFailed(f"{name} has changed since the backup.")


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file (hex). Raises `BackupFailed`."""
    try:
        with open_file(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BackupFailed(f"{path.name}: {error}.") from error


def open_file(path: Path) -> BufferedReader:
    """Open a file to read it. Raises `BackupFailed` for a pipe or a device, which may never end."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BackupFailed(f"{path.name} is not a file.")
    return os.fdopen(handle, "rb")


def read_file(path: Path, most: int) -> bytes:
    """Return the bytes of a file. Raises `BackupFailed`, also if there are more than `most`."""
    try:
        with open_file(path) as file:
            data = file.read(most + 1)
    except OSError as error:
        raise BackupFailed(f"{path.name}: {error}.") from error
    if len(data) > most:
        raise BackupFailed(f"{path.name} has more than {most:,} bytes.")
    return data


def new_file(path: Path) -> BinaryIO:
    """Open a file that does not exist yet, for its owner alone."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, "wb")


def write_new(path: Path, data: bytes) -> None:
    """Write a file that does not exist yet, for its owner alone."""
    with new_file(path) as file:
        file.write(data)


def _signed_text(manifest: bytes) -> str:
    return f"{FIRST_LINE}\n{hashlib.sha256(manifest).hexdigest()}\n"


def _require_signed(path: Path, manifest: bytes, signed_by: str) -> None:
    if not path.exists():
        raise BackupNotTrusted("It has no signature. Do you know it? Add `--unsigned`.")
    try:
        note = read_file(path, MAX_NOTE)
        signers = ", ".join(visible(each.name) for each in parse_note(note).signatures)
        if not signed_by:
            raise BackupNotTrusted(
                f"It says that {signers} signed it. Add `--signed-by` and the verifier key that "
                "the backup printed, or that a witness has."
            )
        text = open_note(note, [Verifier.parse(signed_by)]).text
    except BadNote as error:
        raise BackupNotTrusted(f"{NOTE}: {visible(str(error))}") from error
    if text != _signed_text(manifest):
        raise BackupNotTrusted(f"{MANIFEST} is not the one that was signed.")
