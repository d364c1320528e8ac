"""Close a case when its reports are filed or handed over, and send parked reports again."""

from uuid import UUID

from django.db import transaction

from kinward.access import Actor, Permission
from kinward.access.api import Staff
from kinward.casebook.api import Act, Case, CaseState, get_case, require_fresh
from kinward.ground.jobs import enqueue
from kinward.ledger.api import kinds, record
from kinward.reporting.api import (
    Report,
    ReportState,
    get_report,
    handed_over,
    reports_of_case,
    unpark,
)
from kinward.verdicts.conclusion import move_case
from kinward.verdicts.consequences import FILE_REPORT


@transaction.atomic
def close_reported(case_id: UUID) -> None:
    """Close a confirmed case when all of its reports are finished. Idempotent."""
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    if case.state in (CaseState.REPORTED, CaseState.OVERTURNED):
        return
    reports = list(reports_of_case(case_id))
    if any(report.state != ReportState.FINISHED for report in reports):
        return
    move_case(case, CaseState.REPORTED)
    numbers = {report.authority: report.external_id for report in reports}
    record(actor=Actor.system("cases"), subject=str(case), fact=kinds.CaseReported(numbers=numbers))


@transaction.atomic
def hand_over_report(*, report_id: UUID, reference: str, to: str, staff: Staff) -> Case:
    """Finish a report that a person delivered; close the case if it was the last one."""
    staff.must(Permission.HAND_OVER_REPORTS)
    require_fresh(Act.HAND_OVER)
    case_id = get_report(report_id).case_id
    Case.objects.select_for_update(no_key=True).filter(pk=case_id).first()  # before the ledger
    handed_over(report_id=report_id, reference=reference, to=to, staff=staff)
    close_reported(case_id)
    return get_case(case_id)


@transaction.atomic
def refile_report(*, report: Report, actor: Actor) -> None:
    """File a parked report of a case again."""
    actor.must(Permission.REPLAY)
    unpark(report=report, actor=actor)
    enqueue(FILE_REPORT, report_id=str(report.id))
