"""Durable jobs: bank what was confirmed, and look for new hashes in earlier uploads."""

from uuid import UUID

from kinward.families.api import WARD_LEFT
from kinward.findings.copies import bank_confirmed
from kinward.findings.floods import give_back_wrong, resume_flood
from kinward.findings.retro import MATCH_HELD, retro_match
from kinward.findings.wards import look_at_ward
from kinward.ground.jobs import enqueue_once, task
from kinward.matching.api import FLOOD_RELEASED, HASH_WRONG, HASHES_ADDED
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


@HASH_WRONG.job("findings.give_back_wrong")
def give_back(hash_id: int, by: str) -> None:
    """Give back what cases took because of a hash that a person called wrong."""
    give_back_wrong(hash_id, by)


@FLOOD_RELEASED.job("findings.resume_flood")
def resume(hash_id: int) -> None:
    """Let the cases go on that waited for a hash."""
    resume_flood(hash_id)


@WARD_LEFT.job("findings.look_at_ward")
def look_at(teen_id: int, guardian_id: int) -> None:
    """Have a person look at a teen whose guardian was ended for child safety."""
    look_at_ward(teen_id=teen_id, guardian_id=guardian_id)


@task("findings.look_for_new_hashes", every="*/5 * * * *")
def look_for_new_hashes(timestamp: int) -> None:
    """Ask for that job, in case a list grew while the last one was starting."""
    enqueue_once(MATCH_HELD)
