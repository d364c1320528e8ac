"""From which leaf on every entry has a MAC, so that nobody passes a new entry for an old one.

A new log begins with them. One of an earlier version has them from the first entry that got one on.
The log's row says so, with a MAC by the secret key. A file outside the database says it, too:
whoever owns the database could take the row's word away, and each MAC with it.
"""

from pathlib import Path
from typing import Final

import structlog
from django.db import transaction

from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.ground.files import write_whole
from kinward.ground.secrets import is_mac, mac
from kinward.ledger.models import Log

log_ = structlog.get_logger(__name__)
_PURPOSE: Final = "ledger boundary"
MAX_BYTES: Final = 64  # of the file


class OtherSecret(KinwardError):
    """Not this secret key wrote the ledger. Was it changed? Name the former one in its list."""

    code = "ledger.other_secret"
    status = 409


class BoundaryUnreadable(KinwardError):
    """The file that says which entries need a MAC cannot be read, so nobody can tell."""

    code = "ledger.boundary_unreadable"
    status = 503


def require_secret() -> None:
    """Raise `OtherSecret` or `BoundaryUnreadable` where nobody can tell what Kinward wrote.

    Somebody may also have written to the log's row, and then no key helps.
    """
    kept()
    log = Log.objects.first()
    if log is not None and log.macs_from is not None and said(log) is None:
        raise OtherSecret(f"It goes into {config().secret_path('secret_keys_before')}.")


def first_known(log: Log) -> int | None:
    """Return the leaf that the row and the file name: of two, the smaller. None without either.

    Each machine that has read a true row keeps what it said, and no longer needs it.
    """
    named, outside = said(log), kept()
    if named is not None and outside is None:
        keep(named)
    return min((first for first in (named, outside) if first is not None), default=None)


def said(log: Log) -> int | None:
    """Return the leaf that the log's row names. None where it names none, or not by our key."""
    if log.macs_from is None:
        return None
    told = _told(log.macs_from, log.chained)
    return log.macs_from if is_mac(bytes(log.macs_from_mac), told, _PURPOSE) else None


def settle(log: Log, first: int) -> None:
    """Say in the log's row, which the caller saves, that every entry from a leaf on has a MAC.

    The file follows once that is committed.
    """
    log.macs_from, log.macs_from_mac = first, mac(_told(first, log.chained), _PURPOSE)
    transaction.on_commit(lambda: keep(first))


def difference(log: Log) -> str:
    """Return in what the row is not as Kinward wrote it, as words; "" if it is."""
    first, outside = said(log), kept()
    if log.macs_from is not None and first is None:
        return (
            "the secret key did not write what the log's row says of MACs. Was the key changed? "
            f"Add the former one to {config().secret_path('secret_keys_before')}"
        )
    if outside is not None and (first is None or outside < first):
        return f"{kept_path()} says that entries have MACs from leaf {outside:,} on"
    return ""


def keep(first: int) -> None:
    """Write into the file from which leaf on every entry has a MAC. It only ever gets smaller.

    A machine on which that fails goes by the log's row.
    """
    try:
        before = kept()
        if before is not None and before <= first:
            return
        kept_path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(kept_path(), f"{first}\n".encode())
    except (OSError, BoundaryUnreadable) as error:
        log_.error("ledger.boundary_not_kept", error=str(error))


def keep_restored(log: Log) -> None:
    """Let the file say what the row of a restored log says, or nothing if that says nothing."""
    kept_path().unlink(missing_ok=True)
    first_known(log)


def kept() -> int | None:
    """Return what the file says. None without the file. Raises `BoundaryUnreadable`."""
    try:
        with kept_path().open("rb") as file:
            text = file.read(MAX_BYTES + 1).strip()
    except FileNotFoundError:
        if kept_path().is_symlink():
            raise BoundaryUnreadable(f"{kept_path()} leads to nothing.") from None
        return None
    except OSError as error:
        raise BoundaryUnreadable(f"{kept_path()}: {error.strerror}.") from None
    if not text.isdigit() or len(text) > MAX_BYTES:
        raise BoundaryUnreadable(
            f"{kept_path()} holds no number. Bring the file back from another machine. Without it "
            "the log's row alone says which entries are older than their MACs."
        )
    return int(text)


def kept_path() -> Path:
    """Return the path of the file: one line with a number."""
    return config().data_dir / "ledger" / "macs"


def _told(first: int, chained: int) -> bytes:
    return f"{first} {chained}".encode()
