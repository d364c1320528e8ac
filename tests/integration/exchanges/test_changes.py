"""A partner can be corrected and removed, and no hash leaves a bank by that."""

import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.db import connections

from kinward.access.actor import Actor
from kinward.cli.exchange import exchange as command
from kinward.exchanges.kinds import OpinionKind
from kinward.exchanges.models import Exchange, Opinion, Signal
from kinward.exchanges.opinions import give_opinion, send
from kinward.exchanges.services import due
from kinward.exchanges.sync import SyncFailed, sync_exchange
from kinward.exchanges.tasks import sync_one
from kinward.ground.locks import exclusive
from kinward.ground.secrets import open_text
from kinward.ledger.models import Entry
from kinward.matching.models import Bank, BankedHash

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor.system("test")


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(command, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    for name, first in (("a", 0), ("b", 1)):
        lines = [f"md5 {number + 1:032x}\n" for number in range(first, first + 20)]
        (tmp_path / name).write_text("".join(lines))
    arguments = ["--api", "local_file", "--confidence", "unverified"]
    run("add", "friends", *arguments, "--config", f"filename={tmp_path / 'a'}")
    return tmp_path


def live() -> int:
    return BankedHash.objects.filter(removed=False).count()


def test_another_configuration_reads_the_list_anew(lists: Path) -> None:
    run("sync", "friends")
    assert not due()
    output = run("set", "friends", "--config", f"filename={lists / 'b'}", "--minutes", "5")
    assert "kinward exchange sync friends" in output
    row = Exchange.objects.get()
    assert (row.minutes, row.checkpoint) == (5, None)
    assert [exchange.name for exchange in due()] == ["friends"]
    run("sync", "friends")
    values = {bytes(row.value)[-1] for row in BankedHash.objects.filter(removed=False)}
    assert values == set(range(2, 22)), "what the other list lacks is gone, within the share"
    assert Entry.objects.get(kind="exchange.changed").data["fields"] == ["config", "minutes"]


def test_credentials_are_replaced_and_nothing_else(lists: Path) -> None:
    file = lists / "new.json"
    file.write_text(json.dumps({"user": "another"}))
    run("sync", "friends")
    before = Exchange.objects.get()
    run("set", "friends", "--credentials", str(file), "--opinions")
    row = Exchange.objects.get()
    assert json.loads(open_text(row.credentials, "exchange")) == {"user": "another"}
    assert row.opinions
    assert (row.config, row.checkpoint) == (before.config, before.checkpoint)


@pytest.mark.parametrize(
    "wrong", [[], ["--minutes", "0"], ["--config", "filename="], ["--config", "nonsense=1"]]
)
def test_a_wrong_correction_changes_nothing(lists: Path, wrong: list[str]) -> None:
    before = Exchange.objects.values().get()
    run("set", "friends", *wrong, code=1)
    assert Exchange.objects.values().get() == before


def test_a_removed_partner_leaves_its_bank(lists: Path) -> None:
    run("sync", "friends")
    run("set", "friends", "--opinions")
    give_opinion(
        hashes=[BankedHash.objects.earliest("pk").pk], kind=OpinionKind.CONFIRMED, actor=ACTOR
    )
    output = run("remove", "friends")
    assert "kinward bank disable friends" in output
    assert (live(), Signal.objects.count(), Exchange.objects.count()) == (20, 0, 0)
    send(Opinion.objects.get().pk)
    sync_one("friends")
    assert Opinion.objects.get().sent_at is None
    assert Entry.objects.filter(kind="exchange.removed", subject="exchange:friends").exists()


def test_a_partner_that_never_gave_a_hash_frees_its_name(lists: Path) -> None:
    run("set", "friends", "--config", f"filename={lists / 'missing'}")
    with pytest.raises(SyncFailed):
        list(sync_exchange(Exchange.objects.get(), actor=ACTOR))
    assert "is gone, too" in run("remove", "friends")
    assert not Bank.objects.exists()
    assert Entry.objects.filter(kind="bank.deleted", subject="bank:friends").exists()
    arguments = ["--api", "local_file", "--confidence", "verified"]
    run("add", "friends", *arguments, "--config", f"filename={lists / 'a'}")
    assert Bank.objects.get().confidence == "verified"


def test_neither_happens_during_a_sync(lists: Path) -> None:
    run("sync", "friends")
    codes: list[int] = []

    def ask() -> None:  # in a session of its own, since the lock is a session's
        both = (["remove", "friends"], ["set", "friends", "--minutes", "7"])
        codes.extend(CliRunner().invoke(command, arguments).exit_code for arguments in both)
        connections.close_all()

    with exclusive("exchange:friends") as mine:
        assert mine
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(60)
    assert codes == [1, 1]
    assert Exchange.objects.get().minutes == 60
