"""The sealed files of the evidence store, copied into a backup and put back."""

import hashlib
from pathlib import Path

from kinward.cli.backups.manifest import BackupFailed, Manifest
from kinward.cli.backups.sealing import new_file


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
    with new_file(path) as written:
        written.write(data)
    return hashlib.sha256(data).hexdigest()


def put_objects(directory: Path, manifest: Manifest) -> int:
    """Put objects into this installation's store, or into the database if it has no store.

    Returns how many there were.
    """
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
        if hashlib.sha256(data).hexdigest() != manifest.files[name]:
            raise BackupFailed(f"{name} was changed while it was read. Drop this database.")
        if has_store():
            evidence.ciphertext, evidence.location = None, object_location(evidence.id)
            write_object(evidence.location, data)
        else:
            evidence.ciphertext, evidence.location = data, ""
        evidence.save(update_fields=["ciphertext", "location"])
    return len(names)
