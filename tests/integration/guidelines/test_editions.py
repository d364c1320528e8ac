"""Editions of the guidelines: what a proposal must say, and which one goes ahead by itself."""

import pytest

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.ground.errors import Invalid
from kinward.guidelines.models import Edition
from kinward.guidelines.queries import guidelines_in_force
from kinward.guidelines.reading import shipped
from kinward.guidelines.services import (
    MAX_WHY,
    VersionTaken,
    decide_edition,
    go_ahead_alone,
    propose_edition,
)
from kinward.ledger.models import Entry
from tests.support.editions import with_version

pytestmark = pytest.mark.django_db
HERON = Actor.operator("heron")


def lead(name: str) -> Staff:
    return Staff.objects.create_user(
        username=name, password="a long test word", roles=["policy lead"]
    )


def propose(version: str, staff: Staff | Actor, why: str = "A test.") -> Edition:
    text = with_version(shipped(), version)
    return propose_edition(text=text, why=why, staff=staff)


def test_a_proposal_says_why_in_no_more_than_2000_characters() -> None:
    kai = lead("kai")
    for why in ("", " \n", "x" * 2001):
        with pytest.raises(Invalid, match="at most 2000 characters"):
            propose("first", kai, why)
    assert not Edition.objects.exists()
    assert MAX_WHY == 2000
    assert propose("first", kai, "x" * 2000).why == "x" * 2000
    assert propose("second", kai, " So. ").why == "So."


def test_a_version_is_one_document() -> None:
    """Also one that nobody has approved, or that somebody refused."""
    kai, sasha = lead("kai"), lead("sasha")
    edition = propose("other", kai)
    with pytest.raises(VersionTaken, match="other"):
        propose("other", sasha)
    decide_edition(edition_id=edition.pk, approve=False, staff=sasha)
    with pytest.raises(VersionTaken):
        propose("other", kai)
    with pytest.raises(VersionTaken):  # what the installation began with is no edition
        propose_edition(text=shipped(), why="A test.", staff=kai)
    assert Edition.objects.count() == 1


def test_of_two_that_wait_the_first_goes_ahead_and_the_other_waits_for_a_person() -> None:
    Staff.objects.create_user(username="robin", password="a long test word", roles=["reviewer"])
    first, second = propose("first", HERON), propose("second", HERON)
    assert first.goes_ahead_at is not None
    assert go_ahead_alone() == 0, "nobody has had the time to object"
    Edition.objects.filter(pk=first.pk).update(goes_ahead_at=first.asked_at)
    Edition.objects.filter(pk=second.pk).update(goes_ahead_at=second.asked_at)
    assert go_ahead_alone() == 1
    assert guidelines_in_force().version == "first"
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.went_ahead_at is not None) == ("approved", True)
    assert (second.state, second.goes_ahead_at, second.went_ahead_at) == ("asked", None, None)
    assert Entry.objects.filter(kind="guidelines.went_ahead").count() == 1
    assert go_ahead_alone() == 0
