"""What the form for a verdict says will happen is what happens."""

import re

import pytest

from kinward.access.models import Staff
from kinward.matching.models import Bank
from kinward.people.models import Account
from tests.integration.web.test_console import signed_in
from tests.support.helpers import due_jobs, quarantined
from tests.support.verdicts import gives, minute_is_over, sees

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("code", ["CS-1", "CS-2"])
def test_the_form_says_which_clauses_bank_without_a_tick(
    code: str, bank: Bank, account: Account, reviewer: Staff
) -> None:
    case, page = quarantined(account), signed_in(reviewer)
    page.post(f"/cases/{case.id}/take")
    text = page.get(f"/cases/{case.id}").content.decode()
    (option,) = re.findall(rf'value="{code}".*?<em>(.*?)</em>', text, re.DOTALL)
    assert "even if this box is empty" in text
    sees(case, reviewer)
    gives(page, case, {"outcome": "confirmed", "clause": code, "note": "Seen."})
    minute_is_over(case)
    assert ("findings.bank_confirmed" in due_jobs()) == ("banks the hashes" in option)
    assert ("banks the hashes" in option) == (code == "CS-1")
