"""Durable jobs that look for new hashes in what is held."""

from uuid import UUID

from kinward.findings.copies import bank_confirmed
from kinward.findings.retro import retro_match
from kinward.ground.jobs import enqueue_once, task
from kinward.matching.api import RETRO
from kinward.verdicts.api import BANK_CONFIRMED


@task(BANK_CONFIRMED)
def bank_verdict(verdict_id: str) -> None:
    """Bank what a person confirmed."""
    bank_confirmed(UUID(verdict_id))


@task(RETRO, lock=RETRO)
def match_held() -> None:
    """Look for new hashes in what is held."""
    for _ in retro_match():
        pass


@task("cases.look_for_retro", every="*/5 * * * *")
def look_for_retro(timestamp: int) -> None:
    """Ask for that job, in case a list grew while it was beginning."""
    enqueue_once(RETRO)
