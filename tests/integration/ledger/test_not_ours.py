"""Somebody who may write to the database adds entries, and none of them counts."""

import hashlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final

import pytest
from click.testing import CliRunner
from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.api import ApiKey, entries_by_key
from kinward.cli.doctor import CHECKS
from kinward.cli.ledger import show
from kinward.erasure.replay import needs_list, settle_list
from kinward.ground.config import forget_config
from kinward.ledger.api import (
    OtherSecret,
    Stranger,
    entries_about,
    first_written,
    in_full,
    kinds,
    record,
    strangers,
    written_here,
)
from kinward.ledger.boundary import BoundaryUnreadable, kept, kept_path, require_secret
from kinward.ledger.chain import GENESIS, digest
from kinward.ledger.models import Entry, Log
from kinward.ledger.sequencing import begin_again, sequence_all
from kinward.ledger.verification import verify_ledger
from kinward.reconciliation.api import comparison, reconcile
from kinward.reconciliation.models import Difference
from tests.integration.conftest import Configure
from tests.integration.ledger.test_sequencing import chained
from tests.support.ledgers import forge_entry, past_the_triggers, write

pytestmark = pytest.mark.django_db(transaction=True)
MACS: Final = "kinward.ledger.migrations.0009_macs"

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


@pytest.fixture
def no_constraint() -> Iterator[None]:
    """As for whoever owns the table."""
    past_the_triggers("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_readable")
    yield
    past_the_triggers("DELETE FROM ledger_entry WHERE seq < 1")
    past_the_triggers(import_module(MACS).READABLE)


@pytest.mark.parametrize("there", ["", "1", "-7", "1000000"])
def test_a_copy_of_an_entry_counts_for_nothing_wherever_it_is(
    there: str, no_constraint: None
) -> None:
    """Nor before it has its leaf, nor with a leaf before the true one."""
    numbers = write(2)
    to, what = ("seq, xid,", f"{there}, '3',") if there else ("", "")
    past_the_triggers(COPY.format(to=to, what=what), numbers[0])
    (copy,) = set(Entry.objects.values_list("pk", flat=True)) - set(numbers)
    for _ in range(2):
        assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == numbers
        assert first_written(Entry.objects.order_by("-pk")) == Entry.objects.get(pk=numbers[1])
        assert verify_ledger().broken_at == copy
        sequence_all()


def test_an_entry_with_another_number_counts_for_nothing() -> None:
    """Else the older of two words becomes the newer."""
    numbers = write(2)
    for sequenced in (False, True):
        past_the_triggers("UPDATE ledger_entry SET seq = 1000000 WHERE seq = %s", numbers[0])
        if sequenced:
            past_the_triggers(
                "UPDATE ledger_leaf SET entry_id = 1000000 WHERE entry_id = %s", numbers[0]
            )
        assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == numbers[1:]
        assert verify_ledger().broken_at == 1000000
        past_the_triggers("UPDATE ledger_entry SET seq = %s WHERE seq = 1000000", numbers[0])
        sequence_all()


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
    assert kept() == 0
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
    assert (Log.objects.get().macs_from, kept()) == (3, 3)
    forge_entry("test.done", "thing:1", {"n": 9})
    sequence_all()
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == old + new
    kept_path().unlink()
    past_the_triggers("UPDATE ledger_log SET macs_from = 6")
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == old + new
    assert "the secret key did not write" in verify_ledger().why


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "no number"), (b"none\n", "no number"), (b"0" * 70 + b"9", "no number")],
)
def test_a_file_that_cannot_be_read_is_not_an_absent_one(content: bytes, why: str) -> None:
    old = write(2)
    sequence_all()
    past_the_triggers("UPDATE ledger_entry SET mac = NULL")
    past_the_triggers("UPDATE ledger_log SET macs_from = NULL, macs_from_mac = ''")
    kept_path().write_bytes(content)
    for read in (lambda: written_here(Entry.objects.all()), verify_ledger, require_secret):
        with pytest.raises(BoundaryUnreadable, match=why):
            read()
    write(1)
    assert sequence_all() == 1, "entries get their leaves all the same"
    kept_path().unlink()
    kept_path().mkdir()
    with pytest.raises(BoundaryUnreadable, match="Is a directory"):
        written_here(Entry.objects.all())
    kept_path().rmdir()
    kept_path().symlink_to("gone")
    with pytest.raises(BoundaryUnreadable, match="leads to nothing"):
        written_here(Entry.objects.all())
    kept_path().unlink()
    assert [one.pk for one in written_here(Entry.objects.filter(pk__in=old))] == old


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


def of_chain(seq: int) -> None:
    """An entry that says of itself that it is of the former chain, with a digest that fits."""
    at, said = timezone.now(), ("staff:somebody", "test.done", "thing:1")
    head = digest(
        previous=GENESIS, seq=seq, at=at, actor=said[0], kind=said[1], subject=said[2], data={}
    )
    past_the_triggers(
        "INSERT INTO ledger_entry (seq, at, actor, kind, subject, data, previous, digest, xid) "
        "VALUES (%s, %s, %s, %s, %s, '{}', %s, %s, NULL)",
        *(seq, at, *said, GENESIS, head),
    )


@pytest.mark.parametrize("seq", [0, -1, 5000])
@pytest.mark.parametrize(
    "row", ["", "UPDATE ledger_log SET chained = 9999", "DELETE FROM ledger_log"]
)
def test_no_entry_joins_the_former_chain(seq: int, row: str, no_constraint: None) -> None:
    numbers = write(2)
    sequence_all()
    of_chain(seq)
    if row:
        past_the_triggers(row)
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == numbers
    assert not verify_ledger().ok
    assert Stranger(seq, "test.done") in strangers(None, 100, None)[0]


def test_nobody_has_the_sequencer_say_that_macs_began_later() -> None:
    """Not even by a row of another origin for a moment."""
    write(2)
    sequence_all()
    origin = Log.objects.get().origin
    forged = forge_entry("test.done", "thing:1", {"n": 9})
    past_the_triggers("UPDATE ledger_entry SET mac = NULL")
    past_the_triggers(
        "UPDATE ledger_log SET macs_from = NULL, macs_from_mac = '', origin = 'another.example'"
    )
    later = write(1)
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET origin = %s", origin)
    assert (Log.objects.get().macs_from, kept()) == (None, 0)
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == later
    assert forged.pk not in later
    assert str(kept_path()) in verify_ledger().why


def test_each_machine_keeps_what_a_true_row_said() -> None:
    write(1)
    sequence_all()
    kept_path().unlink()  # as on a machine that runs no worker
    forget_config()
    assert written_here(Entry.objects.all()) == list(Entry.objects.all())
    forge_entry("test.done", "thing:1", {"n": 9})
    past_the_triggers("UPDATE ledger_entry SET mac = NULL")
    past_the_triggers("UPDATE ledger_log SET macs_from = NULL, macs_from_mac = ''")
    assert written_here(Entry.objects.all()) == []


def test_a_restored_log_says_itself_where_its_macs_begin() -> None:
    old = write(3)
    sequence_all()
    past_the_triggers("UPDATE ledger_entry SET mac = NULL")
    past_the_triggers("UPDATE ledger_log SET macs_from = NULL, macs_from_mac = ''")
    assert written_here(Entry.objects.all()) == [], "the file is of a log that has MACs"
    begin_again()
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == old
    new = write(1)
    sequence_all()
    assert (Log.objects.get().macs_from, kept()) == (3, 3)
    assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == old + new
    assert verify_ledger().ok


@pytest.mark.parametrize("column", ["at = 'infinity'", "at = '0044-03-15 BC'", "seq = 0"])
def test_what_would_stop_a_reader_is_no_entry(column: str) -> None:
    (number,) = write(1)
    with pytest.raises(IntegrityError, match="ledger_entry_readable"):
        past_the_triggers(f"UPDATE ledger_entry SET {column} WHERE seq = %s", number)


@pytest.mark.parametrize("data", ["[1]", '"x"', "7" * 5000, "[" * 3000 + "]" * 3000, "1e400"])
def test_an_entry_that_nobody_can_read_is_named(data: str) -> None:
    numbers = write(2)
    entry = forge_entry("backup.restored", "thing:9", {})
    past_the_triggers("UPDATE ledger_entry SET data = %s::jsonb WHERE seq = %s", data, entry.pk)
    for _ in range(2):
        assert [one.pk for one in written_here(Entry.objects.order_by("pk"))] == numbers
        assert not needs_list()
        assert verify_ledger().broken_at == entry.pk
        assert len(list(in_full(Entry.objects.all()))) == 3
        sequence_all()
    reconcile()
    assert f"entry:{entry.pk}" in Difference.objects.values_list("subject", flat=True)
    past_the_triggers("DELETE FROM ledger_leaf; DELETE FROM ledger_entry")


def test_nobody_opens_the_gate_by_the_mac_of_a_restore() -> None:
    restored(1)
    write(1)
    assert needs_list()
    past_the_triggers("UPDATE ledger_entry SET mac = NULL WHERE kind = 'backup.restored'")
    assert needs_list()
    settle_list(actor=Actor.system("test"), why="Nobody was ever erased.")
    assert not needs_list()


def test_show_marks_it_and_nothing_else_shows_it() -> None:
    write(1)
    forge_entry("test.done", "thing:0", {"n": 9}, actor="key:app")
    key = ApiKey.objects.create(name="app", digest=b"", scopes=[])
    assert [entry.actor for entry in entries_about("thing:0")] == ["system:test"]
    assert entries_by_key(key.name) == []
    lines = CliRunner().invoke(show, ["thing:0"]).output.splitlines()
    assert ["NOT WRITTEN BY KINWARD" in line for line in lines] == [False, True]


def test_without_the_former_key_nobody_is_accused(configure: Configure) -> None:
    write(2)
    sequence_all()
    configure(secret_key="another key of a test")
    with pytest.raises(OtherSecret, match="secret_keys_before"):
        reconcile()
    for check in ("ledger", "evidence"):
        with pytest.raises(OtherSecret):
            CHECKS[check]()
    with pytest.raises(OtherSecret):
        needs_list()
    assert "secret_keys_before" in verify_ledger().why


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
    copy = Entry.objects.latest("pk")
    sequence_all()
    reconcile()
    named = Difference.objects.filter(what="not by Kinward").values_list("subject", "detail")
    assert (f"entry:{entry.pk}", "") in named
    assert (f"entry:{copy.pk}", "") in named
    assert comparison().alarms
    assert timezone.now() > entry.at
