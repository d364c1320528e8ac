"""Tell the account holder: from a case's findings and verdict to a statement of reasons."""

from typing import Any

from kinward.casebook.api import Case, Verdict, finding_kind
from kinward.enforcement.api import Action, Effect, Sanction, Target
from kinward.guidelines import Clause, Consequence, FindingRule, Guidelines, Silence
from kinward.media import medium_of_type
from kinward.people.api import Account
from kinward.redress.api import Facts, state_reasons


def state_at_once(case: Case, account: Account, rule: FindingRule, guidelines: Guidelines) -> None:
    """State what was done before a person has looked, if anything. Once a case."""
    decisions = _taken(case, account, (Effect.QUARANTINE,))
    if decisions:
        state_reasons(
            account=account,
            case_id=case.id,
            facts=_facts(case, decisions),
            guidelines=guidelines,
            silence=rule.silence,
        )


def state_protection(case: Case, account: Account, clause: Clause, guidelines: Guidelines) -> None:
    """State what was done while a second person is asked, if anything. Once a case."""
    decisions = _taken(case, account, (Effect.QUARANTINE,))
    if decisions:
        state_reasons(
            account=account,
            case_id=case.id,
            facts=_facts(case, decisions),
            guidelines=guidelines,
            silence=clause.silence,
        )


def state_verdict(
    case: Case,
    account: Account,
    verdict: Verdict,
    what: Consequence,
    guidelines: Guidelines,
) -> None:
    """State the consequences of a verdict."""
    clause = guidelines.clauses[verdict.clause]
    decisions = _taken(case, account, (Effect.REMOVE,))
    if what.account == "warn" or not decisions:
        decisions.append({"effect": "warn" if what.account == "warn" else "keep"})
    silence = clause.silence
    if verdict.silent_days:
        silence = Silence(days=verdict.silent_days, why=verdict.silent_why)
    state_reasons(
        account=account,
        case_id=case.id,
        facts=_facts(case, decisions, automatic=verdict.given_by is None),
        guidelines=guidelines,
        clause=clause,
        silence=silence,
    )


def _taken(case: Case, account: Account, effects: tuple[Effect, ...]) -> list[dict[str, Any]]:
    """Return what a case took from this account and holds: content, and its sanctions in force."""
    actions = Action.objects.filter(
        case_id=case.id, account=account, target_kind=Target.CONTENT
    ).order_by("number")
    latest = dict[str, str]()
    for target, effect in actions.values_list("target", "effect"):
        latest.pop(target, None)  # so that what was taken last comes last
        latest[target] = effect
    taken: list[dict[str, Any]] = [
        {"effect": effect, "content_id": target}
        for target, effect in latest.items()
        if effect in effects
    ]
    for sanction in Sanction.objects.filter(case_id=case.id, account=account, ended_at=None):
        until = None if sanction.until is None else sanction.until.isoformat()
        decision: dict[str, Any] = {"effect": str(sanction.kind), "until": until}
        if sanction.capabilities:
            decision["capabilities"] = sanction.capabilities
        taken.append(decision)
    return taken


def _facts(case: Case, decisions: list[dict[str, Any]], *, automatic: bool = False) -> Facts:
    findings = list(case.findings.select_related("check_made"))
    checks = [finding.check_made for finding in findings if finding.check_made]
    return Facts(
        decisions=decisions,
        reported=all(finding_kind(finding.kind).by_person for finding in findings),
        automatic=automatic,
        media=[
            medium.statement for check in checks if (medium := medium_of_type(check.media_type))
        ],
        content_on=min((finding.at for finding in findings), default=None),
    )
