"""Every committed entry gets exactly one place in the log, whatever runs or is killed when."""

import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from statistics import median
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from kinward.ledger import sequencing
from kinward.ledger.authenticity import mac_of
from kinward.ledger.chain import GENESIS, digest
from kinward.ledger.leaves import chain_leaf, exact_time
from kinward.ledger.merkle import leaf_hash
from kinward.ledger.models import Entry, HashTile, Leaf, Log, SignedTree
from kinward.ledger.queries import is_late, unsequenced_since, unsigned_since
from kinward.ledger.running import PAUSE, keep_sequencing
from kinward.ledger.sequencing import LOCK, begin_again, sequence, sequence_all
from kinward.ledger.signing import publish_checkpoint
from kinward.ledger.verification import verify_ledger
from tests.integration.conftest import Configure
from tests.support.ledgers import past_the_triggers, write

pytestmark = pytest.mark.django_db(transaction=True)

KILLS = int(os.environ.get("KINWARD_CHAOS_KILLS", "12"))
# An entry whose values were erased already: what it was committed to is all that a leaf needs.
INSERT = """
INSERT INTO ledger_entry
  (seq, at, kind, actor_commitment, subject_commitment, data_commitment, mac)
VALUES (%s, %s, 'test.done', %s, %s, %s, %s)
"""


@contextmanager
def another() -> Iterator["psycopg.Connection[Any]"]:
    """A connection of another process."""
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context"):
        parameters.pop(name, None)
    opened = psycopg.connect(**parameters)
    try:
        yield opened
    finally:
        opened.close()


def insert(into: "psycopg.Connection[Any]") -> int:
    at, said = timezone.now(), (bytes(32), bytes(32), os.urandom(32))
    ((number,),) = into.execute("SELECT nextval('ledger_entry_seq_seq')").fetchall()
    seal = mac_of(number, exact_time(at), "test.done", *said)
    into.execute(INSERT, (number, at, *said, seal))
    return int(number)


def places() -> list[int]:
    """The entries in the order of the log."""
    return list(Leaf.objects.order_by("index").values_list("entry_id", flat=True))


def test_who_is_still_writing_holds_back_whoever_began_later() -> None:
    with another() as slow, another() as fast:
        earlier = insert(slow)
        later = insert(fast)
        fast.commit()
        assert sequence_all() == 0
        assert places() == []
        assert unsequenced_since() is not None
        slow.commit()
    assert sequence_all() == 2
    assert places() == [earlier, later]
    assert unsequenced_since() is None


def test_what_was_rolled_back_has_no_place() -> None:
    with another() as other:
        insert(other)
        other.rollback()
        kept = insert(other)
        other.commit()
    assert sequence_all() == 1
    assert places() == [kept]


def test_a_second_sequencer_stands_back() -> None:
    write(1)
    with another() as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [_key(LOCK)])
        assert sequence() is None
        other.rollback()
    assert sequence() == 1


def _key(name: str) -> int:
    from kinward.ground.locks import _key as key

    return key(name)


@pytest.mark.parametrize("batch", [7, 256, 1000])
def test_batches_of_any_size_make_the_same_tree(batch: int) -> None:
    with another() as other:
        numbers = [insert(other) for _ in range(300)]
        other.commit()
        numbers += [insert(other) for _ in range(230)]
        other.commit()
    counts = []
    while count := sequence(batch):
        counts.append(count)
    assert max(counts) <= batch
    assert places() == numbers
    assert HashTile.objects.filter(level=1).count() == 1
    assert verify_ledger().ok


def test_after_a_restore_elsewhere_ids_of_transactions_mean_nothing() -> None:
    """In the new cluster they begin anew: entries of the backup have greater ones."""
    write(3)
    sequence_all()
    waiting = write(2)
    past_the_triggers("UPDATE ledger_entry SET xid = (xid::text::bigint + 90000)::text::xid8")
    past_the_triggers("UPDATE ledger_log SET cluster = 1, position_xid = '89000'")
    assert verify_ledger().ok
    log = begin_again()
    assert places()[3:] == waiting
    later = write(2)
    assert sequence_all() == 2
    assert places()[5:] == later
    assert re.search(r"/ledger/2-[0-9a-f]{8}$", log.origin)
    assert unsequenced_since() is None
    # What runs now reaches the ids that the backup had. Nothing gets a second place.
    past_the_triggers(
        "UPDATE ledger_entry SET xid = (xid::text::bigint - 90000)::text::xid8 "
        "WHERE xid::text::bigint > 90000"
    )
    past_the_triggers("UPDATE ledger_log SET position_xid = '3'")
    assert sequence_all() == 0
    assert verify_ledger().ok


def test_a_cluster_that_was_set_back_is_noticed_too() -> None:
    write(2)
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET position_xid = '9000000000'")
    write(2)
    assert sequence_all() == 2
    assert verify_ledger().ok


def chained(count: int) -> bytes:
    """Write entries of the former chain, as before; return its head."""
    previous = GENESIS
    for seq in range(1, count + 1):
        fields: dict[str, Any] = {
            "seq": seq,
            "at": timezone.now(),
            "actor": "system:test",
            "kind": "test.done",
            "subject": "thing:1",
            "data": {"n": seq},
        }
        head = digest(previous=previous, **fields)
        Entry.objects.create(**fields, previous=previous, digest=head, xid=None)
        previous = head
    return previous


def test_the_head_of_the_chain_is_the_first_leaf() -> None:
    past_the_triggers("ALTER SEQUENCE ledger_entry_seq_seq RESTART WITH 1000000")
    head = chained(4)
    later = write(2)
    assert sequence_all() == 2
    first = Leaf.objects.get(index=0)
    assert bytes(first.hash) == leaf_hash(chain_leaf(4, head))
    assert places() == [None, *later]
    found = verify_ledger()
    assert (found.ok, found.entries, found.head.size) == (True, 6, 3)


@pytest.mark.parametrize(
    ("change", "at", "why"),
    [
        ("UPDATE ledger_entry SET actor = 'system:tesu' WHERE seq = 3", 3, "content"),
        ("UPDATE ledger_entry SET data = NULL, subject = 'thing:2' WHERE seq = 3", 3, "content"),
        ("DELETE FROM ledger_entry WHERE seq = 2", 3, "entry 2 is missing"),
        ("DELETE FROM ledger_entry WHERE seq = 4", 3, "ends otherwise"),
        ("UPDATE ledger_entry SET previous = sha256('') WHERE seq = 2", 2, "does not follow"),
    ],
)
def test_a_changed_chain_is_found_out(change: str, at: int, why: str) -> None:
    past_the_triggers("ALTER SEQUENCE ledger_entry_seq_seq RESTART WITH 1000000")
    chained(4)
    write(1)
    sequence_all()
    past_the_triggers(change)
    found = verify_ledger()
    assert (found.ok, found.broken_at) == (False, at)
    assert why in found.why


def test_the_log_is_late_after_a_minute() -> None:
    write(1)
    later = timezone.now() + timedelta(seconds=61)
    assert (is_late(), is_late(later)) == ("", "sequenced")
    sequence_all()
    assert is_late(later) == "signed"
    publish_checkpoint()
    assert is_late(later) == ""
    assert unsigned_since() is None


def test_an_entry_that_was_erased_keeps_its_place() -> None:
    numbers = write(3)
    sequence_all()
    past_the_triggers(
        "UPDATE ledger_entry SET actor = NULL, actor_salt = NULL, subject = NULL, "
        "subject_salt = NULL, data = NULL, data_salt = NULL WHERE seq = %s",
        numbers[1],
    )
    found = verify_ledger()
    assert (found.ok, found.erased) == (True, 3)
    past_the_triggers("SET LOCAL session_replication_role = origin")
    with pytest.raises(Exception, match="ledger_entry_committed"):
        past_the_triggers("UPDATE ledger_entry SET actor_salt = NULL WHERE seq = %s", numbers[0])


def test_whatever_interleaves_each_entry_has_one_place_and_no_checkpoint_is_contradicted() -> None:
    """Writers begin, write, commit and roll back by chance, among sequencer and signer."""
    chance = random.Random(20261126)
    committed: set[int] = set()
    shown: dict[tuple[str, int], bytes] = {}
    with another() as one, another() as two, another() as three:
        open_entries: dict[Any, list[int]] = {one: [], two: [], three: []}
        for _ in range(250):
            writer = chance.choice(list(open_entries))
            match chance.choice(("write", "write", "commit", "roll back", "sequence", "sign")):
                case "write":
                    open_entries[writer].append(insert(writer))
                case "commit":
                    writer.commit()
                    committed.update(open_entries[writer])
                    open_entries[writer] = []
                case "roll back":
                    writer.rollback()
                    open_entries[writer] = []
                case "sequence":
                    sequence(chance.choice((1, 3, 100)))
                case _:
                    past_the_triggers("UPDATE ledger_log SET signed_at = NULL")
                    publish_checkpoint()
                    _note_shown(shown)
        for writer, numbers in open_entries.items():
            writer.commit()
            committed.update(numbers)
    sequence_all()
    assert Counter(places()) == Counter(committed)
    assert verify_ledger().ok
    assert len(shown) > 3


def _note_shown(shown: dict[tuple[str, int], bytes]) -> None:
    """Keep what is shown, as somebody outside would. No two of one size differ, none shrinks."""
    log = Log.objects.first()
    if log is None or not log.note:
        return
    root = bytes(log.signed_root)
    assert shown.setdefault((log.origin, log.signed_size), root) == root
    assert log.signed_size == max(size for origin, size in shown if origin == log.origin)


def test_who_is_killed_at_any_moment_leaves_no_entry_behind(configure: Configure) -> None:
    """A process that writes, sequences and signs is killed, again and again.

    After every other kill a second worker goes on at once, as it would beside the killed one. The
    test prints how long it took until each committed entry had its leaf.
    """
    shown: dict[tuple[str, int], bytes] = {}
    chance = random.Random(7)
    delays = []
    for number in range(KILLS):
        child = _fork()
        time.sleep(chance.uniform(0.02, 0.3))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if number % 2:
            delays.append(_until_each_has_a_leaf())
        _note_shown(shown)
    print(
        f"\n{KILLS} kills. After {len(delays)} of them, each committed entry had its leaf within "
        f"{max(delays):.2f} s, and half of the times within {median(delays):.2f} s."
    )
    _until_nobody_else_writes()
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET signed_at = NULL")
    publish_checkpoint()
    _note_shown(shown)
    entries = set(Entry.objects.values_list("seq", flat=True))
    assert Counter(places()) == Counter(entries)
    assert len(entries) > KILLS
    found = verify_ledger()
    assert found.ok, found.fault
    assert found.signed == found.head.size
    roots = {size: root for (_origin, size), root in shown.items()}
    for tree in SignedTree.objects.all():
        assert roots.setdefault(tree.size, bytes(tree.root)) == bytes(tree.root)


def _fork() -> int:
    child = os.fork()
    if child:
        return child
    with suppress(BaseException):
        for each in connections.all(initialized_only=True):
            each.connection = None  # the parent's
        while True:
            write(3)
            write(5, together=True)
            sequence(4)
            Log.objects.update(signed_at=None)  # so that each round signs
            publish_checkpoint()
    os._exit(0)


def _until_each_has_a_leaf() -> float:
    """Be the other worker until no committed entry is without a leaf; return the seconds."""
    began = time.monotonic()
    while time.monotonic() < began + 60:
        sequence()
        if not Entry.objects.filter(leaf=None).exists():
            return time.monotonic() - began
        time.sleep(PAUSE)
    raise AssertionError("An entry has no leaf.")


def _until_nobody_else_writes() -> None:
    """Wait until the server has noticed that the killed ones are gone."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(others)
            row = cursor.fetchone()
        if row == (0,):
            return
        time.sleep(0.05)
    raise AssertionError("A killed writer is still there.")


def test_a_worker_sequences_and_signs_until_it_is_told_to_stop() -> None:
    import threading

    numbers = write(3)
    stop = threading.Event()
    thread = threading.Thread(target=keep_sequencing, args=[stop])
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            log = Log.objects.first()
            if log is not None and log.signed_size == 3:
                break
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join(60)
    assert places() == numbers
    assert Log.objects.get().signed_size == 3


def test_without_a_key_entries_still_get_their_places(configure: Configure, tmp_path: Any) -> None:
    configure(ledger_key_file=str(tmp_path / "none"))
    write(1)
    times = {"sequenced": 0.0, "signed": 0.0}
    from kinward.ledger.running import _attempt

    assert _attempt("sequenced", times) == 1
    assert _attempt("signed", times) is None
    assert times["signed"] > 0
    assert Log.objects.get().signed_size == 0


def test_the_leaves_are_asked_by_their_index_however_many_entries_seem_new() -> None:
    """A hash of all leaves, four times a second, took a core of a small machine."""
    values: dict[str, str | int] = {"xid": "1", "seq": 0, "horizon": "9999999", "batch": 100}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sequencing._FINISHED}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "ledger_leaf_entry_id_key" in plan
    assert "Join" not in plan


def test_the_same_backup_restored_twice_is_two_logs() -> None:
    """Each may have shown another tree: under one name they would contradict each other."""
    write(1)
    sequence_all()
    first = Log.objects.get().origin
    origins = set()
    for _ in range(3):
        past_the_triggers("UPDATE ledger_log SET generation = 1, origin = %s", first)
        origins.add(begin_again().origin)
    assert len(origins) == 3
    third = begin_again().origin
    assert re.search(rf"^{re.escape(first)}/3-[0-9a-f]{{8}}$", third)
