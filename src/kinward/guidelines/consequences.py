"""The consequences of a finding, before a person has looked, and of a verdict. Pure."""

import msgspec

from kinward.guidelines.rules import (
    LONG_DAYS,
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
    """The consequence of a breach of a clause for one account. `days` of 0 means for good."""

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

    @property
    def is_lasting(self) -> bool:
        """Whether it ends the account, or suspends it for good or for longer than a year."""
        return is_lasting(self.account, self.days)


def is_lasting(account: OnVerdictAccount, days: int) -> bool:
    """Return whether a consequence ends an account, or comes to the same for its holder.

    >>> is_lasting("terminate", 0), is_lasting("suspend", 0), is_lasting("suspend", 365)
    (True, True, False)
    """
    suspends = account == "suspend" and (days == 0 or days > LONG_DAYS)
    return account == "terminate" or suspends


def rule_for(
    guidelines: Guidelines,
    confidence: Confidence,
    *,
    exact: bool = False,
    category: str = "",
    given_back: bool = False,
) -> FindingRule:
    """Return the first rule that fits a finding, or a protective one if none does.

    `given_back` says that a person gave this content back to the account before. The content may
    then be quarantined again. But the account keeps its standing, and no rule gives a verdict,
    until a person has looked again.
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
    """Return the rule for a kind of finding that is newer than these guidelines.

    A person looks as soon as at the most urgent finding in the guidelines. Until then a match is
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


def consequence(
    guidelines: Guidelines, clause: Clause, strikes: int, *, ends: bool = True
) -> Consequence:
    """Return the consequence of a confirmed verdict under a clause, after earlier `strikes`.

    Without `ends` strikes come to no step that ends the account: nobody saw what it rests on.
    """
    total = strikes + clause.strikes
    step = _fixed(clause) if clause.account else step_at(guidelines, total, ends=ends)
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
        banks=clause.banks,
    )


def _fixed(clause: Clause) -> Step:
    return Step(
        at=0, account=clause.account or "keep", days=clause.days, capabilities=clause.capabilities
    )


def step_at(guidelines: Guidelines, strikes: int, *, ends: bool = True) -> Step:
    """Return the highest step reached by so many strikes. Without `ends`, one that ends nothing."""
    steps = guidelines.strikes.step
    allowed = [step for step in steps if ends or not is_lasting(step.account, step.days)]
    reached = [step for step in allowed if step.at <= strikes]
    return reached[-1] if reached else Step(at=0, account="keep")


PRIORITIES: tuple[Priority, ...] = ("imminent", "high", "normal")
SEVERITY: tuple[OnVerdictAccount, ...] = ("keep", "warn", "restrict", "suspend", "terminate")
