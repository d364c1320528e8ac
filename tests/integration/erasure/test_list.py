"""The list of erasures only grows, and a process killed while it writes breaks nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.cli.doctor import examine
from kinward.erasure.errors import ListBroken, ListNeeded
from kinward.erasure.list import (
    Line,
    _extend,
    append,
    begin_list,
    hash_of,
    keep_list,
    list_path,
    read_list,
)
from kinward.erasure.models import Replayed
from kinward.erasure.replay import replay_erasures, require_replayed, settle_list
from kinward.erasure.services import decide_erasure, request_erasure
from kinward.ground.errors import Invalid
from kinward.ledger.api import in_full, kinds, record
from kinward.ledger.models import Entry
from kinward.people.models import Account
from kinward.people.services import Profile, delete_account, put_account
from tests.integration.conftest import Configure

ROOT = Actor.operator("root")


@pytest.fixture(autouse=True)
def secret(configure: Configure) -> None:
    configure(identifier_key="a key of a test")


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
def test_a_line_that_was_not_finished_is_none(kept: int) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    append(first, "member-1")
    whole = list_path().read_bytes()
    append(second, "member-2")
    torn = list_path().read_bytes()[len(whole) :][:kept]
    list_path().write_bytes(whole + torn)
    assert [line.erasure for line in read_list()] == [first]
    append(third, "member-3")
    assert [line.erasure for line in read_list()] == [first, third]


def test_a_line_that_somebody_changed_is_told(secret: None) -> None:
    for name in ("member-1", "member-2"):
        append(uuid4(), name)
    lines = list_path().read_bytes().splitlines(keepends=True)
    for broken in (lines[1:], [lines[1], lines[0]], [lines[0].replace(b"Z", b"Y"), lines[1]]):
        list_path().write_bytes(b"".join(broken))
        with pytest.raises(ListBroken):
            read_list()


def test_the_lists_of_two_machines_become_one(tmp_path: Path) -> None:
    """Each has what was agreed there, so neither begins with the other."""
    here, there = uuid4(), uuid4()
    append(there, "member-2")
    copy = tmp_path / "copy.jsonl"
    list_path().rename(copy)
    append(here, "member-1")
    for _ in range(2):  # idempotent
        keep_list(copy)
        assert [line.erasure for line in read_list()] == [here, there]
    list_path().rename(tmp_path / "both.jsonl")
    append(there, "somebody else")
    with pytest.raises(ListBroken, match="differ about erasure"):
        keep_list(tmp_path / "both.jsonl")
    copy.write_bytes(copy.read_bytes().replace(b"Z", b"Y"))
    with pytest.raises(ListBroken):
        keep_list(copy)


def test_an_erasure_that_the_list_lacks_is_told(db: None) -> None:
    assert examine()["erasures"].level == "ok"
    Replayed.objects.create(erasure=(erasure := uuid4()))
    assert "1 erasure is not in" in examine()["erasures"].text
    append(erasure, "member-1")
    assert examine()["erasures"].level == "ok"


def restored(**noted: Any) -> None:
    with transaction.atomic():
        fact = kinds.BackupRestored(origin="o", size=1, root="", **noted)
        record(actor=ROOT, subject="backup:x", fact=fact)


@pytest.mark.django_db(transaction=True)
def test_after_a_restore_nothing_serves_without_a_list_or_words_for_none() -> None:
    require_replayed()  # nobody restored anything, and nobody was erased
    restored()
    require_replayed()  # by an earlier version, which served
    with transaction.atomic():  # nobody makes a restore look so by taking away what it said
        record(actor=ROOT, subject="erasure:1", fact=kinds.AccountErased(rows=0, values=1))
        Entry.objects.filter(kind="backup.restored").update(data=None, data_salt=None)
    with pytest.raises(ListNeeded):
        require_replayed()
    restored(lines=0, last="")
    with pytest.raises(ListNeeded, match="--no-list"):
        require_replayed()
    put_account(platform_id="member-1", profile=Profile())
    delete_account(platform_id="member-1", actor=ROOT)
    request = request_erasure(account_id="member-1", why="x", staff=Actor.operator("one"))
    with pytest.raises(ListNeeded):  # a list that begins now is not the one that is missing
        decide_erasure(erasure_id=request.pk, approve=True, staff=Actor.operator("two"))
    for words in ("", " "):
        with pytest.raises(ListNeeded):
            settle_list(actor=ROOT, why=words)
    with pytest.raises(Invalid):
        settle_list(actor=ROOT, why="x" * 5000)
    settle_list(actor=ROOT, why="Nobody was ever erased.")
    settle_list(actor=ROOT, why="And again.")
    require_replayed()
    entry = Entry.objects.get(kind="erasures.listed")
    assert "Nobody" not in str(entry.data), "words are kept apart"
    assert next(iter(in_full([entry])))[1]["why"] == "Nobody was ever erased."


@pytest.mark.django_db(transaction=True)
def test_a_list_that_lacks_an_erasure_of_the_database_is_no_list() -> None:
    restored(lines=0, last="")
    Replayed.objects.create(erasure=(erasure := uuid4()))
    begin_list()
    with pytest.raises(ListNeeded):
        settle_list(actor=ROOT)
    append(erasure, "member-1")
    settle_list(actor=ROOT)
    require_replayed()
    (line,) = read_list()
    assert Entry.objects.get(kind="erasures.listed").data["last"] == line.mac
    # Somebody brings back a shorter list, such as that of another machine.
    Replayed.objects.all().delete()
    list_path().write_bytes(b"")
    assert "1 line fewer than after the last restore" in examine()["erasures"].text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("hours", "left"), [(3, 1), (0, 0)])
def test_an_old_line_erases_nobody_who_came_later_under_the_same_id(hours: int, left: int) -> None:
    at = timezone.now() - timedelta(hours=hours)
    restored()
    put_account(platform_id="member-1", profile=Profile())
    line = Line(uuid4(), f"{at:%Y-%m-%dT%H:00:00Z}", hash_of("member-1"), "")
    _extend(lambda known: [line])
    assert replay_erasures(actor=Actor.operator("root")) == 1
    assert Account.objects.count() == left
    assert replay_erasures(actor=Actor.operator("root")) == 0
