"""Every word that a stored document was ever allowed to have is still read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
import pytest

from kinward.guidelines.formats import decode
from kinward.guidelines.rules import Guidelines
from kinward.reporting.draft import Draft, from_json

STORED: Final = Path("tests/support/stored")
# By the field that takes them. Add a word here in the commit that begins it; remove none.
WORDS: Final[dict[str, list[str]]] = json.loads((STORED / "words.json").read_text())
GUIDELINES: Final = (STORED / "guidelines/1.toml").read_text()
DRAFT: Final = json.loads((STORED / "drafts/1.json").read_text())


def structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """A struct, and all that its fields hold."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        for field in msgspec.structs.fields(kind):
            yield from structs(field.type)
    for part in get_args(kind):
        yield from structs(part)


def words(kind: Any) -> Iterator[str]:
    if get_origin(kind) is Literal:
        yield from (word for word in get_args(kind) if isinstance(word, str))
        return
    for part in get_args(kind):
        yield from words(part)


def test_no_word_of_a_stored_document_is_lost_or_unlisted() -> None:
    read = {
        f"{struct.__name__}.{field.name}": sorted(words(field.type))
        for root in (Guidelines, Draft)
        for struct in structs(root)
        for field in msgspec.structs.fields(struct)
    }
    taken = {field: known for field, known in read.items() if known}
    assert taken == {field: sorted(known) for field, known in WORDS.items()}


@pytest.mark.parametrize("word", WORDS["Clause.report"])
def test_a_stored_clause_with_each_incident_is_decoded(word: str) -> None:
    edition = decode(GUIDELINES.replace('report = "imagery"', f'report = "{word}"'))
    assert edition.clauses["CS-1"].report == word


@pytest.mark.parametrize("word", WORDS["Draft.incident"])
def test_a_stored_draft_of_each_incident_is_decoded(word: str) -> None:
    assert from_json(DRAFT | {"incident": word}).incident == word
