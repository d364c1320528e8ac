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
from kinward.ground.files import write_whole
from kinward.ground.secrets import is_mac, mac
from kinward.ledger.models import Log

log_ = structlog.get_logger(__name__)
_PURPOSE: Final = "ledger boundary"


def first_known(log: Log) -> int | None:
    """Return the leaf that the row and the file name: of two, the smaller. None without either."""
    named = [first for first in (said(log), kept(log.origin)) if first is not None]
    return min(named, default=None)


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
    origin = log.origin
    transaction.on_commit(lambda: keep(origin, first))


def difference(log: Log) -> str:
    """Return in what the row is not as Kinward wrote it, as words; "" if it is."""
    first, outside = said(log), kept(log.origin)
    if log.macs_from is not None and first is None:
        return "the log's row names a leaf from which on entries have MACs, and not by our key"
    if outside is not None and outside != first:
        return f"{kept_path()} says that entries have MACs from leaf {outside:,} on"
    return ""


def keep(origin: str, first: int) -> None:
    """Write into the file from which leaf on every entry of a log has a MAC.

    A machine on which that fails goes by the log's row.
    """
    try:
        kept_path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(kept_path(), f"{first} {origin}\n".encode())
    except OSError as error:
        log_.error("ledger.boundary_not_kept", error=str(error))


def kept(origin: str) -> int | None:
    """Return what the file says of a log. None without the file, or where it is of another log."""
    try:
        text = kept_path().read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    first, _, name = text.strip().partition(" ")
    return int(first) if first.isascii() and first.isdigit() and name == origin else None


def kept_path() -> Path:
    """Return the path of the file: one line with a number and the origin of the log."""
    return config().data_dir / "ledger" / "macs"


def _told(first: int, chained: int) -> bytes:
    return f"{first} {chained}".encode()
