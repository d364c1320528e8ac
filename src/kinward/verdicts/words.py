"""What a verdict would do, in words for the person who gives it, and which clauses fit a case."""

from typing import Final

from django.utils.translation import ngettext

from kinward.casebook.api import Act, Case, CaseState, VerdictProposal, finding_kind
from kinward.evidence.api import BY_GUIDELINES, MOSTLY, NOT_HELD, ONE_WORD, has_something_to_see
from kinward.ground.errors import KinwardError
from kinward.guidelines import Clause, Consequence, Guidelines, is_lasting
from kinward.guidelines.api import guidelines_in_force
from kinward.people.api import Account
from kinward.verdicts.consequences import contents_of_case
from kinward.verdicts.decision import Rehearsal
from kinward.verdicts.draft import authorities_of
from kinward.verdicts.plan import Plan


class ClauseUnfit(KinwardError):
    """This clause fits no finding of this case. Choose one of those that the case page offers."""

    code = "verdict.clause_unfit"
    status = 409


REASONS: Final = {
    BY_GUIDELINES: "the guidelines ask for it",
    ONE_WORD: "it rests on one user report alone",
    MOSTLY: "no file can be shown entirely",
    NOT_HELD: "it banks content that Kinward does not hold, so nobody can see it",
    str(Act.DISMISS_MATCH): "it dismisses an exact match with a verified list",
    str(Act.LEAVE_UNREPORTED): "it confirms a verified match, and reports it to nobody",
}
# What each grave act does, in words. The others are said with their numbers.
_ACTS: Final = {
    Act.BLOCK_REGISTRATION: "keeps its identifiers from a new account",
    Act.BANK: "banks the hashes of what you saw",
    Act.STRIKE: "gives the account a strike",
}


def fitting_clauses(case: Case, guidelines: Guidelines) -> list[Clause]:
    """Return the clauses that fit a finding of a case, in the document's order.

    A clause that ends an account or reports fits no case in which nothing can be seen.
    """
    findings = list(case.findings.select_related("user_report"))
    seeable = has_something_to_see(case)
    return [
        clause
        for clause in guidelines.clause
        if (seeable or not _is_grave(clause))
        and any(finding_kind(finding.kind).fits(finding, clause) for finding in findings)
    ]


def require_fitting_clause(case: Case, code: str) -> None:
    """Raise `ClauseUnfit` unless a clause fits a finding of the case."""
    if code not in {clause.code for clause in fitting_clauses(case, guidelines_in_force())}:
        raise ClauseUnfit(f"The clause is {code}.")


def _is_grave(clause: Clause) -> bool:
    everywhere = clause.content == "remove everywhere"
    ends = clause.account is not None and is_lasting(clause.account, clause.days)
    return ends or clause.report is not None or everywhere


def clause_in_words(clause: Clause) -> str:
    """Return the consequences of a clause in a few words."""
    words = [clause.account or f"{clause.strikes} " + ngettext("strike", "strikes", clause.strikes)]
    if clause.content != "keep":
        words.append(clause.content)
    if clause.report:
        words.append("report")
    if clause.banks:
        words.append("banks the hashes")
    return ", ".join(words)


def consequences_in_words(case: Case, outcome: str, rehearsal: Rehearsal) -> str:
    """Return what a verdict would do, in one or two sentences."""
    if outcome == CaseState.DISMISSED:
        sentence = "This restores everything that the case took."
    elif outcome == CaseState.ESCALATED:
        sentence = "This leaves the verdict to another person. Nothing else changes."
    else:
        sentence = f"This {_listed(_doings(case, case.account, rehearsal.plan))}."
    if rehearsal.reasons:
        sentence += f" Another person has to agree first, because {why_two(rehearsal.reasons)}."
    return sentence


def proposal_in_words(proposal: VerdictProposal) -> str:
    """Return why a proposed verdict takes two people."""
    return why_two(proposal.reasons)


def why_two(reasons: list[str]) -> str:
    """Return the reasons for a second person, in words."""
    return _listed([REASONS[reason] for reason in reasons if reason in REASONS])


def clause_of(proposal: VerdictProposal) -> Clause | None:
    """Return the clause of a proposed verdict, from the guidelines in force."""
    return guidelines_in_force().clauses.get(proposal.clause)


def _doings(case: Case, account: Account, plan: Plan) -> list[str]:
    what = plan.what
    if what is None:
        return ["changes nothing"]
    doings = [_to_account(what)]
    contents = len(contents_of_case(case))
    if what.removes and contents:
        posts = ngettext("%d post", "%d posts", contents) % contents
        doings.append(f"removes {posts}" + (" and every copy" if what.everywhere else ""))
    if what.reports:
        doings.append(f"files a report to {_listed(authorities_of(account))}")
    return doings + [words for act, words in _ACTS.items() if act in plan.acts]


def _to_account(what: Consequence) -> str:
    lasting = ngettext("for %d day", "for %d days", what.days) % what.days if what.days else ""
    return {
        "terminate": "ends the account",
        "suspend": f"suspends the account {lasting or 'until further notice'}",
        "restrict": f"restricts the account {lasting or 'until further notice'}",
        "warn": "warns the account holder",
        "keep": "leaves the account as it is",
    }[what.account]


def _listed(words: list[str]) -> str:
    """Join words as a sentence does.

    >>> _listed(["ends", "removes", "files"])
    'ends, removes and files'
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
