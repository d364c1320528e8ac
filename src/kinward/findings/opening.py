"""Open or join: put what was sensed into the account's one undecided case, and act at once.

The guidelines say what happens at once, how soon a person must look, and whether a rule alone
decides.
"""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from kinward.access import Actor
from kinward.casebook.api import UNDECIDED, Case, Finding, Priority, finding_kind
from kinward.guidelines import FindingRule
from kinward.guidelines.api import guidelines_in_force
from kinward.ledger.api import kinds, record
from kinward.people.api import LockedAccount
from kinward.verdicts.api import act_at_once, conclude_by_rule, state_at_once


def open_or_join(
    sensed: Finding, *, account: LockedAccount, actor: Actor, joined: Callable[[Case], None]
) -> Case:
    """Put a finding into the account's one undecided case, and act at once.

    `sensed` is a finding of any kind, in no case yet and not saved. `joined` is what its road does
    once it is in the case and before anything follows, such as sealing its file. Everything
    is in the caller's transaction.
    """
    guidelines = guidelines_in_force()
    rule = finding_kind(sensed.kind).rule(guidelines, sensed)
    case = _join(account, sensed, rule, actor)
    joined(case)
    act_at_once(case, account, rule, sensed.content_id)
    state_at_once(case, account, rule, guidelines)
    if rule.verdict:
        conclude_by_rule(case, account, rule)
    return case


def _join(account: LockedAccount, finding: Finding, rule: FindingRule, actor: Actor) -> Case:
    due = timezone.now() + timedelta(hours=rule.within_hours)
    priority = Priority[rule.priority.upper()]
    case, new = Case.objects.get_or_create(
        account=account,
        state__in=UNDECIDED,
        defaults={"priority": priority, "due_at": due},
    )
    if priority < case.priority or due < case.due_at:
        case.priority, case.due_at = min(priority, case.priority), min(due, case.due_at)
        case.save(update_fields=["priority", "due_at"])
    finding.case = case
    finding.save(force_insert=True)
    if new:
        record(actor=actor, subject=str(case), fact=kinds.CaseOpened(account=account.platform_id))
    record(
        actor=actor,
        subject=str(case),
        fact=kinds.CaseFindingAdded(
            finding=str(finding.id),
            content=finding.content_id,
            confidence=finding.confidence,
            rule=rule.id,
        ),
    )
    return case
