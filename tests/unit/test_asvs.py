"""The page about OWASP's ASVS has each requirement once, with a state and what shows it."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

PAGE = Path("docs/security/asvs.md")
LIST = Path("tests/support/asvs_5_0.csv")  # each number of level 1 or 2, with its level
STATES = ("met", "not applicable", "open")
ROW = re.compile(r"\| (\d+\.\d+\.\d+) \| (.*) \| (.*) \| (.*) \| (.*) \|")
COUNT = re.compile(r"\| (\d+)\. .* \| (\d+) \| (\d+) \| (\d+) \|")


class Row(msgspec.Struct):
    """One requirement, as the page has it."""

    number: str
    level: str
    what: str
    state: str
    why: str

    @property
    def chapter(self) -> str:
        return self.number.partition(".")[0]


def required() -> dict[str, str]:
    """Return the level of each number."""
    with LIST.open() as file:
        return {row["number"]: row["level"] for row in csv.DictReader(file)}


def read(text: str) -> list[Row]:
    return [Row(*found.groups()) for found in map(ROW.fullmatch, text.splitlines()) if found]


def problems(rows: list[Row]) -> Iterator[str]:
    """Yield what is wrong with the rows of a page."""
    levels, times = required(), Counter(row.number for row in rows)
    for number in sorted(levels.keys() | times.keys()):
        if times[number] != (number in levels):
            yield f"{number} is there {times[number]} times"
    for row in rows:
        if row.level != levels.get(row.number, row.level):
            yield f"{row.number} is of level {levels[row.number]}"
        if row.state not in STATES:
            yield f"{row.number} has the state {row.state!r}"
        if len(row.what.split()) < 2 or (row.state != "met" and len(row.why.split()) < 3):
            yield f"{row.number} needs words"
        if row.state == "met":
            yield from _not_there(row)


def _not_there(row: Row) -> Iterator[str]:
    files = [name for name in re.findall(r"`([^`]+)`", row.why) if "." in name]
    if not files:
        yield f"{row.number} names no file"
    for name in files:
        if not Path(name).is_file():
            yield f"{row.number} names {name}, which is not there"


def test_the_list_is_that_of_the_standard() -> None:
    assert Counter(required().values()) == {"1": 70, "2": 183}
    assert {number.partition(".")[0] for number in required()} == set(map(str, range(1, 18)))


def test_each_requirement_is_there_once_and_says_what_shows_it() -> None:
    assert list(problems(read(PAGE.read_text()))) == []


def test_the_counts_of_the_chapters_are_right() -> None:
    text = PAGE.read_text()
    counted = Counter((row.chapter, row.state) for row in read(text))
    said = {found[1]: found.groups()[1:] for found in COUNT.finditer(text)}
    assert said == {
        chapter: tuple(str(counted[chapter, state]) for state in STATES)
        for chapter in dict.fromkeys(row.chapter for row in read(text))
    }
    sums = " | ".join(str(sum(counted[each] for each in counted if each[1] == s)) for s in STATES)
    assert f"| all | {sums} |" in text


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("| 1.2.6 |", "| 1.2.5 |", "1.2.6 is there 0 times"),
        ("| 1.2.6 | 2 |", "| 1.2.6 | 1 |", "1.2.6 is of level 2"),
        ("| 1.2.6 |", "| 1.2.10 |", "1.2.10 is there 1 times"),
        ("| not applicable | Kinward speaks no LDAP |", "| fine | none |", "1.2.6 has the state"),
        ("Kinward speaks no LDAP", "no", "1.2.6 needs words"),
        ("`src/kinward/matching/sql.py`", "`src/kinward/matching/ldap.py`", "1.2.4 names src/"),
        ("| not applicable | Kinward speaks", "| met | Kinward speaks", "1.2.6 names no file"),
    ],
)
def test_what_is_wrong_on_the_page_is_seen(before: str, after: str, problem: str) -> None:
    text = PAGE.read_text()
    assert before in text
    found = list(problems(read(text.replace(before, after, 1))))
    assert any(each.startswith(problem) for each in found), found
