"""The ledger keeps everything in order and lets nothing be changed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction

from kinward.access.actor import Actor
from kinward.ledger.kinds import KINDS, Fact
from kinward.ledger.models import Entry
from kinward.ledger.queries import entries_about, verify_ledger
from kinward.ledger.services import OutsideTransaction, record


class Done(Fact, frozen=True):
    kind = "test.done"
    n: int = 0
    t: str = "ä"


def write(count: int) -> None:
    for number in range(count):
        with transaction.atomic():
            fact = Done(n=number)
            record(actor=Actor.system("test"), subject=f"thing:{number % 3}", fact=fact)


@pytest.mark.django_db
def test_entries_are_chained_and_verify() -> None:
    write(7)
    found = verify_ledger()
    assert found.ok
    assert found.entries == 7
    assert found.head == Entry.objects.get(seq=7).digest.hex()
    assert [entry.data["n"] for entry in entries_about("thing:1")] == [1, 4]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger_entry SET actor = 'x' WHERE seq = 2", "DELETE FROM ledger_entry WHERE seq = 2"],
)
def test_the_database_refuses_changes(statement: str) -> None:
    write(3)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert verify_ledger().ok


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "broken_at", "why"),
    [
        ("UPDATE ledger_entry SET actor = 'system:tesu' WHERE seq = 3", 3, "content"),
        ("UPDATE ledger_entry SET at = at + interval '1 microsecond' WHERE seq = 4", 4, "content"),
        ("UPDATE ledger_entry SET data = data || '{\"n\": 9}' WHERE seq = 1", 1, "content"),
        (
            "UPDATE ledger_entry SET digest = set_byte(digest, 31, get_byte(digest, 31) # 1) "
            "WHERE seq = 2",
            2,
            "content",
        ),
        ("DELETE FROM ledger_entry WHERE seq = 3", 4, "entry 3 is missing"),
    ],
)
def test_whoever_gets_round_the_trigger_is_found_out(change: str, broken_at: int, why: str) -> None:
    write(5)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(change)
        cursor.execute("SET LOCAL session_replication_role = origin")
    found = verify_ledger()
    assert found.broken_at == broken_at
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
def test_many_writers_make_one_chain() -> None:
    def writer(_: int) -> None:
        try:
            write(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(writer, range(6)))
    found = verify_ledger()
    assert found.ok
    assert found.entries == 60


def test_each_kind_has_a_class_of_its_own() -> None:
    """`KINDS` would lose one of two with the same name."""
    ours = [fact for fact in Fact.__subclasses__() if fact is not Done]
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
