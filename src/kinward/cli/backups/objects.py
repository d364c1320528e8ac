"""The sealed files of the evidence store, copied into a backup and put back."""

import hashlib
from pathlib import Path

import click

from kinward.cli.backups.manifest import BackupFailed, Manifest, read_file, write_new


def copy_object(location: str, path: Path) -> str:
    """Copy an object of the store; return its SHA-256, or "" if it was destroyed meanwhile."""
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
    write_new(path, data)
    return hashlib.sha256(data).hexdigest()


def put_objects(directory: Path, manifest: Manifest) -> int:
    """Put objects into this installation's store, or into the database if it has no store.

    Returns how many there were. One that is not what was sealed is left out, since the store may
    have the true one: the next scrub names the file as damaged if it has not.
    """
    from kinward.evidence.api import (
        Evidence,
        has_store,
        object_location,
        write_object,
    )

    names = [name for name in manifest.files if name.startswith("objects/")]
    count = 0
    for name in names:
        evidence = Evidence.objects.filter(pk=Path(name).stem, destroyed_at=None).first()
        if evidence is None:
            continue
        data = read_file(directory / name, _most(evidence.size))
        if hashlib.sha256(data).hexdigest() != manifest.files[name]:
            raise BackupFailed(f"{name} was changed while it was read.")
        if manifest.files[name] != evidence.sealed_sha256:
            click.echo(f"{name} is not the file that was sealed. It was not restored.", err=True)
            continue
        count += 1
        if has_store():
            evidence.ciphertext, evidence.location = None, object_location(evidence.id)
            write_object(evidence.location, data)
        else:
            evidence.ciphertext, evidence.location = data, ""
        evidence.save(update_fields=["ciphertext", "location"])
    return count


def _most(size: int) -> int:
    """Return how many bytes a sealed file of a size has at most: age adds 16 to each 64 KiB."""
    return size + size // 1024 + 64 * 1024
