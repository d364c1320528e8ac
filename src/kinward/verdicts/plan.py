"""What a verdict would do: its consequence for the account, and every act that goes with it."""

import msgspec

from kinward.casebook.api import SHORT_SILENCE_DAYS, Act, Case, CaseState, Verdict
from kinward.enforcement.api import EFFECTS, Effect, strikes_of
from kinward.evidence.api import BY_GUIDELINES, exact_matches, grounds_of, verified_matches
from kinward.guidelines import Consequence, Guidelines, consequence
from kinward.people.api import Account


class Plan(msgspec.Struct, frozen=True):
    """The acts of a verdict. `what` is there for a confirmed one.

    `more`: why the guidelines ask for a second person, beyond what Kinward asks for.
    """

    acts: frozenset[Act]
    what: Consequence | None = None
    more: tuple[str, ...] = ()


def plan_verdict(case: Case, account: Account, verdict: Verdict, guidelines: Guidelines) -> Plan:
    """Return what a verdict would do now. Nothing is written."""
    if verdict.outcome == CaseState.DISMISSED:
        acts = {Act.RESTORE}
        if exact_matches(case, standing=False):
            acts.add(Act.DISMISS_MATCH)
        return Plan(frozenset(acts))
    if verdict.outcome != CaseState.CONFIRMED:
        return Plan(frozenset())
    clause, strikes = guidelines.clauses[verdict.clause], strikes_of(account)
    what = consequence(guidelines, clause, strikes)
    if what.is_lasting and clause.account is None:
        ends = bool(grounds_of(case, verdict.given_by))
        what = consequence(guidelines, clause, strikes, ends=ends)
    return Plan(_acts(case, verdict, what), what, (BY_GUIDELINES,) if clause.two_people else ())


def _acts(case: Case, verdict: Verdict, what: Consequence) -> frozenset[Act]:
    acts = _on_account(what)
    if what.strikes:
        acts.add(Act.STRIKE)
    if what.removes:
        acts.add(Act.REMOVE)
    if what.everywhere:
        acts.add(Act.REMOVE_EVERYWHERE)
    if banks(verdict, what):
        acts.add(Act.BANK)
    if what.blocks_registration:
        acts.add(Act.BLOCK_REGISTRATION)
    if verdict.silent_days:
        long = verdict.silent_days > SHORT_SILENCE_DAYS
        acts.add(Act.LONG_SILENCE if long else Act.SILENCE)
    if what.reports:
        acts.add(Act.REPORT)
    elif verified_matches(case):
        acts.add(Act.LEAVE_UNREPORTED)
    return frozenset(acts)


def _on_account(what: Consequence) -> set[Act]:
    acts = {EFFECTS[Effect(what.account)].act} if what.account in set(Effect) else set[Act]()
    if what.account == "suspend" and what.is_lasting:
        acts.add(Act.SUSPEND_LONG)
    return acts


def banks(verdict: Verdict, what: Consequence) -> bool:
    """Return whether a verdict banks hashes. One by a rule banks none: no person looked."""
    return verdict.given_by is not None and (verdict.bank or what.banks)
