"""What came within a day makes no room for a withdrawal, on any road."""

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.cli.bank import bank as bank_command
from kinward.exchanges.services import add_exchange
from kinward.exchanges.sync import SyncFailed, sync_exchange
from kinward.matching.hashlists import ListedHash
from kinward.matching.models import Addition, Bank, BankedHash
from kinward.matching.services import add_hashes, create_bank, remove_hashes
from kinward.matching.withdrawals import RemovesTooMuch, leaving_of, withdraw_hashes

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("test")
DAY = timedelta(hours=25)


def listed(first: int, count: int, reference: str = "") -> list[ListedHash]:
    values = [(number + 1).to_bytes(16, "big") for number in range(first, first + count)]
    return [ListedHash("md5", value, reference) for value in values]


def fill(bank: Bank, hashes: list[ListedHash]) -> None:
    add_hashes(bank=bank, hashes=hashes, provenance="a test", actor=ACTOR)


def ids(bank: Bank, first: int, count: int) -> set[int]:
    rows = BankedHash.objects.filter(bank=bank, removed=False).order_by("pk")
    return set(rows.values_list("pk", flat=True)[first : first + count])


def live(bank: Bank) -> int:
    return BankedHash.objects.filter(bank=bank, removed=False).count()


@pytest.fixture
def old(db: None) -> Bank:
    """A bank that has had 20 hashes for longer than a day."""
    bank = create_bank(name="partner", confidence="verified", actor=ACTOR)
    fill(bank, listed(0, 20, "all"))
    Addition.objects.update(added_at=timezone.now() - DAY)
    return bank


def run_import(file: Path, text: str) -> tuple[int, str]:
    file.write_text(text)
    arguments = ["import", "partner", str(file), "--format", "csv", "--provenance", "a test"]
    result = CliRunner().invoke(bank_command, arguments)
    return result.exit_code, result.output


def test_junk_that_was_imported_before_makes_no_room(old: Bank, tmp_path: Path) -> None:
    junk = "md5\n" + "".join(f"{number:032x}\n" for number in range(1000, 1400))
    assert run_import(tmp_path / "junk.csv", junk)[0] == 0
    rows = "md5,removed\n" + "".join(f"{number + 1:032x},true\n" for number in range(20))
    code, output = run_import(tmp_path / "list.csv", rows)
    assert code == 2
    assert "Added in the last 24 hours: 400. These do not count yet." in output
    assert live(old) == 420
    assert leaving_of(old).free == 2
    Addition.objects.update(added_at=timezone.now() - DAY)
    assert leaving_of(old).free == 42, "a day later it is part of the bank"
    assert run_import(tmp_path / "list.csv", rows)[0] == 0


def test_junk_makes_no_room_for_a_reference(old: Bank) -> None:
    fill(old, listed(1000, 400))
    with pytest.raises(RemovesTooMuch, match="20 of the 420"):
        remove_hashes(bank=old, values=[], reference="all", actor=ACTOR)
    assert live(old) == 420


def test_a_young_bank_counts_its_first_addition(db: None) -> None:
    bank = create_bank(name="young", confidence="verified", actor=ACTOR)
    fill(bank, listed(0, 20))
    assert leaving_of(bank).free == 2
    fill(bank, listed(1000, 400))
    assert leaving_of(bank).free == 2
    with pytest.raises(RemovesTooMuch):
        withdraw_hashes(bank, ids(bank, 0, 3))
    assert withdraw_hashes(bank, ids(bank, 0, 2)) == 2


def test_a_partner_makes_no_room_for_its_next_sync(tmp_path: Path) -> None:
    file = tmp_path / "shared.txt"

    def share(first: int, count: int) -> None:
        numbers = range(first, first + count)
        file.write_text("".join(f"md5 {number + 1:032x}\n" for number in numbers))

    share(0, 20)
    exchange = add_exchange(
        name="partner",
        api="local_file",
        confidence="verified",
        config={"filename": str(file)},
        credentials={},
        actor=ACTOR,
    )
    list(sync_exchange(exchange, actor=ACTOR))
    Addition.objects.update(added_at=timezone.now() - DAY)
    share(0, 420)
    list(sync_exchange(exchange, actor=ACTOR))
    share(20, 400)
    with pytest.raises(SyncFailed, match="20 of the 420 hashes in 'partner' would be removed"):
        list(sync_exchange(exchange, actor=ACTOR))
    assert live(exchange.bank) == 420
