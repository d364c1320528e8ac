"""What a case does: at once, on a verdict, and when it turns out to be a mistake.

Where there is a verdict, the caller has locked the case as well as the account.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from kinward.access import Actor
from kinward.casebook.api import Case, Finding, Verdict
from kinward.enforcement.api import (
    Action,
    Effect,
    SanctionKind,
    Target,
    add_strike,
    block_registration,
    end_removals,
    impose_sanction,
    issue_content_action,
    lift_sanction,
    lock_contents,
    removed_by_others,
    sanctioned_by,
    take_back_strikes,
    unblock_registration,
)
from kinward.evidence.api import Warrant
from kinward.exchanges.api import OpinionKind, give_opinion
from kinward.ground.events import Event
from kinward.ground.jobs import enqueue
from kinward.guidelines import Consequence, FindingRule, Guidelines, Incident
from kinward.people.api import Account, LockedAccount
from kinward.reporting.api import Report, open_report
from kinward.verdicts.draft import authorities_of, draft_report
from kinward.verdicts.plan import banks

FILE_REPORT: Final = "verdicts.file_report"
UNBANK: Final = "verdicts.unbank"
CONFIRMED_FOR_BANK: Final = Event("verdicts.confirmed_for_bank")
ACTOR: Final = Actor.system("cases")


def act_at_once(case: Case, account: LockedAccount, rule: FindingRule, content_id: str) -> None:
    """Act on a finding before a person has looked. All of it can be undone.

    An empty `content_id` is a finding about the account alone: there is nothing to quarantine.
    """
    if rule.content == "quarantine" and content_id:
        issue_content_action(
            case_id=case.id,
            account=account,
            effect=Effect.QUARANTINE,
            content_id=content_id,
            actor=ACTOR,
        )
    # Even if another case has suspended the account: that case may lift its sanction first.
    if rule.account == "suspend" and not sanctioned_by(case.id, account):
        impose_sanction(account=account, case_id=case.id, kind=SanctionKind.SUSPEND, actor=ACTOR)


def carry_out(
    case: Case,
    account: LockedAccount,
    verdict: Verdict,
    what: Consequence,
    guidelines: Guidelines,
    warrant: Warrant,
) -> None:
    """Carry out a confirmed verdict on content and account, and open the reports."""
    clause, actor = guidelines.clauses[verdict.clause], verdict.actor
    if clause.report:  # breaking another clause does not confirm what the list claims
        give_opinion(hashes=_hashes(case), kind=OpinionKind.CONFIRMED, actor=actor)
    if what.removes:
        for content_id in contents_of_case(case):
            issue_content_action(
                case_id=case.id,
                account=account,
                effect=Effect.REMOVE,
                content_id=content_id,
                actor=actor,
            )
    else:
        _give_content_back(case, actor)
    _sanction(case, account, what, warrant, actor)
    days = guidelines.strikes.decay_days
    add_strike(account=account, case_id=case.id, clause=clause.code, count=what.strikes, days=days)
    if what.blocks_registration:
        block_registration(account=account, case_id=case.id, warrant=warrant)
    if what.reports and clause.report:
        for name in authorities_of(account):
            report_to(name, case, verdict, clause.report, warrant)
    if banks(verdict, what):
        CONFIRMED_FOR_BANK.announce(verdict_id=str(verdict.id))


def report_to(
    name: str, case: Case, verdict: Verdict, incident: Incident, warrant: Warrant
) -> Report:
    """Report a case to one authority, in the authority's own words. A job files the report."""
    draft = draft_report(case, verdict, incident, name)
    report = open_report(draft=draft, authority_name=name, actor=verdict.actor, warrant=warrant)
    enqueue(FILE_REPORT, report_id=str(report.id))
    return report


def _sanction(
    case: Case, account: LockedAccount, what: Consequence, warrant: Warrant, actor: Actor
) -> None:
    if what.account in ("keep", "warn"):
        lift_sanction(account=account, case_id=case.id, why=f"verdict: {what.account}", actor=actor)
        return
    until: datetime | None = None
    if what.days:
        until = timezone.now() + timedelta(days=what.days)
    impose_sanction(
        account=account,
        case_id=case.id,
        kind=SanctionKind(what.account),
        capabilities=what.capabilities,
        until=until,
        actor=actor,
        warrant=warrant,
    )


def undo_consequences(case: Case, account: LockedAccount, *, why: str, actor: Actor) -> None:
    """Undo everything that a case took, and nothing that another case took."""
    _give_content_back(case, actor)
    lift_sanction(account=account, case_id=case.id, why=why, actor=actor)
    take_back_strikes(case.id)
    unblock_registration(case.id)


def _give_content_back(case: Case, actor: Actor) -> None:
    """Restore all content that a case quarantined or removed, no matter whose copy."""
    owners = {action.target: action.account for action in _acted_on(case)}
    owners |= {copy.content_id: copy.account for copy in end_removals(case.id)}
    _restore(case, owners, actor)


def give_contents_back(case: Case, contents: Collection[str], actor: Actor) -> None:
    """Restore some of the content that an undecided case quarantined."""
    taken = _acted_on(case).filter(target__in=contents)
    _restore(case, {action.target: action.account for action in taken}, actor)


def _acted_on(case: Case) -> QuerySet[Action]:
    actions = Action.objects.filter(case_id=case.id, target_kind=Target.CONTENT)
    return actions.select_related("account")


def _restore(case: Case, owners: Mapping[str, Account], actor: Actor) -> None:
    """Restore content for a case. What another case holds is restored once that case releases it.

    `owners`: the account of each content item.
    """
    lock_contents(owners.values())
    held = removed_by_others(case.id, owners)
    for content_id in sorted(owners):
        issue_content_action(
            case_id=case.id,
            account=owners[content_id],
            effect=Effect.RESTORE,
            content_id=content_id,
            actor=actor,
            quietly=content_id in held,
        )


def contents_of_case(case: Case) -> list[str]:
    """Return every content item that a verdict on the case is about, sorted."""
    named = _judged(case).exclude(content_id="")
    return sorted(set(named.values_list("content_id", flat=True)))


def _judged(case: Case) -> QuerySet[Finding]:
    """Return the findings that a verdict is about: those that are not void, or all if all are."""
    standing = case.findings.filter(void=False)
    return standing if standing.exists() else case.findings.all()


def _hashes(case: Case) -> list[int]:
    """Return the ids of the banked hashes that were hit, and that nobody called wrong.

    0 stands for unknown.
    """
    grounds = case.findings.filter(void=False).values_list("grounds", flat=True)
    return sorted({int(match.get("hash", 0)) for matches in grounds for match in matches})
