"""Somebody who may write to the database adds entries, and none of them counts."""

import hashlib
from collections.abc import Callable
from typing import Final

import pytest
from django.db import transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.erasure.replay import needs_list
from kinward.ledger.api import kinds, record, written_here
from kinward.ledger.boundary import kept, kept_path
from kinward.ledger.models import Entry, Log
from kinward.ledger.sequencing import sequence_all
from kinward.ledger.verification import verify_ledger
from kinward.reconciliation.api import comparison, reconcile
from kinward.reconciliation.models import Difference
from tests.integration.ledger.test_sequencing import chained
from tests.support.ledgers import forge_entry, past_the_triggers, write

pytestmark = pytest.mark.django_db(transaction=True)

COPY = """
INSERT INTO ledger_entry ({to} at, kind, actor, subject, data, actor_salt, subject_salt, data_salt,
  actor_commitment, subject_commitment, data_commitment, mac)
SELECT {what} at, kind, actor, subject, data, actor_salt, subject_salt, data_salt,
  actor_commitment, subject_commitment, data_commitment, mac FROM ledger_entry WHERE seq = %s
"""


@pytest.mark.parametrize("mac", [None, b"", bytes(32), hashlib.sha256(b"").digest()], ids=str)
def test_an_entry_by_somebody_else_counts_for_nothing_and_is_named(mac: bytes | None) -> None:
    numbers = write(3)
    entry = forge_entry("test.done", "thing:1", {"n": 9, "t": "ä"}, mac)
    for _ in range(2):  # before it has its leaf, and after
        counted = [one.pk for one in written_here(Entry.objects.order_by("pk"))]
        assert counted == numbers
        found = verify_ledger()
        assert (found.broken_at, found.why) == (entry.pk, "Kinward did not write it")
        assert sequence_all() in (4, 0), "it has its leaf all the same"
    forge_entry("test.done", "thing:1", {"n": 8, "t": "ä"}, mac)
    assert verify_ledger().why == "Kinward did not write it, nor 1 more"


def test_an_entry_in_a_gap_of_the_numbers_is_no_older_one() -> None:
    write(1)
    sequence_all()
    assert forge_entry("test.done", "thing:1", {"n": 9}, seq=1).seq == 1
    sequence_all()
    assert [entry.pk for entry in written_here(Entry.objects.all())] != [1]
    assert verify_ledger().broken_at == 1


def test_an_entry_that_is_copied_counts_once_wherever_the_copy_is() -> None:
    numbers = write(2)
    sequence_all()
    past_the_triggers(COPY.format(to="", what=""), numbers[0])
    past_the_triggers(COPY.format(to="seq,", what="1,"), numbers[1])
    sequence_all()
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == numbers
    found = verify_ledger()
    assert not found.ok
    assert "it repeats entry" in found.why


def test_a_mac_of_another_entry_makes_no_entry_true() -> None:
    """Nor do its commitments, with other words beside them."""
    (number,) = write(1)
    true = Entry.objects.get(pk=number)
    columns = "actor_salt actor_commitment subject_salt subject_commitment data_salt"
    copied = {name: getattr(true, name) for name in [*columns.split(), "data_commitment", "mac"]}
    lie = Entry.objects.create(
        at=true.at, kind=true.kind, actor=true.actor, subject="thing:7", data=true.data, **copied
    )
    assert written_here([Entry.objects.get(pk=lie.pk)]) == []
    assert not verify_ledger().ok


def test_a_mac_that_is_taken_away_makes_no_entry_an_old_one() -> None:
    numbers = write(4)
    sequence_all()
    past_the_triggers("UPDATE ledger_entry SET mac = NULL WHERE seq = %s", numbers[0])
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == numbers[1:]
    assert verify_ledger().broken_at == numbers[0]


def test_whoever_takes_each_mac_and_the_logs_word_away_meets_the_file() -> None:
    write(2)
    sequence_all()
    assert kept(Log.objects.get().origin) == 0
    past_the_triggers("UPDATE ledger_entry SET mac = NULL")
    past_the_triggers("UPDATE ledger_log SET macs_from = NULL")
    assert written_here(Entry.objects.all()) == []
    assert str(kept_path()) in verify_ledger().why


def test_entries_of_an_earlier_version_count_up_to_the_first_with_a_mac() -> None:
    old = write(3)
    sequence_all()
    past_the_triggers("UPDATE ledger_entry SET mac = NULL")
    past_the_triggers("UPDATE ledger_log SET macs_from = NULL, macs_from_mac = ''")
    kept_path().unlink()
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == old
    new = write(2)
    sequence_all()
    assert (Log.objects.get().macs_from, kept(Log.objects.get().origin)) == (3, 3)
    forge_entry("test.done", "thing:1", {"n": 9})
    sequence_all()
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == old + new
    kept_path().unlink()
    past_the_triggers("UPDATE ledger_log SET macs_from = 6")
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == old + new
    assert "not by our key" in verify_ledger().why


SAID: Final = ("kind", "actor", "subject", "data")
SALTED: Final = tuple(
    f"{name}_{what}" for name in ("actor", "subject", "data") for what in ("salt", "commitment")
)


@pytest.mark.parametrize(("seq", "columns"), [(2, SAID), (4, (*SAID, *SALTED))])
def test_an_entry_of_an_earlier_version_that_is_changed_counts_for_nothing(
    seq: int, columns: tuple[str, ...]
) -> None:
    """One of the former chain, or one with a leaf and without a MAC."""
    past_the_triggers("ALTER SEQUENCE ledger_entry_seq_seq RESTART WITH 4")
    chained(3)
    write(2)
    sequence_all()
    past_the_triggers("UPDATE ledger_entry SET mac = NULL")
    past_the_triggers("UPDATE ledger_log SET macs_from = NULL, macs_from_mac = ''")
    kept_path().unlink()
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == [1, 2, 3, 4, 5]
    lie = forge_entry("test.done", "thing:9", {"n": 9})
    past_the_triggers(
        "UPDATE ledger_entry e SET "
        + ", ".join(f"{name} = lie.{name}" for name in columns)
        + " FROM ledger_entry lie WHERE e.seq = %s AND lie.seq = %s",
        seq,
        lie.pk,
    )
    past_the_triggers("DELETE FROM ledger_entry WHERE seq = %s", lie.pk)
    left = [one.pk for one in written_here(Entry.objects.order_by("pk"))]
    assert left == [number for number in (1, 2, 3, 4, 5) if number != seq]
    assert verify_ledger().broken_at == seq


def restored(lines: int) -> None:
    with transaction.atomic():
        fact = kinds.BackupRestored(origin="x", size=1, root="", lines=lines, last="")
        record(actor=Actor.system("test"), subject="backup:x", fact=fact)


def a_restore() -> Callable[[], bool]:
    forge_entry("backup.restored", "backup:x", {"origin": "x", "lines": 0, "last": ""})
    return lambda: not needs_list()


def a_list() -> Callable[[], bool]:
    restored(1)
    forge_entry("erasures.listed", "erasures", {"lines": 0, "last": "", "why": "no list"})
    return needs_list


def a_comparison() -> Callable[[], bool]:
    forge_entry("ledger.reconciled", "reconciliation:1", {"everything": True})
    return lambda: comparison().finished_at is None


@pytest.mark.parametrize("deed", [a_restore, a_list, a_comparison])
def test_what_a_forged_entry_says_has_no_effect(deed: Callable[[], Callable[[], bool]]) -> None:
    has_no_effect = deed()
    assert has_no_effect()


def test_the_daily_comparison_names_each_of_them() -> None:
    (number,) = write(1)
    entry = forge_entry("staff.role_changed", "staff:kim", {"was": "", "role": "administrator"})
    past_the_triggers(COPY.format(to="", what=""), number)
    sequence_all()
    reconcile()
    named = Difference.objects.filter(what="not by Kinward").values_list("subject", "detail")
    assert (f"entry:{entry.pk}", "") in named
    assert f"It repeats entry {number}." in [detail for _, detail in named]
    assert comparison().alarms
    assert timezone.now() > entry.at
