"""The page about threats says what each person can and cannot do, and which test says so."""

import re
from pathlib import Path

import pytest

PAGE = Path("docs/security/threats.md")
PEOPLE = (
    *("Stranger", "Uploader", "Member", "Guardian", "Reviewer", "Custodian", "Administrator"),
    *("Operator", "Database administrator", "Platform insider", "Partner"),
)
ROW = re.compile(r"\| (can|cannot) \| (.+) \| (.+) \|")
NO_TEST = "no test"


def rows(person: str) -> list[tuple[str, ...]]:
    """Return the rows of a person: can or cannot, what, and the tests."""
    _, _, after = PAGE.read_text().partition(f"\n## {person}\n")
    section = after.partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| can")]
    found = [ROW.fullmatch(line) for line in lines]
    assert all(found), lines
    return [row.groups() for row in found if row]


@pytest.mark.parametrize("person", PEOPLE)
def test_each_person_can_something_and_cannot_something(person: str) -> None:
    assert {kind for kind, _, _ in rows(person)} == {"can", "cannot"}


@pytest.mark.parametrize("person", PEOPLE)
def test_each_row_names_a_test_or_says_that_there_is_none(person: str) -> None:
    for _, what, tests in rows(person):
        named = re.findall(r"`(?:[a-z_]+/)*test_\w+\.py`", tests)
        assert bool(named) != (tests == NO_TEST), what


def test_the_short_form_has_the_same_people() -> None:
    text = Path("SECURITY.md").read_text().partition("## Who can do what")[2]
    assert re.findall(r"^\| ([a-z ]+) \| [A-Z]", text, re.MULTILINE) == [
        person.lower() for person in PEOPLE
    ]
