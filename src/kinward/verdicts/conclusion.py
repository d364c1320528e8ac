"""Conclude a case: the one place where its state changes, and what goes with each move."""

from contextlib import suppress
from typing import Final

import msgspec

from kinward.casebook.api import (
    UNDECIDED,
    Case,
    CaseState,
    Gravity,
    UserReport,
    Verdict,
    check_move,
)
from kinward.evidence.api import (
    GroundsNeeded,
    SecondPersonNeeded,
    issue_warrant,
    keep_for_appeals,
    keep_shortly,
)
from kinward.families.api import tell
from kinward.guidelines import FindingRule
from kinward.guidelines.api import guidelines_in_force
from kinward.ledger.api import kinds, record
from kinward.people.api import LockedAccount
from kinward.redress.api import reverse_statements
from kinward.review.api import draw
from kinward.verdicts.consequences import carry_out, undo_consequences
from kinward.verdicts.disputes import disputed_teens, end_disputed
from kinward.verdicts.plan import plan_verdict
from kinward.verdicts.statement import state_verdict

CONCLUDED: Final = {
    CaseState.ESCALATED: kinds.CaseEscalated,
    CaseState.CONFIRMED: kinds.CaseConfirmed,
    CaseState.DISMISSED: kinds.CaseDismissed,
}


def move_case(case: Case, to: CaseState) -> None:
    """Change a case's state and clear its lease.

    The caller holds the row lock and writes the ledger entry.
    """
    check_move(case.state, to)
    case.state, case.leased_by, case.leased_until = to, None, None
    case.save(update_fields=["state", "leased_by", "leased_until", "changed_at"])


def conclude(case: Case, account: LockedAccount, verdict: Verdict) -> None:
    """Store a verdict and start its consequences. Requires the case's row lock.

    Raises `GroundsNeeded` or `SecondPersonNeeded` before anything is written.
    """
    guidelines = guidelines_in_force()
    plan = plan_verdict(case, account, verdict, guidelines)
    warrant = issue_warrant(case=case, verdict=verdict, acts=plan.acts, more=plan.more)
    move_case(case, CaseState(verdict.outcome))
    verdict.guidelines = guidelines.label
    verdict.grave = sorted(act for act in plan.acts if act.gravity is not Gravity.REVERSIBLE)
    verdict.grounds = list(warrant.grounds)
    verdict.save(force_insert=True)
    fact = CONCLUDED[CaseState(verdict.outcome)](
        verdict=str(verdict.id), clause=verdict.clause, guidelines=verdict.guidelines
    )
    record(actor=verdict.actor, subject=str(case), fact=fact)
    draw(verdict)
    if plan.what is not None:
        what = plan.what
        end_disputed(case, verdict.actor)
        carry_out(case, account, verdict, what, guidelines, warrant)
        verdict.consequence = msgspec.to_builtins(what)
        verdict.save(update_fields=["consequence"])
        state_verdict(case, account, verdict, what, guidelines)
        if not what.reports:
            move_case(case, CaseState.ENFORCED)
            record(actor=verdict.actor, subject=str(case), fact=kinds.CaseEnforced())
            days = guidelines.appeal_days + guidelines.appeal_answer_days
            keep_for_appeals(case_id=case.id, days=days, actor=verdict.actor)
    elif verdict.outcome == CaseState.DISMISSED:
        undo_consequences(case, account, why="dismissed", actor=verdict.actor)
        reverse_statements(case.id)
        keep_shortly(case_id=case.id, why="case dismissed", actor=verdict.actor)
    _tell_reporters(case)


def conclude_by_rule(case: Case, account: LockedAccount, rule: FindingRule) -> None:
    """Confirm by the guidelines alone.

    A case with a disputed pairing, or with a finding that waits, is left to a person. So is what a
    rule cannot do alone: its one ground is an exact match with a verified list.
    """
    if disputed_teens(case.id) or case.findings.filter(waits=True).exists():
        return
    case = Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    verdict = Verdict(
        case=case, outcome=CaseState.CONFIRMED, clause=rule.verdict, rule=rule.id, given_by=None
    )
    with suppress(GroundsNeeded, SecondPersonNeeded):
        conclude(case, account, verdict)


def _tell_reporters(case: Case) -> None:
    """Tell everybody who reported something in a decided case; nobody if it is undecided.

    Whoever reported a guardian of their own hears from a person, in the way that they asked for.
    """
    if case.state in UNDECIDED:
        return
    topic = "report.closed" if case.state == CaseState.DISMISSED else "report.acted"
    reports = UserReport.objects.select_related("reporter").filter(finding__case=case)
    reporters = [report.reporter for report in reports if not report.is_about_own_guardian]
    for reporter in sorted({one for one in reporters if one is not None}, key=lambda one: one.pk):
        tell(reporter, topic)
