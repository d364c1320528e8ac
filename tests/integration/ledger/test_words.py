"""What a person typed is in a row of its own: the entry is committed to it, and survives it."""

import pytest
from django.db import connection, transaction

from kinward.access.actor import Actor
from kinward.ledger.api import ERASED, Entry, Words, in_full, kinds, record, verify_ledger
from kinward.ledger.words import says
from tests.support.compared import gaps

pytestmark = pytest.mark.django_db
WHY = "Robin is ill."


def freed(why: str = WHY) -> Entry:
    with transaction.atomic():
        fact = kinds.CaseFreed(held_by="staff:robin", why=why)
        record(actor=Actor.system("test"), subject="case:1", fact=fact)
    return Entry.objects.latest("pk")


def test_an_entry_holds_no_word_of_it() -> None:
    entry = freed()
    assert WHY not in str(entry.data)
    assert entry.data["held_by"] == "staff:robin"
    assert [data["why"] for _, data in in_full([entry])] == [WHY]
    assert says(entry.data["why"], WHY)
    assert not says(entry.data["why"], "Robin is well.")


def test_the_same_words_are_told_by_nobody_who_guesses() -> None:
    one, other = freed(), freed()
    assert one.data["why"] != other.data["why"], "each has a salt of its own"


def test_words_that_somebody_removed_leave_an_entry_that_verifies_and_are_named() -> None:
    entry = freed()
    assert gaps(["ledger"]) == []
    Words.objects.all().delete()
    assert verify_ledger().ok
    assert [data["why"] for _, data in in_full([entry])] == [ERASED]
    assert not says(entry.data["why"], WHY)
    assert [(gap.subject, gap.detail) for gap in gaps(["ledger"])] == [
        (f"entry:{entry.pk}", "Its words are gone.")
    ]


def test_an_entry_of_an_earlier_version_says_what_it_says() -> None:
    entry = freed("")
    assert entry.data["why"] == "", "no words need no row"
    entry.data = {"held_by": "staff:robin", "why": WHY}
    assert [data["why"] for _, data in in_full([entry])] == [WHY]


def test_changed_words_are_named_by_the_comparison() -> None:
    freed()
    assert gaps(["words"]) == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_words SET text = 'Robin is well.'")
    assert [gap.counterpart for gap in gaps(["words"])] == ["words"]
