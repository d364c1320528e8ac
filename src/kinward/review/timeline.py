"""Everything the ledger says about a case."""

from itertools import chain

from django.db.models import QuerySet

from kinward.casebook.api import Case
from kinward.enforcement.api import actions_of_case, parked_actions, sanctions_of_case
from kinward.evidence.api import evidence_of_case
from kinward.ledger.api import Entry, entries_about
from kinward.redress.api import statements_of_case
from kinward.reporting.api import parked_reports, reports_of_case


def parked_counts() -> dict[str, int]:
    """How many actions and reports were given up and wait for a person."""
    return {"actions": parked_actions().count(), "reports": parked_reports().count()}


def timeline_of_case(case: Case) -> QuerySet[Entry]:
    """Every ledger entry about a case and what is of it: evidence, actions, reports, appeal."""
    statements = list(statements_of_case(case.id))
    subjects = chain(
        [str(case)],
        (str(each) for each in evidence_of_case(case.id)),
        (str(each) for each in actions_of_case(case.id)),
        (str(report) for report in reports_of_case(case.id)),
        (str(each) for each in statements),
        (str(each.appeal) for each in statements if hasattr(each, "appeal")),
        (f"sanction:{pk}" for pk in sanctions_of_case(case.id)),
    )
    return entries_about(*subjects)
