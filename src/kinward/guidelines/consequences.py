"""What follows: from a finding, before anybody has looked; and from a verdict. Pure."""

import msgspec

from kinward.guidelines.rules import (
    MATCHES,
    Clause,
    Confidence,
    FindingRule,
    Guidelines,
    OnVerdictAccount,
    Priority,
    Step,
)


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """What breaking a clause comes to, for one account. No `days`: for good."""

    clause: str
    account: OnVerdictAccount
    days: int = 0
    capabilities: tuple[str, ...] = ()
    removes: bool = False
    everywhere: bool = False
    strikes: int = 0
    reports: bool = False
    blocks_registration: bool = False
    banks: bool = False


def rule_for(
    guidelines: Guidelines,
    confidence: Confidence,
    *,
    exact: bool = False,
    category: str = "",
    given_back: bool = False,
) -> FindingRule:
    """The rule for a finding: the first that fits, or else what protects until a person looks.

    What a person gave this account back before may be held back again, and nothing more: neither
    its standing nor a verdict follows before a person has looked again.
    """
    for rule in guidelines.finding:
        if rule.confidence != confidence:
            continue
        if rule.exact is not None and rule.exact != exact:
            continue
        if rule.categories and category not in rule.categories:
            continue
        return msgspec.structs.replace(rule, account="keep", verdict="") if given_back else rule
    return _newer(guidelines, confidence)


def _newer(guidelines: Guidelines, confidence: Confidence) -> FindingRule:
    """The rule for a kind of finding that is newer than these guidelines.

    A person looks as soon as at the most urgent finding that they know. Until then a match is
    quarantined, and no other finding takes anything from anybody.
    """
    rules = guidelines.finding
    most_urgent = min((PRIORITIES.index(rule.priority) for rule in rules), default=0)
    return FindingRule(
        id="newer-than-guidelines",
        confidence=confidence,
        content="quarantine" if confidence in MATCHES else "keep",
        priority=PRIORITIES[most_urgent],
        within_hours=min((rule.within_hours for rule in rules), default=1),
    )


def consequence(guidelines: Guidelines, clause: Clause, strikes: int) -> Consequence:
    """What a confirmed verdict under a clause comes to, given the strikes that count already."""
    step = _fixed(clause) if clause.account else step_at(guidelines, strikes + clause.strikes)
    return Consequence(
        clause=clause.code,
        account=step.account,
        days=step.days,
        capabilities=step.capabilities,
        removes=clause.content != "keep",
        everywhere=clause.content == "remove everywhere",
        strikes=clause.strikes,
        reports=clause.report is not None,
        blocks_registration=clause.block_registration and step.account == "terminate",
        banks=clause.bank,
    )


def _fixed(clause: Clause) -> Step:
    return Step(
        at=0, account=clause.account or "keep", days=clause.days, capabilities=clause.capabilities
    )


def step_at(guidelines: Guidelines, strikes: int) -> Step:
    """The step that so many strikes come to."""
    reached = [step for step in guidelines.strikes.step if step.at <= strikes]
    return reached[-1] if reached else Step(at=0, account="keep")


PRIORITIES: tuple[Priority, ...] = ("imminent", "high", "normal")
SEVERITY: tuple[OnVerdictAccount, ...] = ("keep", "warn", "restrict", "suspend", "terminate")
