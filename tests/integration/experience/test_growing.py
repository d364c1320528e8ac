"""Thirty days ahead a person hears what a birthday will change, and it changes just that."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.enforcement import services
from kinward.enforcement.models import Action
from kinward.enforcement.tasks import grow_soon, grow_up
from kinward.experience.live import today
from kinward.experience.models import Layer, Setting
from kinward.experience.settings import make_setting
from kinward.families.models import Pairing
from kinward.ledger.api import Entry, verify_ledger
from kinward.people.models import Account, Standing
from kinward.people.services import Profile, delete_account, put_account
from kinward.policy.ages import AgeRange
from tests.support.families import make_account, pair, told_of

pytestmark = pytest.mark.django_db(transaction=True)


def born(lower: int, days: int, name: str = "ben") -> Account:
    """An account whose birthday is in so many days."""
    age = AgeRange(lower, lower + 1, "test", "verified", today() + timedelta(days=days))
    return put_account(platform_id=name, profile=Profile(age=age, language="de"))[0]


def notices(topic: str) -> list[dict[str, Any]]:
    said = [action.notice or {} for action in Action.objects.order_by("pk")]
    return [notice for notice in said if notice["topic"] == topic]


def whole_state() -> list[tuple[Any, ...]]:
    """Everything that a birthday writes to."""
    queries = (
        "SELECT id, age_lower, age_upper, age_changes_on, changed_at FROM people_account",
        "SELECT id, value, ended_at FROM experience_setting",
        "SELECT seq, kind FROM ledger_entry",
        "SELECT id FROM procrastinate_jobs",
    )
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(f"{query} ORDER BY 1")
            found += cursor.fetchall()
    return found


def test_what_is_said_ahead_is_what_the_day_brings() -> None:
    teen = born(17, 20)
    make_setting(
        account=teen,
        layer=Layer.GUARDIAN,
        capability="session.time",
        value=45,
        actor=Actor.system("test"),
    )
    grow_soon(0)
    grow_soon(0)
    (ahead,) = notices("growing_soon")
    assert ahead["day"] == (today() + timedelta(days=20)).isoformat()
    assert ahead["ended"] == ["session.time"]
    assert ahead["opened"]
    assert Setting.objects.get().ended_at is None
    Account.objects.filter(pk=teen.pk).update(age_changes_on=today())
    grow_up(0)
    (now,) = notices("growing_up")
    assert {name: now[name] for name in ("opened", "closed", "ended", "language")} == {
        name: ahead[name] for name in ("opened", "closed", "ended", "language")
    }
    assert Setting.objects.get().ended_why == "grown up"
    assert verify_ledger().ok


def test_the_rehearsal_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the notice and its entry are new, and the note that it was given."""
    teen = born(15, 30)
    monkeypatch.setattr(services, "notify_account", lambda **_given: None)
    before = whole_state()
    grow_soon(0)
    assert whole_state() == before
    teen.refresh_from_db()
    assert (teen.age_lower, teen.growth_told_for) == (15, today() + timedelta(days=30))


@pytest.mark.parametrize(
    ("lower", "days", "told"),
    [(15, 31, False), (15, 30, True), (15, 1, True), (15, 0, False), (14, 20, False)],
)
def test_who_is_told(lower: int, days: int, told: bool) -> None:
    """Nobody is told too early, on the day, or of a birthday that changes nothing."""
    born(lower, days)
    grow_soon(0)
    assert bool(notices("growing_soon")) == told


def test_a_corrected_birthday_is_told_again_and_nobody_gone_is_told() -> None:
    teen = born(15, 20)
    grow_soon(0)
    Account.objects.filter(pk=teen.pk).update(age_changes_on=today() + timedelta(days=10))
    grow_soon(0)
    days = [date.fromisoformat(each["day"]) for each in notices("growing_soon")]
    assert days == [today() + timedelta(days=20), today() + timedelta(days=10)]
    ended, deleted = born(15, 20, "ended"), born(15, 20, "deleted")
    Account.objects.filter(pk=ended.pk).update(standing=Standing.TERMINATED)
    delete_account(platform_id=deleted.platform_id, actor=Actor.key("app"))
    grow_soon(0)
    assert len(notices("growing_soon")) == 2


def test_guardians_hear_that_it_comes_and_not_when() -> None:
    mother, father, teen = make_account("ada", 40), make_account("bo", 41), born(15, 20)
    pair(mother, teen)
    paused = pair(father, teen)
    Pairing.objects.filter(pk=paused.pk).update(disputed_at=timezone.now())
    grow_soon(0)
    assert told_of(mother)[0] == "growing.theirs"
    assert "growing.theirs" not in told_of(father)
    said = Entry.objects.filter(kind="notice.made").latest("pk")
    assert said.data["topic"] == "growing.theirs"
