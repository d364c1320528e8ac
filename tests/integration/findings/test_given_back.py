"""A repeat counts as given back only where a person gave the same content back before."""

import pytest

from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.review.grounds import grounds_of_case
from kinward.review.lease import take_case
from kinward.verdicts.form import Decision, VerdictForm
from tests.support.families import make_account
from tests.support.helpers import quarantined
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db


def settle(case: Case, reviewer: Staff, outcome: Decision) -> None:
    take_case(case=case, staff=reviewer)
    clause = "CS-1" if outcome == "confirmed" else ""
    decide_case(case_id=case.id, staff=reviewer, form=VerdictForm(outcome=outcome, clause=clause))


@pytest.mark.parametrize("content_id", ["post-1", "post-2"])
def test_a_repeat_in_an_undecided_case_was_not_given_back(
    bank: Bank, account: Account, content_id: str
) -> None:
    case = quarantined(account)
    assert quarantined(account, content_id=content_id) == case
    assert list(case.findings.values_list("given_back", flat=True)) == [False, False]


@pytest.mark.parametrize("content_id", ["post-1", "post-2"])
@pytest.mark.parametrize(("outcome", "given_back"), [("confirmed", False), ("dismissed", True)])
def test_a_repeat_was_given_back_only_after_a_dismissal(
    bank: Bank,
    account: Account,
    reviewer: Staff,
    outcome: Decision,
    given_back: bool,
    content_id: str,
) -> None:
    settle(quarantined(account), reviewer, outcome)
    again = quarantined(account, content_id=content_id)
    finding = again.findings.get()
    assert finding.given_back is given_back
    assert ("back before" in grounds_of_case(again)[-1].text) is given_back


def test_what_was_given_back_to_somebody_else_was_not_given_back_to_this_account(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    settle(quarantined(account), reviewer, "dismissed")
    other = quarantined(make_account("heron", 41), content_id="post-2")
    assert other.findings.get().given_back is False
