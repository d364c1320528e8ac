"""How long evidence is kept is what the ledger says. Who writes to the database changes nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.erasure.registry import delays, person_of
from kinward.evidence import holds
from kinward.evidence import services as vault
from kinward.evidence.authenticity import Damaged, require_authentic
from kinward.evidence.models import Evidence
from kinward.evidence.terms import TERM_ENDED, term_of
from kinward.ground.personal import Delay
from kinward.ledger.api import kinds, record
from kinward.ledger.models import Entry, Words
from kinward.matching.models import Bank
from kinward.people.models import Account
from tests.support.compared import gaps
from tests.support.custody import agreed_destruction, end_hold, end_term
from tests.support.families import make_account
from tests.support.helpers import quarantined
from tests.support.ledgers import forge_entry, past_the_triggers

pytestmark = pytest.mark.django_db
NOW = timezone.now()
YEAR = timedelta(days=365)


@pytest.fixture
def evidence(bank: Bank, account: Account) -> Evidence:
    """A file that has had a short term, and has a year by now."""
    quarantined(account)
    file = Evidence.objects.get()
    end_term(file, NOW - timedelta(days=2))
    end_term(file, NOW + YEAR)
    return file


def rows(**columns: object) -> None:
    Evidence.objects.update(**columns)


def write(evidence: Evidence, fact: kinds.Fact) -> None:
    """An entry by somebody who has no secret, about the case of a file."""
    with transaction.atomic():
        record(actor=Actor.system("test"), subject=f"case:{evidence.case_id}", fact=fact)


def term(until: datetime, **more: Any) -> kinds.EvidenceTermSet:
    return kinds.EvidenceTermSet(until=until.isoformat(), why="report finished", files=1, **more)


def a_date(evidence: Evidence) -> None:
    rows(expires_at=NOW - YEAR)


def a_date_and_its_entry(evidence: Evidence) -> None:
    rows(expires_at=NOW - YEAR)
    write(evidence, term(NOW - YEAR))


def a_date_and_an_entry_with_a_mac(evidence: Evidence) -> None:
    rows(expires_at=NOW - YEAR)
    newest = Entry.objects.filter(kind="evidence.term_set").latest("pk")
    write(evidence, term(NOW - YEAR, after=newest.pk, mac="0" * 64))


def a_date_and_an_entry_of_nobody(evidence: Evidence) -> None:
    """As an earlier version wrote them, whose entries about terms had no MAC."""
    rows(expires_at=NOW - YEAR)
    past_the_triggers("DELETE FROM ledger_entry WHERE kind = 'evidence.term_set'")
    told = {"until": (NOW - YEAR).isoformat(), "why": "report finished", "files": 1}
    forge_entry("evidence.term_set", f"case:{evidence.case_id}", told)


def the_first_term_again(evidence: Evidence) -> None:
    first = Entry.objects.filter(kind="evidence.term_set").earliest("pk").data
    rows(expires_at=first["until"])
    write(evidence, kinds.EvidenceTermSet(**first))


def a_date_of_a_file_that_came_later(evidence: Evidence) -> None:
    rows(expires_at=NOW - YEAR, sealed_at=NOW + YEAR)


def no_hold(evidence: Evidence) -> None:
    end_term(evidence, NOW - timedelta(days=1))
    holds.set_legal_hold(case_id=evidence.case_id, reference="AZ", actor=Actor.operator("test"))
    rows(hold_reference="")


def no_hold_and_no_words(evidence: Evidence) -> None:
    """Of words that are gone nobody can tell what they said, but the hold was there."""
    no_hold(evidence)
    Words.objects.all().delete()


def no_hold_and_a_blank_entry(evidence: Evidence) -> None:
    """The triggers let values go beside an entry that says that somebody is erased."""
    no_hold(evidence)
    with transaction.atomic():
        fact = kinds.AccountErased(rows=0, values=1)
        record(actor=Actor.system("test"), subject="erasure:1", fact=fact)
        Entry.objects.filter(kind="evidence.held").update(data=None, data_salt=None)


def no_hold_but_an_entry(evidence: Evidence) -> None:
    no_hold(evidence)
    write(evidence, kinds.EvidenceHoldEnded(reference="AZ", files=1))


def an_old_end_of_the_hold(evidence: Evidence) -> None:
    """Of a month ago, so that the days after a hold are over."""
    no_hold(evidence)
    write(evidence, kinds.EvidenceHoldEnded(reference="AZ", files=1, after=1, mac="0" * 64))
    earlier = "UPDATE ledger_entry SET at = at - interval '30 days' WHERE kind = %s"
    past_the_triggers(earlier, "evidence.hold_ended")


@pytest.mark.parametrize(
    "forge",
    [
        a_date,
        a_date_and_its_entry,
        a_date_and_an_entry_with_a_mac,
        a_date_and_an_entry_of_nobody,
        the_first_term_again,
        a_date_of_a_file_that_came_later,
        no_hold,
        no_hold_and_no_words,
        no_hold_and_a_blank_entry,
        no_hold_but_an_entry,
        an_old_end_of_the_hold,
    ],
    ids=lambda forge: forge.__name__,
)
def test_nothing_expires_because_of_its_row(
    evidence: Evidence, forge: Callable[[Evidence], None]
) -> None:
    assert gaps(["evidence of a case"]) == []
    forge(evidence)
    assert vault.destroy_expired_evidence(NOW + timedelta(hours=1)) == 0
    named = {gap.subject for gap in gaps(["evidence of a case", "end of a legal hold"])}
    assert f"case:{evidence.case_id}" in named


def test_a_hold_that_only_the_ledger_has_stops_what_two_people_ask_for(evidence: Evidence) -> None:
    no_hold(evidence)
    agreed = agreed_destruction(evidence.case_id)
    with pytest.raises(vault.UnderLegalHold):
        vault.destroy_on_request(
            case_id=evidence.case_id, agreed=agreed, actor=Actor.operator("test")
        )


def test_a_hold_that_two_people_lift_frees_the_file_a_week_later(evidence: Evidence) -> None:
    end_term(evidence, NOW - timedelta(days=1))
    holds.set_legal_hold(case_id=evidence.case_id, reference="AZ", actor=Actor.operator("test"))
    end_hold(evidence.case_id)
    assert gaps(["evidence of a case", "end of a legal hold"]) == []
    assert vault.destroy_expired_evidence(NOW + timedelta(days=6)) == 0
    assert vault.destroy_expired_evidence(NOW + timedelta(days=8)) == 1


def test_an_erasure_waits_for_a_hold_that_only_the_ledger_has(
    evidence: Evidence, account: Account
) -> None:
    held = Delay("A legal hold keeps evidence of the account.")
    assert held not in delays(person_of(account))
    no_hold(evidence)
    assert held in delays(person_of(account))


@pytest.mark.parametrize(
    "data", [{}, [1], "x", {"until": 7}, {"until": "x", "reference": 7}], ids=str
)
def test_an_entry_of_another_form_stops_no_expiry_and_is_named(
    evidence: Evidence, account: Account, data: Any
) -> None:
    """Else one such entry would keep the files of everybody for ever."""
    quarantined(make_account("heron", 30))
    other = Evidence.objects.exclude(pk=evidence.pk).get()
    end_term(other, NOW)
    end_term(evidence, NOW)
    committed = {
        f"{of}_{what}": bytes(32)
        for of in ("actor", "subject", "data")
        for what in ("salt", "commitment")
    }
    of_case = ("evidence.term_set", "evidence.held", "evidence.hold_ended")
    of_file = ("evidence.sealed", "evidence.rewrapped")
    for kind in of_case + of_file:
        subject = f"case:{evidence.case_id}" if kind in of_case else str(evidence)
        Entry.objects.create(at=NOW, actor="x", kind=kind, subject=subject, data=data, **committed)
    assert vault.destroy_expired_evidence(timezone.now()) == 2
    rows(destroyed_at=None, location="file:///nowhere")
    with pytest.raises(Damaged):
        require_authentic(Evidence.objects.get(pk=evidence.pk))
    named = {gap.subject for gap in gaps(["evidence", "evidence of a case"])}
    assert {str(evidence), f"case:{evidence.case_id}"} <= named


@pytest.mark.parametrize(
    "columns",
    [
        {"expires_at": None},
        {"expires_at": NOW + 9 * YEAR},
        {"expires_at": None, "sealed_at": NOW + YEAR},
        {"hold_reference": "AZ 9"},
        {"hold_reference": "AZ 9", "sealed_at": NOW + YEAR},
    ],
    ids=" ".join,
)
def test_what_is_kept_longer_than_the_ledger_says_is_named(
    evidence: Evidence, columns: dict[str, object]
) -> None:
    rows(**columns)
    assert f"case:{evidence.case_id}" in {gap.subject for gap in gaps(["evidence of a case"])}


def test_who_destroys_past_kinward_and_calls_it_expiry_is_named(evidence: Evidence) -> None:
    rows(ciphertext=None, wrapped_key=None, destroyed_at=NOW, expires_at=NOW - YEAR)
    fact = kinds.EvidenceDestroyed(
        case=str(evidence.case_id), sha256=evidence.sha256, reason=TERM_ENDED
    )
    with transaction.atomic():
        record(actor=Actor.system("evidence"), subject=str(evidence), fact=fact)
    assert [gap.detail for gap in gaps(["evidence of a case"])] == [
        "It was destroyed as expired, and by the ledger its term had not ended."
    ]


def test_what_was_destroyed_and_is_put_back_is_not_opened(evidence: Evidence) -> None:
    """A row that was copied before its end is whole, MAC and all."""
    copied = {name: getattr(evidence, name) for name in ("ciphertext", "wrapped_key")}
    end_term(evidence, NOW - timedelta(days=1))
    assert gaps(["evidence of a case"]) == []
    assert vault.destroy_expired_evidence(timezone.now()) == 1
    assert gaps(["evidence", "evidence of a case"]) == []
    rows(**copied, destroyed_at=None)
    with pytest.raises(Damaged, match="put it back"):
        vault.unsealed_bytes(Evidence.objects.get())
    assert str(evidence) in {gap.subject for gap in gaps(["evidence"])}


def test_a_term_from_before_macs_counts_until_there_is_one_with_a_mac(
    bank: Bank, account: Account
) -> None:
    quarantined(account)
    evidence = Evidence.objects.get()
    rows(expires_at=NOW)
    write(evidence, term(NOW))
    assert term_of(evidence).until == NOW
    end_term(evidence, NOW + YEAR)
    assert not term_of(evidence).forged
    write(evidence, term(NOW))
    assert term_of(evidence).until == NOW + YEAR
    assert term_of(evidence).forged
