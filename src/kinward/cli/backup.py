"""`kinward backup` and `kinward restore`: everything, sealed for a key that you keep elsewhere."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from pyrage.x25519 import Recipient

from kinward import __version__
from kinward.cli.backups.manifest import (
    CHAINED,
    DATABASE,
    FORMAT,
    SECRETS,
    BackupFailed,
    Manifest,
    check_files,
    read_manifest,
    write_manifest,
)
from kinward.cli.backups.objects import copy_object, put_objects
from kinward.cli.backups.sealing import (
    database,
    dump_command,
    feed,
    open_sealed,
    pack_secrets,
    put_secrets,
    read_identities,
    restore_command,
    seal_bytes,
    seal_output,
)
from kinward.cli.counts import counted
from kinward.cli.restored import end_again, erase_again, last_moment, record_restore
from kinward.cli.supervisor import step
from kinward.ground.config import config
from kinward.ground.errors import KinwardError


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
    from kinward.erasure.api import begin_list, needs_list, unlisted_erasures
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
    files[DATABASE] = step("database", lambda: seal_output(dump_command(), target / DATABASE, keys))
    if not without_secrets:
        files[SECRETS] = step("secrets", lambda: seal_bytes(pack_secrets(), target / SECRETS, keys))
    stored = Evidence.objects.filter(destroyed_at=None).exclude(location="")
    with click.progressbar(
        list(stored.values_list("id", "location")), label="objects", file=sys.stderr
    ) as objects:
        for evidence_id, location in objects:
            if digest := copy_object(location, target / "objects" / f"{evidence_id}.age"):
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
    signed = _sign(target, manifest)
    click.echo(
        f"{target}: {counted(len(files), 'file', 'files')},"
        f" with {counted(entries, 'leaf', 'leaves')} of the ledger.\n{signed}"
    )
    if not needs_list() and not unlisted_erasures():
        click.echo(f"`restore` asks for {begin_list()}, too. Keep a copy elsewhere, and renew it.")


def _sign(target: Path, manifest: Manifest) -> str:
    """Write and sign the manifest; return what whoever keeps the backup has to know."""
    try:
        vkey = write_manifest(target, manifest)
    except KinwardError as error:
        return f"Nobody signed it. {error}"
    return f"Signed by {vkey}\nKeep this key beside your age identity. `restore` asks for it."


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
    "--signed-by",
    default="",
    help="The verifier key that `kinward backup` printed. Any other backup is refused.",
)
@click.option(
    "--unsigned",
    is_flag=True,
    help="Take a backup whoever made it. Whoever could write into it decides what comes back.",
)
@click.option(
    "--erasures",
    "lists",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the list of erasures. Repeat it for each machine that has one.",
)
@click.option(
    "--power",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the list of power, if the one of this data directory is lost.",
)
@click.option(
    "--no-list",
    metavar="WHY",
    default="",
    help="Why there is no list of erasures, for the ledger. Else nothing serves without one.",
)
def restore(
    directory: Path,
    identity: Path,
    signed_by: str,
    unsigned: bool,
    lists: tuple[Path, ...],
    power: Path | None,
    no_list: str,
) -> None:
    """Restore a backup into an empty database, verify the ledger, and erase again who was erased.

    An erasure is newer than an older backup. It is carried out again before anything serves. So is
    the end of power: whoever left since has left, and everybody signs in again.
    """
    from kinward.cli import postgres

    manifest = read_manifest(directory, signed_by=signed_by, unsigned=unsigned)
    click.echo(
        f"This backup was made on {manifest.made_at:%Y-%m-%d at %H:%M} UTC,"
        f" with {counted(manifest.entries, 'leaf', 'leaves')} of the ledger."
    )
    keys = read_identities(identity)
    step("checking the files", lambda: check_files(directory, manifest))
    if SECRETS in manifest.files:
        packed = open_sealed(directory / SECRETS, manifest.files[SECRETS], keys)
        step("secrets", lambda: put_secrets(packed))
    postgres.attach()
    config.cache_clear()
    _begin()
    sealed = directory / DATABASE, manifest.files[DATABASE]
    step("database", lambda: feed(restore_command(), *sealed, keys))
    _prove(directory, manifest, lists, power)
    erase_again(manifest.made_at, no_list)
    _end()


def _prove(
    directory: Path, manifest: Manifest, lists: tuple[Path, ...], power: Path | None
) -> None:
    from kinward.cli.first_run import migrate
    from kinward.cli.main import load_django

    load_django()
    step("tables", migrate)
    from kinward.ledger.api import begin_again, verify_ledger

    count = step("objects", lambda: put_objects(directory, manifest))
    log = begin_again()
    result = step("the ledger", verify_ledger)
    if not result.ok:
        raise BackupFailed(f"The ledger: {result.fault}")
    if manifest.entries and _head(manifest) != manifest.head:
        raise BackupFailed("The ledger differs from the one in the backup.")
    since = last_moment()
    record_restore(directory.name, log, result.head, lists)
    end_again(power, since)
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


def _begin() -> None:
    """Mark an empty database, so that nothing uses it before the end. Raises `BackupFailed`."""
    import psycopg

    from kinward.ground.restoring import BEGIN, TABLE

    with psycopg.connect(database()) as connection:
        rows = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        tables = {name for (name,) in rows}
        if TABLE in tables and len(tables) > 1:
            raise BackupFailed(
                "An earlier restore into this database was cut short. Drop it, and restore into a "
                "new database."
            )
        if tables - {TABLE}:
            raise BackupFailed("The database is not empty. Restore into a new database.")
        connection.execute(BEGIN)


def _end() -> None:
    """Let everything use the database."""
    from django.db import connection

    from kinward.ground.restoring import END

    with connection.cursor() as cursor:
        cursor.execute(END)
