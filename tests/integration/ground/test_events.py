"""Events of a room, and the jobs of rooms above it that follow."""

import pytest
from django.db import transaction

from kinward.ground.events import EVENTS, Event, Unheard
from kinward.matching.services import HASHES_ADDED
from tests.support.helpers import due_jobs

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_event_is_heard() -> None:
    """Otherwise what should follow is lost, and the announcer fails."""
    assert len(EVENTS) >= 4
    assert [name for name, event in EVENTS.items() if not event.jobs] == []


def test_an_event_that_nobody_hears_is_an_error() -> None:
    event = Event("tests.unheard")
    try:
        with pytest.raises(Unheard, match=r"tests\.unheard"):
            event.announce()
    finally:
        del EVENTS["tests.unheard"]


def test_what_follows_exists_exactly_if_its_cause_does() -> None:
    with transaction.atomic():
        HASHES_ADDED.announce_once()
        transaction.set_rollback(True)
    assert due_jobs() == []
    HASHES_ADDED.announce_once()
    HASHES_ADDED.announce_once()
    assert due_jobs() == ["findings.match_held"], "once, although announced twice"
