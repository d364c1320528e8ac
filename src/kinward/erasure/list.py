"""The list of erasures: a file outside the database, so that a restored backup is not the end.

It only grows. A line has the number of an erasure and a keyed hash of the account, never the id
itself. Each line carries a MAC over itself and the one before it. Its key is made from
the secret `identifier_key`. Without it nobody can tell whose line it is.
"""

import fcntl
import hmac
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from kinward.erasure.errors import ListBroken
from kinward.ground.config import config

NAME: Final = "erasures.jsonl"


class Line(msgspec.Struct, frozen=True):
    """One erasure: its number, its hour (UTC), the account's keyed hash, and the line's MAC."""

    erasure: UUID
    hour: str
    account: str
    mac: str


def list_path() -> Path:
    """Return the path of the list: beside the checkpoints that were signed last."""
    return config().data_dir / "ledger" / NAME


def begin_list() -> Path:
    """Create the list where there is none, and return its path.

    From then on no file means a lost list, and an empty one that nobody was erased.
    """
    path = list_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    return path


def hash_of(platform_id: str) -> str:
    """Return the keyed hash (hex) by which the list knows an account."""
    return _mac(f"account:{platform_id}")


def _mac(text: str) -> str:
    secret = config().secret("identifier_key").encode()
    key = hmac.digest(secret, b"kinward.erasures/1", "sha256")
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def read_list(path: Path | None = None) -> list[Line]:
    """Return the lines of a list, oldest first. Raises `ListBroken`. No file is an empty list.

    A last line without its end was never finished, so its erasure was not committed either.
    """
    path = path or list_path()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return list(_checked(data[: _finished(data)].decode("utf-8", "replace").splitlines()))


def _finished(data: bytes) -> int:
    """Return how many bytes the finished lines have."""
    return data.rfind(b"\n") + 1


def _checked(texts: list[str]) -> Iterator[Line]:
    before = ""
    for number, text in enumerate(texts, 1):
        try:
            line = msgspec.json.decode(text, type=Line)
        except msgspec.MsgspecError as error:
            raise ListBroken(f"Line {number} cannot be read: {error}.") from error
        if not hmac.compare_digest(
            line.mac, _mac_of(line.erasure, line.hour, line.account, before)
        ):
            raise ListBroken(f"Line {number} does not follow from the one before it.")
        before = line.mac
        yield line


def _mac_of(erasure: UUID, hour: str, account: str, before: str) -> str:
    return _mac(f"line:{before}:{erasure}:{hour}:{account}")


def append(erasure: UUID, platform_id: str) -> None:
    """Write an erasure to the list, and wait until the disk has it. Idempotent.

    Raises `ListBroken`: nothing is added to a list that somebody changed.
    """
    hour = datetime.now(UTC).strftime("%Y-%m-%dT%H:00:00Z")
    line = Line(erasure, hour, hash_of(platform_id), "")
    _extend(lambda known: [] if erasure in known else [line])


def _extend(lacking: Callable[[dict[UUID, Line]], list[Line]]) -> None:
    """Add what the list lacks, each line with a MAC of its own, under the lock of the file."""
    path = list_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(_finished(path.read_bytes()))
        lines = read_list(path)
        before = lines[-1].mac if lines else ""
        for line in lacking({line.erasure: line for line in lines}):
            before = _mac_of(line.erasure, line.hour, line.account, before)
            said = {"erasure": str(line.erasure), "hour": line.hour, "account": line.account}
            file.write(json.dumps(said | {"mac": before}).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)


def keep_list(copy: Path) -> None:
    """Add the erasures of a list from elsewhere that this machine's list lacks. Idempotent.

    Each machine lists what was agreed there, so neither has to be the beginning of the other.
    Raises `ListBroken` for a list that somebody changed, or whose erasure has another account here.
    """
    there = read_list(copy)
    if there:
        _extend(lambda known: [line for line in there if _is_new(line, known)])


def _is_new(line: Line, known: dict[UUID, Line]) -> bool:
    here = known.get(line.erasure)
    if here is not None and (here.account, here.hour) != (line.account, line.hour):
        raise ListBroken(f"The two lists differ about erasure {line.erasure}.")
    return here is None
