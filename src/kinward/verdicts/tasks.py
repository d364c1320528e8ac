"""Durable jobs that follow from verdicts."""

from uuid import UUID

from kinward.access import Actor
from kinward.ground.jobs import task
from kinward.ground.lanes import Lane
from kinward.guidelines.api import EDITION_PROPOSED
from kinward.reporting.api import ReportState, file_report, withdraw_report
from kinward.verdicts import consequences
from kinward.verdicts.appeals import WITHDRAW
from kinward.verdicts.bank import unbank
from kinward.verdicts.minute import CARRY_OUT, carry_out_pending
from kinward.verdicts.proposals import go_ahead_alone
from kinward.verdicts.report import close_reported
from kinward.verdicts.simulation import simulate_edition


@task(consequences.FILE_REPORT, lane=Lane.AUTHORITIES)
def file_and_close(report_id: str) -> None:
    """File one report of a case, and close the case if it was the last one."""
    report = file_report(UUID(report_id))
    if report.state == ReportState.FINISHED:
        close_reported(report.case_id)


@task(consequences.UNBANK)
def unbank_case(case_id: str, actor: str) -> None:
    """Remove an overturned case's hashes from our own bank."""
    unbank(UUID(case_id), Actor.stored(actor))


@task(WITHDRAW, lane=Lane.AUTHORITIES)
def withdraw(report_id: str) -> None:
    """Withdraw the report of an overturned case, unless the authority has it already."""
    withdraw_report(UUID(report_id))


@task(CARRY_OUT)
def carry_out_verdict(pending_id: str) -> None:
    """Carry out a verdict whose minute is over."""
    carry_out_pending(UUID(pending_id))


@task("verdicts.go_ahead", every="* * * * *")
def go_ahead(timestamp: int) -> None:
    """Carry out proposed verdicts whose moment has come without an answer."""
    go_ahead_alone()


@EDITION_PROPOSED.job("verdicts.simulate_guidelines")
def simulate_guidelines(edition_id: str) -> None:
    """Count what proposed guidelines would have done to past cases."""
    simulate_edition(UUID(edition_id))
