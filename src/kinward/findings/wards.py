"""Teens whose guardian's account was ended for child safety: a person looks at them first."""

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.casebook.api import UNDECIDED, WARD, Finding, Verdict
from kinward.enforcement.api import cases_that_ended
from kinward.findings.opening import open_or_join
from kinward.guidelines import Clause
from kinward.guidelines.api import guidelines_in_force
from kinward.people.api import Account, lock_account


def ended_for_child_safety(guardian: Account) -> bool:
    """Whether an account was ended by a case about children, as far as anybody knows.

    A case without a clause, or under one that the guidelines no longer have, counts as one.
    """
    clauses = guidelines_in_force().clauses
    for case_id in cases_that_ended(guardian):
        verdict = Verdict.objects.filter(case=case_id).order_by("-given_at").first()
        clause = None if verdict is None else clauses.get(verdict.clause)
        if clause is None or is_about_children(clause):
            return True
    return False


def is_about_children(clause: Clause) -> bool:
    """Whether a clause protects children."""
    return clause.report is not None or (
        clause.dsa is not None and clause.dsa.category == "PROTECTION_OF_MINORS"
    )


@transaction.atomic
def look_at_ward(*, teen_id: int, guardian_id: int) -> bool:
    """Have a person look at a teen first, if their guardian was ended for child safety.

    Return whether there is a new finding. Idempotent while its case is undecided.
    """
    guardian = Account.objects.get(pk=guardian_id)
    if not ended_for_child_safety(guardian):
        return False
    teen = lock_account(teen_id)
    grounds = [{"kind": "ward", "guardian": guardian.platform_id}]
    same = Finding.objects.filter(kind=WARD.name, case__account=teen, grounds=grounds)
    if same.filter(case__state__in=UNDECIDED).exists():
        return False
    sensed = WARD.sense(at=timezone.now(), grounds=grounds)
    open_or_join(sensed, account=teen, actor=Actor.system("families"), joined=lambda case: None)
    return True
