"""Give back what a case took because of hashes that a person called wrong."""

from typing import Final, cast
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from kinward.access import Actor, Permission
from kinward.access.api import Staff
from kinward.casebook.api import (
    MATCH,
    UNDECIDED,
    Case,
    CaseState,
    Finding,
    Verdict,
    finding_kind,
    get_case,
)
from kinward.enforcement.api import lift_sanction
from kinward.evidence.api import exact_matches
from kinward.guidelines.api import guidelines_in_force
from kinward.ledger.api import kinds, record
from kinward.matching.api import BankedHash
from kinward.people.api import LockedAccount, lock_account
from kinward.redress.api import Appeal, reverse_statements, settle_appeal, waiting_appeals
from kinward.reporting.api import lock_reports
from kinward.verdicts.appeals import take_reports_back
from kinward.verdicts.conclusion import conclude, move_case
from kinward.verdicts.consequences import give_contents_back, undo_consequences

WHY: Final = "hash was a false positive"
HOLDS: Final = (CaseState.CONFIRMED, CaseState.REPORTED, CaseState.ENFORCED)  # a verdict does


@transaction.atomic
def give_back_void(*, case_id: UUID, hash_id: int, actor: Actor, staff: Staff | None) -> bool:
    """Give back what a case took because of hashes that are false positives now. Idempotent.

    A finding is void if every hash that it names is a false positive. A case of void findings alone
    is dismissed by `staff`, who called the hash wrong, or overturned if a rule had confirmed it.
    Without `staff` an undecided case gives everything back and stays open. Of a case with other
    findings, only what rests on void ones is given back. What a person confirmed stays as it is, as
    does a case that another person has to decide. So does an undecided case with an exact match of
    a verified list, which two people dismiss. Returns whether anything was given back.
    """
    account = lock_account(get_case(case_id).account_id)
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    findings = list(case.findings.all())
    void = _void(findings)
    fresh = [finding for finding in void if not finding.void]
    by_rule = case.state in HOLDS and not _decided_by_person(case)
    entirely = len(void) == len(findings)
    if not by_rule and _exact(case, void):
        return False
    if not fresh or not (case.state in UNDECIDED or (by_rule and entirely)):
        return False
    if _for_another_person(case, staff):
        return False
    case.findings.filter(pk__in=[finding.pk for finding in fresh]).update(void=True)
    fact = kinds.CaseVoided(hash=str(hash_id), findings=len(fresh))
    record(actor=actor, subject=str(case), fact=fact)
    note = f"Hash {hash_id} is a false positive."
    if by_rule:
        reports = lock_reports(case.id)
        for appeal in _appeals(case):
            person = cast("Staff", staff)  # or the case would have been left alone
            settle_appeal(appeal_id=appeal.pk, overturned=True, note=note, staff=person)
        move_case(case, CaseState.OVERTURNED)
        _undo(case, account, actor)
        take_reports_back(case, reports, why=WHY, actor=actor)
    elif not entirely:
        _give_part_back(case, account, findings, void, actor)
    elif staff is None:
        _undo(case, account, actor)
    else:
        verdict = Verdict(case=case, outcome=CaseState.DISMISSED, note=note, given_by=staff)
        conclude(case, account, verdict)
    return True


def _void(findings: list[Finding]) -> list[Finding]:
    """Return the findings whose hashes are all false positives."""
    named = {
        finding.pk: {int(ground.get("hash", 0)) for ground in finding.grounds}
        for finding in findings
        if finding.kind == MATCH.name
    }
    everything = set().union(*named.values())
    wrong = set(
        BankedHash.objects.filter(pk__in=everything, false_positive=True).values_list(
            "pk", flat=True
        )
    )
    return [finding for finding in findings if (named.get(finding.pk) or {0}) <= wrong]


def _exact(case: Case, void: list[Finding]) -> bool:
    """Return whether some of these are exact matches of a verified list: two people dismiss one."""
    exact = {finding.pk for finding in exact_matches(case, standing=False)}
    return any(finding.pk in exact for finding in void)


def _decided_by_person(case: Case) -> bool:
    """Return whether a person confirmed a case, by a verdict or by the answer to an appeal."""
    answered = Appeal.objects.filter(statement__case_id=case.id, decided_by__isnull=False)
    return case.verdicts.filter(given_by__isnull=False).exists() or answered.exists()


def _for_another_person(case: Case, staff: Staff | None) -> bool:
    """Return whether a case is left to another person: it was escalated, or an appeal waits."""
    if case.state == CaseState.ESCALATED:
        return staff is None or case.verdicts.filter(given_by=staff).exists()
    answers = staff is not None and staff.may(Permission.DECIDE_APPEALS)
    return not answers and _appeals(case).exists()


def _appeals(case: Case) -> QuerySet[Appeal]:
    return waiting_appeals().filter(statement__case_id=case.id)


def _undo(case: Case, account: LockedAccount, actor: Actor) -> None:
    undo_consequences(case, account, why=WHY, actor=actor)
    reverse_statements(case.id)


def _give_part_back(
    case: Case,
    account: LockedAccount,
    findings: list[Finding],
    void: list[Finding],
    actor: Actor,
) -> None:
    """Give back the content of void findings, and the account unless another finding takes it."""
    gone = {finding.pk for finding in void}
    others = [finding for finding in findings if finding.pk not in gone]
    about = {finding.content_id for finding in void} - {other.content_id for other in others}
    give_contents_back(case, about, actor)
    guidelines = guidelines_in_force()
    rules = [finding_kind(other.kind).rule(guidelines, other) for other in others]
    if all(rule.account == "keep" for rule in rules):
        lift_sanction(account=account, case_id=case.id, why=WHY, actor=actor)
