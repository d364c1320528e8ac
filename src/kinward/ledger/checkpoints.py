"""Checkpoints (c2sp.org/tlog-checkpoint): whose tree it is, its size and its root. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kinward.ledger.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE
from kinward.ledger.notes import BadNote, OpenedNote, Verifier, decode64, encode64, open_note

MAX_EXTENSIONS: Final = 16  # lines

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class BadCheckpoint(BadNote):
    """A text that is no checkpoint, or another log's. The message says why."""


@dataclass(frozen=True)
class Checkpoint:
    """The tree of `origin` had this root when it had `size` leaves."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin:
            raise BadCheckpoint("A checkpoint begins with its origin.")
        if not 0 <= self.size <= MAX_SIZE:
            raise BadCheckpoint("The size of a checkpoint is a whole number below 2**63.")
        if len(self.root) != HASH_BYTES:
            raise BadCheckpoint(f"The root of a checkpoint has {HASH_BYTES} bytes.")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise BadCheckpoint("The root at size 0 is not that of an empty tree.")
        if len(self.extensions) > MAX_EXTENSIONS or not all(self.extensions):
            raise BadCheckpoint(f"A checkpoint has at most {MAX_EXTENSIONS} further lines.")

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), encode64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint. Raises `BadCheckpoint`."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1]:
        raise BadCheckpoint("A checkpoint has three lines: origin, size and root.")
    origin, size, root, *extensions = lines[:-1]
    if not _SIZE.fullmatch(size):
        raise BadCheckpoint("The size of a checkpoint is a decimal number without leading zeros.")
    try:
        root_bytes = decode64(root)
    except BadNote as error:
        raise BadCheckpoint(f"The root of the checkpoint: {error}") from None
    return Checkpoint(origin, int(size), root_bytes, tuple(extensions))


def open_checkpoint(
    data: bytes, log: Verifier, witnesses: Iterable[Verifier] = (), *, origin: str | None = None
) -> tuple[Checkpoint, OpenedNote]:
    """Read a signed checkpoint of a log, and verify every signature of a known key.

    `origin` is the name of the key unless it is given. Raises `BadNote` unless the log signed.
    """
    opened = open_note(data, [log, *witnesses])
    if not any(verifier == log for verifier, _signature in opened.verified):
        raise BadNote(f"{log.name} has not signed this checkpoint.")
    checkpoint = parse_checkpoint(opened.text)
    expected = log.name if origin is None else origin
    if checkpoint.origin != expected:
        raise BadCheckpoint(f"This checkpoint is of {checkpoint.origin!r}, not of {expected!r}.")
    return checkpoint, opened
