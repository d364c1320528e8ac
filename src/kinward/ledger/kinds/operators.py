"""What an operator did alone, without the words: break-glass, backups, restores."""

from msgspec import UNSET, UnsetType

from kinward.ledger.kinds.fact import Fact


class GlassBroken(Fact, frozen=True):
    """An operator carried out a request alone that takes two people."""

    kind = "glass.broken"
    request: str


class GlassReviewed(Fact, frozen=True):
    """Another person reviewed what an operator did alone, and found it justified or not."""

    kind = "glass.reviewed"
    justified: bool


class BackupBegun(Fact, frozen=True):
    """An operator began to write everything to a backup that these age keys open."""

    kind = "backup.begun"
    recipients: list[str]
    secrets: bool


class BackupRestored(Fact, frozen=True):
    """A backup was restored. The log, of this size and root (hex), goes on under another origin.

    `lines` and `last`: of the list of erasures that was there, how many, and the MAC (hex) of the
    last one.
    """

    kind = "backup.restored"
    origin: str
    size: int
    root: str
    lines: int | UnsetType = UNSET
    last: str | UnsetType = UNSET
