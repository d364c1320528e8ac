"""A person is erased from every room, and nothing that was proved before stops being proved."""

import re
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.enforcement.models import BlockedIdentifier
from kinward.erasure.errors import ErasureDelayed
from kinward.erasure.export import export_data
from kinward.erasure.list import list_path
from kinward.erasure.models import Erasure
from kinward.erasure.services import decide_erasure, request_erasure
from kinward.evidence.holds import set_legal_hold
from kinward.ledger.api import kinds, record
from kinward.ledger.models import Entry
from kinward.matching.models import Bank, HeldBlock
from kinward.people.models import Account
from kinward.people.services import AccountUnknown
from kinward.reporting.models import Report
from tests.integration.conftest import Configure
from tests.support.compared import gaps
from tests.support.custody import two_custodians
from tests.support.helpers import Receiver
from tests.support.marked_person import MARKS, NAME, leave, live

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def marks(
    configure: Configure, bank: Bank, receiver: Receiver, reviewer: Staff, second_reviewer: Staff
) -> list[str]:
    configure(identifier_key="a key of a test")
    return live(reviewer, second_reviewer)


def erase(name: str = NAME) -> Erasure:
    one, two = two_custodians()
    request = request_erasure(account_id=name, why="They asked.", staff=one)
    return decide_erasure(erasure_id=request.pk, approve=True, staff=two)


def test_what_is_packed_is_removed_and_a_run_goes_on(marks: list[str]) -> None:
    leave()
    numbers = list(HeldBlock.objects.values_list("pk", flat=True))
    assert HeldBlock.objects.exclude(count=0).exists()
    erase()
    assert list(HeldBlock.objects.values_list("pk", flat=True)) == numbers
    assert all((block.count, bytes(block.records)) == (0, b"") for block in HeldBlock.objects.all())


def test_an_entry_of_an_erasure_lets_nothing_else_of_entries_change() -> None:
    entry = _entry("thing:1")
    for changes in (
        {"subject": "thing:2"},
        {"subject": None},
        {"kind": "x"},
        {"at": timezone.now()},
    ):
        with pytest.raises(DatabaseError, match=r"append-only|violates"), transaction.atomic():
            _says_erased()
            Entry.objects.filter(pk=entry.pk).update(**changes)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        _says_erased()
        Entry.objects.filter(pk=entry.pk).delete()


def _entry(subject: str) -> Entry:
    with transaction.atomic():
        return record(actor=Actor.system("test"), subject=subject, fact=kinds.AccountDeleted())


def _says_erased() -> None:
    fact = kinds.AccountErased(rows=0, values=0)
    record(actor=Actor.system("test"), subject="erasure:1", fact=fact)


def test_values_that_went_without_an_erasure_are_an_alarm(marks: list[str]) -> None:
    leave()
    erase()
    entry = _entry("account:somebody-unknown")
    assert "values are gone" not in str(gaps(["erasure"]))
    with transaction.atomic():
        _says_erased()
        Entry.objects.filter(pk=entry.pk).update(subject=None, subject_salt=None)
    assert "values are gone from the ledger" in str(gaps(["erasure"]))


def delayed(name: str = NAME) -> str:
    one, _ = two_custodians()
    with pytest.raises(ErasureDelayed) as refused:
        request_erasure(account_id=name, why="x", staff=one)
    return str(refused.value)


def test_whatever_must_stay_refuses_with_its_reason_and_date(marks: list[str]) -> None:
    assert "platform has not deleted" in delayed()
    leave()
    account = Account.objects.get(platform_id=NAME)
    case = account.cases.earliest("opened_at")
    finished = timezone.now() - timedelta(days=5)
    report = Report.objects.create(
        case=case,
        authority="ncmec",
        draft={},
        state="finished",
        external_id="1",
        finished_at=finished,
    )
    until = finished + timedelta(days=365)
    assert f"18 USC 2258A(h)), until {until:%Y-%m-%d}" in delayed()
    report.delete()
    case.state = "open"
    case.save()
    assert "case about the account is open" in delayed()
    case.state = "dismissed"
    case.save()
    one, two = two_custodians()
    request = request_erasure(account_id=NAME, why="They asked.", staff=one)
    set_legal_hold(case_id=case.pk, reference="AZ 9", actor=one.actor)
    with pytest.raises(ErasureDelayed, match="legal hold"):
        decide_erasure(erasure_id=request.pk, approve=True, staff=two)
    request.refresh_from_db()
    assert request.state == "asked"
    assert not list_path().exists()


def test_the_export_tells_what_is_theirs_and_of_nobody_else(marks: list[str]) -> None:
    told = str(export_data(NAME))
    wanted = ("screen name", "file name", "content", "address", "keyword", "ask", "report by")
    for name in (*wanted, "appeal"):
        assert MARKS[name] in told, name
    for name in ("report about", "comment", "note"):
        assert MARKS[name] not in told, name
    assert not re.search(
        r"guardian-of-mark|other-member|'matched'|dispute", told.partition("withheld")[0]
    )
    with pytest.raises(AccountUnknown):
        export_data("nobody")


def test_a_terminated_person_is_erased_and_stays_blocked(marks: list[str]) -> None:
    case = Account.objects.get(platform_id=NAME).cases.first()
    BlockedIdentifier.objects.create(case=case, digest=b"d" * 32, kind="device")
    leave()
    erase()
    blocked = BlockedIdentifier.objects.get()
    assert (blocked.case_id, bytes(blocked.digest)) == (None, b"d" * 32)
