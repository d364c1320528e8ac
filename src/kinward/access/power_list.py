"""The list of power: a file outside the database, so that a restored backup gives none back.

Each change of somebody's roles, and of a key, adds a line with what is left of it. After a restore
the last line of each counts, if it is newer than the database: see `after_restore`. A line names
people and keys, and has no secret.
"""

import fcntl
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import structlog
from django.db import transaction
from django.utils import timezone

from kinward.access.models import ApiKey, Staff
from kinward.ground.config import config
from kinward.ground.errors import Invalid

log = structlog.get_logger(__name__)
NAME: Final = "power.jsonl"


class PowerLine(msgspec.Struct, frozen=True):
    """What was left of somebody's power, or of a key's, at a moment.

    `subject`: as in the ledger, such as `staff:robin`. `holds`: the roles or the scopes. `digest`
    and `until` are a key's: the digest of its secret, and when that expires.
    """

    at: datetime
    subject: str
    holds: list[str]
    live: bool
    ended: bool = False
    digest: str = ""
    until: datetime | None = None


def power_path() -> Path:
    """Return the path of the list: beside the list of erasures."""
    return config().data_dir / "ledger" / NAME


def note_staff(pk: int) -> None:
    """Add a line about somebody once the transaction has committed, as they are then."""

    def note() -> None:
        staff = Staff.objects.get(pk=pk)
        line = PowerLine(
            at=timezone.now(),
            subject=str(staff.actor),
            holds=list(staff.roles),
            live=staff.is_active,
            ended=staff.ended_at is not None,
        )
        _append(line)

    transaction.on_commit(note, robust=True)


def note_key(name: str) -> None:
    """Add a line about a key once the transaction has committed, as it is then."""
    transaction.on_commit(lambda: _append(line_of_key(ApiKey.objects.get(name=name))), robust=True)


def line_of_key(key: ApiKey) -> PowerLine:
    """Return what a key may do now, as a line of the list."""
    return PowerLine(
        at=timezone.now(),
        subject=str(key.actor),
        holds=list(key.scopes),
        live=key.revoked_at is None,
        digest=bytes(key.digest).hex(),
        until=key.expires_at,
    )


def _append(line: PowerLine) -> None:
    """Write a line. A disk that is full keeps nobody from ending a colleague's access."""
    path = power_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(msgspec.json.encode(line) + b"\n")
        path.chmod(0o600)
    except OSError as error:
        log.error("power.not_listed", who=line.subject, error=str(error))


def last_lines(path: Path, since: datetime) -> list[PowerLine]:
    """Return the last line of each subject that is newer than a moment. Raises `Invalid`.

    A last line without its end was never finished, and says nothing.
    """
    whole, _, _unfinished = path.read_bytes().rpartition(b"\n")
    newer = (line for line in _decoded(whole.split(b"\n")) if line.at > since)
    return list({line.subject: line for line in newer}.values())


def _decoded(lines: Iterable[bytes]) -> Iterator[PowerLine]:
    for number, line in enumerate(lines, 1):
        try:
            if line:
                yield msgspec.json.decode(line, type=PowerLine)
        except msgspec.MsgspecError as error:
            raise Invalid(f"Line {number} of the list of power: {error}.") from error
