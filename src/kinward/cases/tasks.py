"""Durable jobs: from a confirmed verdict to a closed case; lists that grew."""

from uuid import UUID

from kinward.access.actor import Actor
from kinward.cases import acting, banking, services
from kinward.cases.appeals import WITHDRAW
from kinward.cases.retro import retro_match
from kinward.cases.simulating import simulate_edition
from kinward.guidelines.services import SIMULATE
from kinward.jobs import enqueue_once, task
from kinward.matching.services import RETRO
from kinward.reporting.models import ReportState
from kinward.reporting.services import file_report, withdraw_report


@task(acting.FILE_REPORT)
def file_and_close(report_id: str) -> None:
    """File one report of a case, then close the case if it was the last that it waited for."""
    report = file_report(UUID(report_id))
    if report.state == ReportState.FINISHED:
        services.close_reported(report.case_id)


@task(acting.BANK_CONFIRMED)
def bank_confirmed(verdict_id: str) -> None:
    """Bank what a person confirmed."""
    banking.bank_confirmed(UUID(verdict_id))


@task(acting.UNBANK)
def unbank(case_id: str, actor: str) -> None:
    """Take out of our own bank what an overturned case put there."""
    banking.unbank(UUID(case_id), Actor.stored(actor))


@task(WITHDRAW)
def withdraw(report_id: str) -> None:
    """Take back the report of an overturned case, unless the authority has it already."""
    withdraw_report(UUID(report_id))


@task(SIMULATE)
def simulate_guidelines(edition_id: str) -> None:
    """Count what proposed guidelines would have done to past cases."""
    simulate_edition(UUID(edition_id))


@task(RETRO, lock=RETRO)
def match_held() -> None:
    """Look for new hashes in what is held."""
    for _ in retro_match():
        pass


@task("cases.look_for_retro", every="*/5 * * * *")
def look_for_retro(timestamp: int) -> None:
    """Ask for that job, in case a list grew while it was beginning."""
    enqueue_once(RETRO)
