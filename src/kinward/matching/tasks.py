"""Upkeep jobs: checks are packed into blocks, and the index is saved for other processes."""

from kinward.ground.jobs import task
from kinward.matching import allowances, weakening
from kinward.matching.index import bank_index
from kinward.matching.quiet import renew_silenced
from kinward.matching.retro import pack_checks
from kinward.matching.versions import RENEW


@task("matching.pack", every="* * * * *")
def pack(timestamp: int) -> None:
    """Pack checks into blocks."""
    pack_checks()


@task("matching.snapshot", every="*/10 * * * *")
def snapshot(timestamp: int) -> None:
    """Write a snapshot of the index, if much has changed."""
    bank_index().snapshot()


@task(RENEW, lock=RENEW)
def renew() -> None:
    """Have what nothing silences any more looked for in earlier uploads."""
    renew_silenced()


@task("matching.go_ahead_alone", every="* * * * *")
def go_ahead(timestamp: int) -> None:
    """Weaken banks, and let much leave them, where nobody else could decide."""
    weakening.go_ahead_alone()
    allowances.go_ahead_alone()
