"""The store of ciphertext: the database first, and then a store, if the operator chose one.

A store is any address that fsspec knows: `s3://bucket/prefix`, `file:///mnt/vault`. The transaction
of a case seals its files into the database. A job moves them, reads them back, and only then clears
the database's copy. Whenever a process is killed, the bytes are in one of the two.
"""

import hashlib
from typing import Any, Final
from uuid import UUID

import fsspec

from kinward.ground.config import config
from kinward.ground.errors import KinwardError, SettingWrong

BLOCK: Final = 1024 * 1024
SUFFIX: Final = ".age"


class StoreUnreachable(KinwardError):
    """The evidence store is unreachable, or has lost an object."""

    code = "evidence.store_away"
    status = 503


def has_store() -> bool:
    """Return whether the operator named a store."""
    return bool(config().evidence_store)


def object_location(evidence_id: UUID) -> str:
    """Return the address of an object. It never changes, so a second write is harmless."""
    return f"{config().evidence_store.rstrip('/')}/{evidence_id}{SUFFIX}"


def evidence_of(location: str) -> UUID | None:
    """Return whose object an address is, or None if it is no object of a store.

    >>> evidence_of("file:///vault/0b9f3c1e-7d52-4c1a-9a53-5f0a2f6f1c11.age") is None
    False
    >>> evidence_of("file:///vault/secret_key"), evidence_of("file:///vault/.age")
    (None, None)
    >>> evidence_of("0b9f3c1e-7d52-4c1a-9a53-5f0a2f6f1c11.age") is None
    True
    """
    _store, slash, name = location.rpartition("/")
    try:
        found = UUID(name.removesuffix(SUFFIX))
    except ValueError:
        return None
    return found if slash and name == f"{found}{SUFFIX}" else None


def write_object(location: str, data: bytes) -> None:
    """Write an object and read it back. Raises `StoreUnreachable` unless it is there, whole."""
    system, path = _open(location)
    try:
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(path, data)
        system.invalidate_cache()
        there = system.cat_file(path)
    except Exception as error:  # each kind of store has errors of its own
        raise StoreUnreachable(f"{type(error).__name__} at writing.") from error
    if hashlib.sha256(there).digest() != hashlib.sha256(data).digest():
        raise StoreUnreachable("It gave other bytes back than it was given.")


def read_object(location: str) -> bytes:
    """Read an object. Raises `StoreUnreachable`."""
    system, path = _open(location)
    try:
        return bytes(system.cat_file(path))
    except FileNotFoundError as error:
        raise StoreUnreachable("The object is not there.") from error
    except Exception as error:
        raise StoreUnreachable(f"{type(error).__name__} at reading.") from error


def delete(location: str) -> None:
    """Delete an object. Idempotent. Raises `StoreUnreachable`."""
    system, path = _open(location)
    try:
        system.rm_file(path)
    except FileNotFoundError:
        return
    except Exception as error:
        raise StoreUnreachable(f"{type(error).__name__} at deleting.") from error


def _open(location: str) -> tuple[Any, str]:
    options: dict[str, Any] = {}
    if location.startswith("s3://") and config().aws_endpoint:
        options = {"endpoint_url": config().aws_endpoint}
    try:
        opened: tuple[Any, str] = fsspec.url_to_fs(location, **options)
    except (ImportError, ValueError) as error:
        raise SettingWrong(f"KINWARD_EVIDENCE_STORE: {error}.") from error
    return opened
