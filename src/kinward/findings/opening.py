"""From something sensed to a finding in the account's one undecided case, and what happens at once.

What that is, how soon a person must look, and whether a rule alone decides, is in the guidelines.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor
from kinward.casebook.api import (
    GIVEN_BACK,
    UNDECIDED,
    Case,
    CaseState,
    Finding,
    Priority,
    UserReport,
    Verdict,
)
from kinward.evidence.api import seal_file
from kinward.exchanges.api import OpinionKind, give_opinion
from kinward.families.api import tell
from kinward.guidelines import FindingRule, rule_for
from kinward.guidelines.api import guidelines_in_force
from kinward.ledger.api import record
from kinward.matching.api import DIGESTS, Check, Confidence, Match
from kinward.people.api import Account, LockedAccount, lock_account
from kinward.verdicts.api import act_at_once, conclude_by_rule, state_at_once


def open_or_join(
    *, account: Account, check: Check, matches: list[Match], data: bytes | None, actor: Actor
) -> Case:
    """Put a match into the account's one undecided case, and act at once, in one transaction."""
    account = lock_account(account.pk)
    given_back = _was_given_back(check)
    verified = [each for each in matches if each.confidence == Confidence.VERIFIED]
    guidelines = guidelines_in_force()
    rule = rule_for(
        guidelines,
        "verified" if verified else "unverified",
        exact=any(each.kind in DIGESTS for each in verified or matches),
        given_back=given_back,
    )
    finding = Finding(
        check_made=check,
        confidence=Confidence.VERIFIED if verified else Confidence.UNVERIFIED,
        grounds=msgspec.to_builtins(matches),
        given_back=given_back,
    )
    case = _join(account, finding, rule, check.content_id, actor)
    give_opinion(hashes=[match.hash for match in matches], kind=OpinionKind.SEEN, actor=actor)
    if data is not None:
        seal_file(case_id=case.id, check=check, data=data, actor=actor)
    act_at_once(case, account, rule, check.content_id)
    state_at_once(case, account, rule, guidelines)
    if rule.verdict:
        conclude_by_rule(case, account, rule)
    return case


def _was_given_back(check: Check) -> bool:
    """Whether a person gave this account the same content, or the same bytes, back before.

    What people had reported may have been about anything: it counts if a verdict had banked it.
    """
    same = Check.objects.filter(account=check.account_id, sha256=check.sha256).exclude(sha256="")
    contents = {check.content_id, *same.values_list("content_id", flat=True)}
    banked = Q(bank=True) | Q(consequence__everywhere=True) | Q(consequence__banks=True)
    findings = Finding.objects.filter(
        Q(check_made__content_id__in=contents)
        | Q(
            user_report__content_id__in=contents,
            case__verdicts__in=Verdict.objects.filter(banked, outcome=CaseState.CONFIRMED),
        ),
        case__account=check.account_id,
        case__state__in=GIVEN_BACK,
    )
    return findings.exists()


def open_or_join_report(
    account: LockedAccount, made: UserReport, title: str, actor: Actor, writers: Sequence[str] = ()
) -> Case:
    """Put what a person reported into the account's one undecided case.

    `writers` wrote in the chat that was reported with it.
    """
    rule = rule_for(guidelines_in_force(), "reported", category=made.category)
    grounds = {
        "kind": "user report",
        "title": title,
        "content_id": made.content_id,
        "text": made.text,
        "writers": list(writers),
    }
    finding = Finding(user_report=made, confidence="reported", grounds=[grounds])
    case = _join(account, finding, rule, made.content_id, actor)
    if made.reporter is not None:
        tell(made.reporter, "report.taken")
    return case


def _join(
    account: LockedAccount, finding: Finding, rule: FindingRule, content_id: str, actor: Actor
) -> Case:
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
        record(actor=actor, kind="case.opened", subject=str(case), account=account.platform_id)
    record(
        actor=actor,
        kind="case.finding_added",
        subject=str(case),
        finding=str(finding.id),
        content=content_id,
        confidence=finding.confidence,
        rule=rule.id,
    )
    return case
