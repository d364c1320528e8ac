"""Whoever can write into a backup cannot decide what a restore brings back."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage.x25519 import Identity

from kinward.cli.backups import sealing
from kinward.cli.backups.manifest import (
    DATABASE,
    FIRST_LINE,
    MANIFEST,
    NOTE,
    BackupFailed,
    BackupNotTrusted,
    check_files,
    digest_file,
    open_file,
    read_manifest,
)
from kinward.cli.backups.sealing import (
    PIECE,
    feed,
    open_sealed,
    pack_secrets,
    put_secrets,
    seal_bytes,
    seal_output,
)
from kinward.ground.config import config
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
    with pytest.raises(BackupFailed, match="has changed since the backup"):
        feed(["cat"], path, digest, [OPENS])
    with pytest.raises(BackupFailed, match="has changed since the backup"):
        open_sealed(path, digest, [OPENS])


def test_no_tool_sees_a_byte_that_nobody_signed(tmp_path: Path) -> None:
    """The store changes a file between the comparison and the reading."""
    path, data = tmp_path / DATABASE, os.urandom(3 * PIECE)
    path.write_bytes(data)
    with open_file(path) as file:
        checked = sealing._Checked(file, path.name, hashlib.sha256(data).hexdigest())
        path.write_bytes(data[:PIECE] + b"x" * PIECE + data[2 * PIECE :])
        buffer = bytearray(PIECE)
        assert checked.readinto(buffer) == PIECE
        assert buffer == data[:PIECE]
        with pytest.raises(BackupFailed, match="changed while it was read"):
            checked.readinto(buffer)


@pytest.mark.parametrize("name", [DATABASE, MANIFEST, NOTE])
def test_what_never_ends_is_no_file_of_a_backup(backup: Path, name: str) -> None:
    (backup / name).unlink()
    os.mkfifo(backup / name)
    with pytest.raises(BackupFailed, match="is not a file"):
        read(backup)


@pytest.mark.parametrize("seal", ["bytes", "output"])
def test_what_was_written_is_signed_and_not_what_the_store_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seal: str
) -> None:
    def digest_of_another(path: Path) -> str:
        path.write_bytes(pyrage.encrypt(b"other rows", [OPENS.to_public()]))
        return digest_file(path)

    monkeypatch.setattr(sealing, "digest_file", digest_of_another)
    keys, path = [OPENS.to_public()], tmp_path / DATABASE
    with pytest.raises(BackupFailed, match="was changed while it was written"):
        if seal == "bytes":
            seal_bytes(b"rows", path, keys)
        else:
            seal_output(["echo", "rows"], path, keys)


def test_the_digest_of_what_is_sealed_is_that_of_the_file(tmp_path: Path) -> None:
    keys = [OPENS.to_public()]
    for name, digest in (
        ("bytes", seal_bytes(b"rows", tmp_path / "bytes", keys)),
        ("output", seal_output(["echo", "rows"], tmp_path / "output", keys)),
    ):
        assert digest == digest_file(tmp_path / name)
    feed(["grep", "-q", "rows"], tmp_path / "output", digest_file(tmp_path / "output"), [OPENS])


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("KINWARD_DATA_DIR", str(tmp_path / "data"))
    config.cache_clear()
    yield tmp_path / "data"
    config.cache_clear()


def archive(*members: tuple[str, bytes, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as written:
        for name, kind, data in members:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(data), "secret_key"
            written.addfile(member, io.BytesIO(data))
    return packed.getvalue()


GOOD = ("secret_key", tarfile.REGTYPE, b"s")


@pytest.mark.parametrize(
    "odd",
    [
        ("../evil", tarfile.REGTYPE, b"x"),
        ("/etc/evil", tarfile.REGTYPE, b"x"),
        (".hidden", tarfile.REGTYPE, b"x"),
        ("two\nlines", tarfile.REGTYPE, b"x"),
        ("folder", tarfile.DIRTYPE, b""),
        ("link", tarfile.SYMTYPE, b""),
        ("hard", tarfile.LNKTYPE, b""),
        ("pipe", tarfile.FIFOTYPE, b""),
        ("secret_key", tarfile.REGTYPE, b"another"),
    ],
    ids=lambda odd: odd[0],
)
def test_an_archive_with_anything_but_secrets_writes_none(
    data_dir: Path, odd: tuple[str, bytes, bytes]
) -> None:
    with pytest.raises(BackupFailed):
        put_secrets(archive(GOOD, odd))
    assert not (data_dir / "secrets").exists()


@pytest.mark.parametrize("data", [b"", b"no archive", archive(GOOD)[:700]])
def test_what_is_no_archive_is_told(data_dir: Path, data: bytes) -> None:
    with pytest.raises(BackupFailed):
        put_secrets(data)


def test_secrets_come_back_whole_wherever_they_were_mounted(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to a secret, the evidence key in two places, and folders beside."""
    secrets = data_dir / "secrets"
    (secrets / "..data").mkdir(parents=True)
    (tmp_path / "mounted").write_text("m")
    (secrets / "secret_key").symlink_to(tmp_path / "mounted")
    (secrets / "evidence_key").write_text("an old one")
    (tmp_path / "elsewhere").write_text("the one in use")
    monkeypatch.setenv("KINWARD_EVIDENCE_KEY_FILE", str(tmp_path / "elsewhere"))
    config.cache_clear()
    packed = pack_secrets()
    monkeypatch.setenv("KINWARD_DATA_DIR", str(tmp_path / "new"))
    config.cache_clear()
    put_secrets(packed)
    put_secrets(packed)  # as a restore does that is begun again
    found = {path.name: path.read_text() for path in (tmp_path / "new" / "secrets").iterdir()}
    assert found == {"secret_key": "m", "evidence_key": "the one in use"}
    with pytest.raises(BackupFailed, match="already exists and differs"):
        put_secrets(archive(("aaa", tarfile.REGTYPE, b"x"), GOOD))
    assert not (tmp_path / "new" / "secrets" / "aaa").exists()
