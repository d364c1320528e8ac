"""Every authority says what it can take, and can be found."""

import pkgutil
from importlib.metadata import EntryPoint, distribution
from pathlib import Path
from typing import get_args

import pytest

from kinward.ground.config import Section
from kinward.reporting import authorities
from kinward.reporting.authorities.handover import HandOver
from kinward.reporting.authority import GROUP, Authority
from kinward.reporting.draft import Draft
from kinward.reporting.vocabulary import EVERY_INCIDENT, PlaceKind
from kinward.verdicts.incidents import WHERE_KINDS

OURS = [point for point in distribution("kinward").entry_points if point.group == GROUP]
MEMBERS = {name for name in vars(Authority) if not name.startswith("_")} | {
    *Authority.__annotations__
}


@pytest.fixture(params=OURS, ids=lambda point: point.name)
def point(request: pytest.FixtureRequest) -> EntryPoint:
    return request.param  # type: ignore[no-any-return]


def test_every_package_beside_the_others_is_an_entry_point() -> None:
    packages = [m.name for m in pkgutil.iter_modules(authorities.__path__) if m.ispkg]
    named = {point.value.split(":")[0].split(".")[3] for point in OURS}
    assert named == set(packages)


def test_every_hand_over_is_an_entry_point_by_its_code() -> None:
    kinds = {kind.code: kind for kind in HandOver.__subclasses__()}
    loaded = {point.name: point.load() for point in OURS}
    assert kinds
    assert kinds == {name: kind for name, kind in loaded.items() if issubclass(kind, HandOver)}


def test_it_has_all_that_an_authority_has(point: EntryPoint) -> None:
    kind = point.load()
    assert {name for name in MEMBERS if not hasattr(kind, name)} == set()
    assert issubclass(kind.settings, Section)


def test_it_has_a_word_for_what_clauses_report(point: EntryPoint) -> None:
    words = point.load().vocabulary
    assert words.incidents
    assert words.incidents <= EVERY_INCIDENT
    assert words.places <= set(get_args(PlaceKind))
    assert all(key and label for key, label in words.annotations.items())
    assert "" not in words.classes


def test_it_is_in_the_docs(point: EntryPoint) -> None:
    assert f"`{point.name}`" in Path("docs/how-to/report-to-authorities.md").read_text()


def test_every_kind_of_place_can_be_chosen_and_drafted() -> None:
    assert set(WHERE_KINDS) == set(get_args(PlaceKind))
    assert set(WHERE_KINDS) <= set(Draft.__struct_fields__)
