"""Which log this machine signs, in a file outside the database.

Whoever owns the database can rewrite all of it and call it another log, as a restore does, so that
nothing that was signed before binds it. Only `kinward restore` changes this file.
"""

from pathlib import Path
from typing import Final

from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.ground.files import write_whole

SUFFIX: Final = ".checkpoint"  # of the files with what was signed last, one for each log


class LogContradicted(KinwardError):
    """The log does not go on from a checkpoint that was signed. Nothing more is signed."""

    code = "ledger.contradicted"
    status = 409


def pinned_path() -> Path:
    """Return the path of the file, one line with the origin of the log."""
    return config().data_dir / "ledger" / "origin"


def pin(origin: str) -> None:
    """From now on this machine signs this log, and no other one. Writes nothing if it does."""
    path = pinned_path()
    if pinned() == origin:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, f"{origin}\n".encode())


def pinned() -> str | None:
    """Return the origin of the log that this machine signs; None on a machine without the file."""
    try:
        return pinned_path().read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None


def require_pinned(origin: str, *, has_signed: bool) -> None:
    """Raise `LogContradicted` if this machine signs another log than this one.

    `has_signed`: it has a file with what it signed last of this one. That is enough on a machine of
    an earlier version, which has no file with an origin.
    """
    path, known = pinned_path(), pinned()
    if known is None and (has_signed or not any(path.parent.glob(f"*{SUFFIX}"))):
        return
    if known != origin:
        raise LogContradicted(
            f"The database names the log {origin}, and this machine signs "
            f"{known or 'another one'}. If `kinward restore` ran on another machine and printed "
            f"{origin}, write that line into {path}. Otherwise somebody changed the database."
        )
