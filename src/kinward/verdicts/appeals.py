"""Decide an appeal: another person does, under a lease; an overturned case is undone entirely."""

from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from kinward.access import Actor, Permission
from kinward.access.api import Staff
from kinward.casebook.api import MAX_NOTE, Case, CaseState
from kinward.evidence.api import keep_shortly
from kinward.ground.errors import Invalid
from kinward.ground.jobs import enqueue
from kinward.ledger.api import kinds, record
from kinward.people.api import lock_account
from kinward.redress.api import Appeal, get_appeal, reverse_statements, settle_appeal
from kinward.reporting.api import SETTLED, Report, lock_reports, open_correction, withdraw
from kinward.review.api import require_lease
from kinward.verdicts.conclusion import move_case
from kinward.verdicts.consequences import UNBANK, undo_consequences
from kinward.verdicts.decision import NeedsAnotherPerson

WITHDRAW: Final = "verdicts.withdraw_report"


@transaction.atomic
def decide_appeal(*, appeal_id: UUID, overturn: bool, note: str, staff: Staff) -> Appeal:
    """Uphold or overturn a decision. Requires the lease, and a person who had no part in it."""
    staff.must(Permission.DECIDE_APPEALS)
    statement = get_appeal(appeal_id).statement
    account = lock_account(statement.account_id)
    case = Case.objects.select_for_update(no_key=True).get(pk=statement.case_id)
    reports = lock_reports(case.id)
    require_lease(case, staff)
    agreed = case.proposals.filter(Q(second_by=staff) | Q(decided_by=staff))
    if case.verdicts.filter(given_by=staff).exists() or agreed.exists():
        raise NeedsAnotherPerson
    if not note.strip() or len(note) > MAX_NOTE:
        raise Invalid(f"Say why, in at most {MAX_NOTE} characters.")
    settled = settle_appeal(appeal_id=appeal_id, overturned=overturn, note=note, staff=staff)
    if not overturn:
        case.leased_by, case.leased_until = None, None
        case.save(update_fields=["leased_by", "leased_until", "changed_at"])
        return settled
    move_case(case, CaseState.OVERTURNED)
    record(actor=staff.actor, subject=str(case), fact=kinds.CaseOverturned(appeal=str(settled)))
    undo_consequences(case, account, why="appeal won", actor=staff.actor)
    reverse_statements(case.id)
    enqueue(UNBANK, case_id=str(case.id), actor=str(staff.actor))
    take_reports_back(case, reports, why="appeal won", actor=staff.actor)
    return settled


def take_reports_back(case: Case, reports: list[Report], *, why: str, actor: Actor) -> None:
    """Withdraw reports that no authority has completely.

    Finished ones and their files stay, and a person has to correct them with the authority.
    """
    if not reports:
        keep_shortly(case_id=case.id, why=why, actor=actor)
    for report in reports:
        open_correction(report=report, why=why, actor=actor)
        if report.state not in SETTLED:
            withdraw(report=report, actor=actor)
            enqueue(WITHDRAW, report_id=str(report.id))
