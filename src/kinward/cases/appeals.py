"""Deciding an appeal: another person, who holds the case; what was wrong is given back whole."""

from typing import Final
from uuid import UUID

from django.db import transaction

from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.cases.acting import UNBANK, undo
from kinward.cases.concluding import move
from kinward.cases.models import MAX_NOTE, Case
from kinward.cases.services import NeedsAnotherPerson, require_lease
from kinward.cases.states import CaseState
from kinward.errors import Invalid
from kinward.evidence.services import keep_shortly
from kinward.jobs import enqueue
from kinward.ledger.services import record
from kinward.people.services import lock_account
from kinward.redress.models import Appeal
from kinward.redress.services import get_appeal, reverse, settle_appeal
from kinward.reporting.models import SETTLED, Report
from kinward.reporting.services import lock_reports, withdraw

WITHDRAW: Final = "cases.withdraw_report"


@transaction.atomic
def decide_appeal(*, appeal_id: UUID, overturn: bool, note: str, staff: Staff) -> Appeal:
    """Uphold a decision or overturn it. Whoever gave a verdict on the case cannot."""
    staff.must(Permission.DECIDE_APPEALS)
    statement = get_appeal(appeal_id).statement
    account = lock_account(statement.account_id)
    case = Case.objects.select_for_update(no_key=True).get(pk=statement.case_id)
    reports = lock_reports(case.id)
    require_lease(case, staff)
    if case.verdicts.filter(given_by=staff).exists():
        raise NeedsAnotherPerson
    if not note.strip() or len(note) > MAX_NOTE:
        raise Invalid(f"Say why, in at most {MAX_NOTE} characters.")
    settled = settle_appeal(appeal_id=appeal_id, overturned=overturn, note=note, staff=staff)
    if not overturn:
        case.leased_by, case.leased_until = None, None
        case.save(update_fields=["leased_by", "leased_until", "changed_at"])
        return settled
    move(case, CaseState.OVERTURNED)
    record(actor=staff.actor, kind="case.overturned", subject=str(case), appeal=str(settled))
    undo(case, account, why="appeal won", actor=staff.actor)
    reverse(case.id)
    enqueue(UNBANK, case_id=str(case.id), actor=str(staff.actor))
    _take_reports_back(case, reports, staff)
    return settled


def _take_reports_back(case: Case, reports: list[Report], staff: Staff) -> None:
    """Withdraw what no authority has whole. What one has stays there, and so do the files."""
    if not reports:
        keep_shortly(case_id=case.id, why="appeal won", actor=staff.actor)
    for report in reports:
        if report.state not in SETTLED:
            withdraw(report=report, actor=staff.actor)
            enqueue(WITHDRAW, report_id=str(report.id))
