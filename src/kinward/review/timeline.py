"""The ledger's entries about a case."""

from itertools import chain

from kinward.casebook.api import Case
from kinward.enforcement.api import actions_of_case, parked_actions, sanctions_of_case
from kinward.evidence.api import evidence_of_case
from kinward.ledger.api import Entry, entries_about
from kinward.redress.api import statements_of_case
from kinward.reporting.api import parked_reports, reports_of_case


def parked_counts() -> dict[str, int]:
    """Return how many parked actions and reports wait for a person."""
    return {"actions": parked_actions().count(), "reports": parked_reports().count()}


def timeline_of_case(case: Case) -> list[Entry]:
    """Return the ledger entries about a case, its evidence, actions, reports and appeal."""
    statements = list(statements_of_case(case.id))
    subjects = chain(
        [str(case)],
        (str(file) for file in evidence_of_case(case.id)),
        (str(action) for action in actions_of_case(case.id)),
        (str(report) for report in reports_of_case(case.id)),
        (str(statement) for statement in statements),
        (str(statement.appeal) for statement in statements if hasattr(statement, "appeal")),
        (f"sanction:{pk}" for pk in sanctions_of_case(case.id)),
    )
    return entries_about(*subjects)
