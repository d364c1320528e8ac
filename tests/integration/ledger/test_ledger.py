"""The ledger keeps everything, in order of what waited for what, and lets nothing be changed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction

from kinward.access.actor import Actor
from kinward.ledger import kinds
from kinward.ledger.authenticity import written_here
from kinward.ledger.kinds import KINDS, Fact
from kinward.ledger.models import Entry
from kinward.ledger.queries import entries_about
from kinward.ledger.sequencing import sequence_all
from kinward.ledger.services import OutsideTransaction, record
from kinward.ledger.verification import verify_ledger
from kinward.ledger.words import in_full
from tests.support.ledgers import Done, past_the_triggers, write


@pytest.mark.django_db(transaction=True)
def test_entries_are_sequenced_and_verify() -> None:
    numbers = write(7)
    assert sequence_all() == 7
    found = verify_ledger()
    assert (found.ok, found.entries, found.head.size, found.waiting) == (True, 7, 7, 0)
    assert [entry.data["n"] for entry in entries_about("thing:1")] == [1, 4]
    assert numbers == sorted(numbers)


@pytest.mark.django_db
def test_before_they_are_sequenced_entries_verify_and_wait() -> None:
    write(3)
    found = verify_ledger()
    assert (found.ok, found.entries, found.head.size, found.waiting) == (True, 3, 0, 3)


class Measured(Fact, frozen=True):
    """A fact with numbers."""

    kind = "test.measured"
    n: float
    more: dict[str, list[float]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "number", [-0.0, 0.0, 5.0, 0.1, -1e-7, 1.5e15, 1e16, -1e17, 1.8e19, 5e-324, 123456789.123456789]
)
def test_a_number_comes_back_as_it_was_committed(number: float) -> None:
    """PostgreSQL keeps no sign of a zero, and no exponent."""
    fact = Measured(n=number, more={"each": [number]})
    with transaction.atomic():
        record(actor=Actor.system("test"), subject="thing:1", fact=fact)
    (entry,) = written_here(Entry.objects.filter(kind=Measured.kind))
    assert (entry.data["n"], entry.data["more"]["each"]) == (number, [number])
    assert verify_ledger().ok


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET actor = 'x'",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_leaf SET hash = ''",
        "DELETE FROM ledger_leaf",
        "UPDATE ledger_tile SET data = set_byte(data, 31, get_byte(data, 31) # 1)",
        "UPDATE ledger_tile SET data = substr(data, 1, 32)",
        "DELETE FROM ledger_tile",
        "UPDATE ledger_log SET size = 1",
        "DELETE FROM ledger_log",
    ],
)
def test_the_database_refuses_changes(statement: str) -> None:
    write(3)
    sequence_all()
    with (
        pytest.raises(DatabaseError, match=r"append-only|only grows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert verify_ledger().ok


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sequenced", [True, False])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE ledger_entry SET actor = 'system:tesu' WHERE seq = %s", "its actor"),
        ("UPDATE ledger_entry SET subject = 'thing:9' WHERE seq = %s", "its subject"),
        ("UPDATE ledger_entry SET at = at + interval '1 microsecond' WHERE seq = %s", "or time"),
        ("UPDATE ledger_entry SET data = data || '{\"n\": 9}' WHERE seq = %s", "its data"),
        ("UPDATE ledger_entry SET data_salt = sha256('') WHERE seq = %s", "its data"),
        ("UPDATE ledger_entry SET data_commitment = sha256('') WHERE seq = %s", "its data"),
    ],
)
def test_whoever_changes_an_entry_past_the_trigger_is_found_out(
    change: str, why: str, sequenced: bool
) -> None:
    numbers = write(5)
    if sequenced:
        sequence_all()
    past_the_triggers(change, numbers[2])
    found = verify_ledger()
    assert (found.ok, found.broken_at) == (False, numbers[2])
    assert why in found.why


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("DELETE FROM ledger_entry WHERE seq = %s", "it is missing, and the log has its leaf"),
        ("UPDATE ledger_entry SET kind = 'test.gone' WHERE seq = %s", "not the one whose leaf"),
        ("DELETE FROM ledger_leaf WHERE entry_id = %s", "leaf 2 is missing"),
        ("UPDATE ledger_leaf SET hash = sha256('') WHERE entry_id = %s", "not the one whose leaf"),
        (
            "UPDATE ledger_tile SET data = overlay(data PLACING sha256('') FROM 65) "
            "WHERE level = 0 AND %s > 0",
            "tile 0 of level 0",
        ),
        (
            "UPDATE ledger_log SET frontier = overlay(frontier PLACING sha256('') FROM 9) "
            "WHERE %s > 0",
            "the edge of the tree",
        ),
        (
            "UPDATE ledger_log SET signed_size = 9, signed_root = sha256('') WHERE %s > 0",
            "the checkpoint of 9 leaves is not signed",
        ),
        (
            "UPDATE ledger_log SET signed_size = 4, signed_root = sha256('') WHERE %s > 0",
            "the checkpoint of 4 leaves is not signed",
        ),
        ("DELETE FROM ledger_log WHERE %s > 0", "the log's own row"),
        (
            "INSERT INTO ledger_entry (xid, at, actor, kind, subject, data, actor_salt, "
            "subject_salt, data_salt, actor_commitment, subject_commitment, data_commitment) "
            "SELECT '3', at, actor, kind, subject, data, actor_salt, subject_salt, data_salt, "
            "actor_commitment, subject_commitment, data_commitment "
            "FROM ledger_entry WHERE seq = %s",
            "no place in the log",
        ),
        (
            "UPDATE ledger_leaf SET index = 4000000000000000000 WHERE entry_id = %s + 2",
            "leaf 4 is missing",
        ),
        (
            "INSERT INTO ledger_leaf (index, entry_id, hash) SELECT 4000000000000000000, "
            "(SELECT nextval('ledger_entry_seq_seq')), '' WHERE %s > 0",
            "its leaf is where the log does not reach",
        ),
        (
            "INSERT INTO ledger_entry (xid, at, actor, kind, subject, data, actor_salt, "
            "subject_salt, data_salt, actor_commitment, subject_commitment, data_commitment) "
            "SELECT '9000000000000000000', at, actor, kind, subject, data, actor_salt, "
            "subject_salt, data_salt, actor_commitment, subject_commitment, data_commitment "
            "FROM ledger_entry WHERE seq = %s",
            "it names a transaction that has not begun",
        ),
    ],
)
def test_whoever_changes_the_log_past_the_triggers_is_found_out(change: str, why: str) -> None:
    numbers = write(5)
    sequence_all()
    past_the_triggers(change, numbers[2])
    found = verify_ledger()
    assert not found.ok
    assert why in found.why


@pytest.mark.django_db
def test_an_entry_goes_with_its_transaction() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(actor=Actor.system("test"), subject="thing:1", fact=Done())
        raise ZeroDivisionError
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_recorded() -> None:
    with pytest.raises(OutsideTransaction):
        record(actor=Actor.system("test"), subject="thing:1", fact=Done())


@pytest.mark.django_db(transaction=True)
def test_the_entries_of_a_transaction_are_what_each_alone_would_be() -> None:
    facts = [kinds.CaseFreed(held_by=f"staff:{name}", why=f"{name} is ill.") for name in "abc"]
    with transaction.atomic():
        for fact in facts:
            record(actor=Actor.system("test"), subject=f"case:{fact.why}", fact=fact)
    with transaction.atomic():
        record(actor=Actor.system("test"), subject="case:4", fact=facts[0])
    entries = list(Entry.objects.order_by("seq"))
    assert [entry.subject for entry in entries] == [
        *(f"case:{fact.why}" for fact in facts),
        "case:4",
    ]
    assert [data for _, data in in_full(entries)] == [fact.data for fact in [*facts, facts[0]]]
    assert {entry.actor for entry in entries} == {"system:test"}
    assert "ill" not in str([entry.data for entry in entries]), "words are apart"
    sequence_all()
    found = verify_ledger()
    assert (found.ok, found.entries) == (True, 4)


@pytest.mark.django_db(transaction=True)
def test_many_writers_make_one_log() -> None:
    def writer(_: int) -> None:
        try:
            write(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(writer, range(6)))
    assert sequence_all() == 60
    found = verify_ledger()
    assert (found.ok, found.entries, found.head.size) == (True, 60, 60)


@pytest.mark.django_db(transaction=True)
def test_no_writer_waits_for_another() -> None:
    """The other one's transaction is open all the while. A lock would let this test end in time."""
    with transaction.atomic():
        write(1)
        with ThreadPoolExecutor(1) as threads:
            threads.submit(_write_in_haste).result(timeout=60)
        assert Entry.objects.count() == 2


def _write_in_haste() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        write(1)
    finally:
        connection.close()


def test_each_kind_has_a_class_of_its_own() -> None:
    """`KINDS` would lose one of two with the same name."""
    ours = [fact for fact in Fact.__subclasses__() if not fact.kind.startswith("test.")]
    assert len(KINDS) == len(ours) > 100
    for kind, fact in KINDS.items():
        assert (
            "".join(word.capitalize() for word in kind.replace(".", "_").split("_"))
            == fact.__name__
        )


@pytest.mark.django_db
def test_no_kind_is_recorded_that_has_no_class() -> None:
    with transaction.atomic(), pytest.raises(AttributeError):
        record(actor=Actor.system("test"), subject="thing:1", fact="case.taken")  # type: ignore[arg-type]
