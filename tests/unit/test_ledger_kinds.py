"""No kind of entry has a free text: what people type is kept apart, and can be erased."""

from collections.abc import Iterable
from typing import Any, get_args, get_type_hints

import pytest
from msgspec import UNSET, UnsetType

from kinward.ledger import kinds
from kinward.ledger.kinds.fact import Fact, Words, words_of_kind

# What a text in an entry may be, by the name of its field. Whoever adds a name has to say what it
# is, and what a person types is `Words`.
SAYS = {
    "the id or the name of a row": (
        "account adult appeal bank base before back_to case content finding guardian guidelines"
        " hash held_by invited_by owner pack proposal request rule statement target teen verdict"
        " added removed about pairing to"
    ),
    "a number that somebody else gave": "external_id numbers question",
    "a word of Kinward's own": (
        "api assurance assurance_was authority basis capability clause closed confidence ended"
        " explained factor fields how layer measure method of_kind opened outcome over purposes"
        " reason reasons role sanction scopes sent_assurance sent_source shown side source"
        " source_was stage state type was way what why proof verb topic"
    ),
    "a place, a time zone or an address of a service": "address issuer origin place zone",
    "a moment": (
        "at due expires goes_ahead_at not_before previous_until silent_until since until"
        " checked_on expires_at"
    ),
    "a digest or a public key": (
        "after digest last mac recipients root said sealed_sha256 secret sha256"
    ),
}
ALLOWED = {name for names in SAYS.values() for name in names.split()}


def texts(facts: Iterable[type[Fact]] = kinds.KINDS.values()) -> set[tuple[str, str]]:
    """Every field that holds a text, by its kind and its name."""
    return {
        (fact.kind, name)
        for fact in facts
        for name, hint in get_type_hints(fact).items()
        if name != "kind" and holds_text(hint) and name not in words_of_kind(fact)
    }


def holds_text(hint: Any) -> bool:
    return hint is str or any(map(holds_text, get_args(hint)))


def test_no_kind_has_a_free_text() -> None:
    unknown = {f"{kind}: {name}" for kind, name in texts() if name not in ALLOWED}
    assert not unknown, "make it `Words`, or say here what it is"
    assert {name for _, name in texts()} == ALLOWED, "and nothing is listed that is gone"


def test_a_kind_with_a_free_text_would_be_found() -> None:
    class Planted(Fact, frozen=True):
        kind = "test.planted"
        case: str
        remark: str
        more: list[str] | UnsetType = UNSET
        apart: Words = ""

    assert texts([Planted]) == {("test.planted", name) for name in ("case", "remark", "more")}, (
        "and `Words` are none"
    )
    assert {name for _, name in texts([Planted])} - ALLOWED == {"remark", "more"}


def test_anything_is_said_only_of_a_value_of_the_pack() -> None:
    found = {
        name
        for fact in kinds.KINDS.values()
        for name, hint in get_type_hints(fact).items()
        if hint is Any
    }
    assert found == {"value"}


@pytest.mark.parametrize(
    "name", ["note", "to", "how", "found", "provenance", "user_name", "reference"]
)
def test_what_people_type_is_kept_apart(name: str) -> None:
    assert any(name in words_of_kind(fact) for fact in kinds.KINDS.values())
