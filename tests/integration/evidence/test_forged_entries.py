"""An entry that somebody wrote by SQL shows no look, and lets no file go or come back."""

import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.evidence.authenticity import Damaged, require_authentic, require_destroyed
from kinward.evidence.holds import set_legal_hold
from kinward.evidence.models import Evidence
from kinward.evidence.queries import sealed_by, shown_before, viewed_entirely, viewed_mostly
from kinward.evidence.sealing import new_key
from kinward.evidence.terms import Term, term_of
from kinward.evidence.warrants import grounds_of
from kinward.ledger.verification import verify_ledger
from kinward.matching.models import Bank
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.support.custody import end_hold
from tests.support.helpers import quarantined
from tests.support.ledgers import forge_entry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def evidence(bank: Bank, account: Account) -> Evidence:
    quarantined(account)
    return Evidence.objects.get()


def test_nobody_decides_by_a_look_that_kinward_did_not_write(
    evidence: Evidence, reviewer: Staff
) -> None:
    look = {"case": str(evidence.case_id), "entire": True, "most": True, "shown": ["0:0"]}
    forge_entry("evidence.viewed", str(evidence), look, actor=str(reviewer.actor))
    forge_entry("evidence.sealed", str(evidence), {}, actor=str(reviewer.actor))
    assert not viewed_entirely(evidence, reviewer)
    assert not viewed_entirely(evidence)
    assert not viewed_mostly(evidence, reviewer)
    assert not sealed_by(evidence, reviewer)
    assert shown_before(evidence, reviewer) == set()
    case = Case.objects.get(pk=evidence.case_id)
    assert grounds_of(case, reviewer, lists=False) == []


def test_no_file_is_gone_because_an_entry_of_somebody_else_says_so(evidence: Evidence) -> None:
    """Nor is one opened: it may be a true entry, and somebody took its MAC away."""
    forge_entry("evidence.destroyed", str(evidence), {"reason": "its term ended"})
    with pytest.raises(Damaged, match="Kinward did not write it"):
        require_authentic(evidence)
    Evidence.objects.update(ciphertext=None, wrapped_key=None, destroyed_at=timezone.now())
    evidence.refresh_from_db()
    with pytest.raises(Damaged, match="the ledger does not"):
        require_destroyed(evidence)


def test_a_file_and_its_entries_outlive_a_change_of_the_secret_key(
    evidence: Evidence, configure: Configure
) -> None:
    before = configure().secret("secret_key")
    set_legal_hold(case_id=evidence.case_id, reference="AZ", actor=Actor.operator("test"))
    configure(secret_key=new_key())
    with pytest.raises(Damaged):
        require_authentic(evidence)
    assert term_of(evidence) == Term()
    configure(secret_keys_before=f"another\n\n {before} \n")
    require_authentic(evidence)
    assert term_of(evidence) != Term()
    assert verify_ledger().ok
    end_hold(evidence.case_id)
    assert verify_ledger().ok
