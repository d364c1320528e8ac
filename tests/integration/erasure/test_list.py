"""The list of erasures only grows, and a process killed while it writes breaks nothing."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.cli.doctor import examine
from kinward.erasure.errors import ListBroken
from kinward.erasure.list import Line, _extend, append, hash_of, keep_list, list_path, read_list
from kinward.erasure.models import Replayed
from kinward.erasure.replay import replay_erasures
from kinward.ledger.api import kinds, record
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from tests.integration.conftest import Configure


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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("hours", "left"), [(3, 1), (0, 0)])
def test_an_old_line_erases_nobody_who_came_later_under_the_same_id(hours: int, left: int) -> None:
    at = timezone.now() - timedelta(hours=hours)
    with transaction.atomic():
        fact = kinds.BackupRestored(origin="o", size=1, root="")
        record(actor=Actor.operator("root"), subject="backup:x", fact=fact)
    put_account(platform_id="member-1", profile=Profile())
    line = Line(uuid4(), f"{at:%Y-%m-%dT%H:00:00Z}", hash_of("member-1"), "")
    _extend(lambda known: [line])
    assert replay_erasures(actor=Actor.operator("root")) == 1
    assert Account.objects.count() == left
    assert replay_erasures(actor=Actor.operator("root")) == 0
