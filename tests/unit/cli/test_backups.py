"""Whoever can write into a backup cannot decide what a restore brings back."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage.x25519 import Identity

from kinward.cli.backups.manifest import (
    DATABASE,
    FIRST_LINE,
    MANIFEST,
    NOTE,
    BackupFailed,
    BackupNotTrusted,
    check_files,
    read_manifest,
)
from kinward.cli.backups.sealing import feed, open_sealed
from kinward.ledger.checkpoints import parse_checkpoint
from kinward.ledger.notes import ED25519, BadNote, Note, Verifier, sign_text

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
OPENS = Identity.generate()
SEALED = pyrage.encrypt(b"rows", [OPENS.to_public()])
IDS = "00000000-0000-4000-8000-000000000001"


def verifier(key: Ed25519PrivateKey = KEY, name: str = "kinward.example/ledger") -> Verifier:
    return Verifier(name, ED25519, key.public_key().public_bytes_raw())


def note_of(data: bytes, key: Ed25519PrivateKey = KEY, first: str = FIRST_LINE) -> bytes:
    text = f"{first}\n{hashlib.sha256(data).hexdigest()}\n"
    return Note(text, (sign_text(text, verifier(key), key.sign),)).to_bytes()


def manifest(**changes: Any) -> bytes:
    fields = {
        "format": 3,
        "version": "1",
        "made_at": datetime(2026, 11, 27, tzinfo=UTC).isoformat(),
        "entries": 1,
        "head": "00",
        "store": "",
        "files": {DATABASE: hashlib.sha256(SEALED).hexdigest()},
    }
    return json.dumps(fields | changes).encode()


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    (tmp_path / DATABASE).write_bytes(SEALED)
    (tmp_path / MANIFEST).write_bytes(manifest())
    (tmp_path / NOTE).write_bytes(note_of(manifest()))
    return tmp_path


def read(directory: Path, signed_by: str = verifier().vkey, unsigned: bool = False) -> None:
    check_files(directory, read_manifest(directory, signed_by=signed_by, unsigned=unsigned))


def test_what_the_named_key_signed_is_read(backup: Path) -> None:
    read(backup)


def unsigned(directory: Path) -> None:
    (directory / NOTE).unlink()


def of_another_key(directory: Path) -> None:
    (directory / NOTE).write_bytes(note_of(manifest(), OTHER))


def over_another_manifest(directory: Path) -> None:
    (directory / MANIFEST).write_bytes(manifest(entries=0))


def a_note_for_something_else(directory: Path) -> None:
    (directory / NOTE).write_bytes(note_of(manifest(), first="kinward.example/ledger"))


def no_note(directory: Path) -> None:
    (directory / NOTE).write_bytes(b"\xff\n\nhello\n")


@pytest.mark.parametrize(
    "forge",
    [unsigned, of_another_key, over_another_manifest, a_note_for_something_else, no_note],
)
def test_a_backup_that_nobody_named_has_signed_is_refused(
    backup: Path, forge: Callable[[Path], None]
) -> None:
    forge(backup)
    with pytest.raises(BackupNotTrusted):
        read(backup)
    read(backup, signed_by="", unsigned=True)  # as somebody decides who knows it


def test_who_names_no_key_is_told_whose_it_claims_to_be(backup: Path) -> None:
    with pytest.raises(BackupNotTrusted, match=r"kinward\.example/ledger signed it"):
        read(backup, signed_by="")
    with pytest.raises(BackupNotTrusted, match="verifier key"):
        read(backup, signed_by="me")


@pytest.mark.parametrize(
    "changes",
    [
        {"files": {"../secrets": "00"}},
        {"files": {f"objects/../{IDS}.age": "00"}},
        {"files": {f"objects/{IDS}.age": "00"}},  # no database
        {"format": 4},
        {"format": "3"},
        {"files": {DATABASE: "00"}},
        {"files": {DATABASE: hashlib.sha256(SEALED).hexdigest(), f"objects/{IDS}.age": "00"}},
    ],
)
def test_what_is_not_a_backup_is_refused_whoever_signed_it(
    backup: Path, changes: dict[str, Any]
) -> None:
    (backup / MANIFEST).write_bytes(manifest(**changes))
    (backup / NOTE).write_bytes(note_of(manifest(**changes)))
    with pytest.raises(BackupFailed):
        read(backup)


def test_no_checkpoint_is_the_note_of_a_backup() -> None:
    """The same key signs both."""
    with pytest.raises(BadNote):
        parse_checkpoint(f"{FIRST_LINE}\n{'0' * 64}\n")


def test_a_file_that_is_changed_after_the_check_is_not_believed(backup: Path) -> None:
    digest = hashlib.sha256(SEALED).hexdigest()
    path = backup / DATABASE
    feed(["cat"], path, digest, [OPENS])
    assert open_sealed(path, digest, [OPENS]) == b"rows"
    path.write_bytes(pyrage.encrypt(b"other rows", [OPENS.to_public()]))
    with pytest.raises(BackupFailed, match="was changed while it was read"):
        feed(["cat"], path, digest, [OPENS])
    with pytest.raises(BackupFailed, match="has changed since the backup"):
        open_sealed(path, digest, [OPENS])
