"""Durable jobs: bank what was confirmed, and look for new hashes in earlier uploads."""

from uuid import UUID

from kinward.findings.copies import bank_confirmed
from kinward.findings.retro import MATCH_HELD, retro_match
from kinward.ground.jobs import enqueue_once, task
from kinward.matching.api import HASHES_ADDED
from kinward.verdicts.api import CONFIRMED_FOR_BANK


@CONFIRMED_FOR_BANK.job("findings.bank_confirmed")
def bank_verdict(verdict_id: str) -> None:
    """Bank the hashes that a verdict confirmed."""
    bank_confirmed(UUID(verdict_id))


@HASHES_ADDED.job(MATCH_HELD, lock=MATCH_HELD)
def match_held() -> None:
    """Look for new hashes in earlier uploads."""
    for _ in retro_match():
        pass


@task("findings.look_for_new_hashes", every="*/5 * * * *")
def look_for_new_hashes(timestamp: int) -> None:
    """Ask for that job, in case a list grew while the last one was starting."""
    enqueue_once(MATCH_HELD)
