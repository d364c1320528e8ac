"""The page about fields names for each a test, and only scopes that there are."""

import re
from pathlib import Path

from kinward.access.purposes import SCOPES

PAGE = Path("docs/security/fields.md")
SCOPE = re.compile(r"`([a-z]+:[a-z-]+)`")


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] not in ("field", "---")]


def test_each_field_says_who_reads_and_who_writes_it_and_names_its_test() -> None:
    assert len(rows()) > 20
    for field, reads, writes, test in rows():
        assert reads, field
        assert writes, field
        assert Path(test.strip("`")).is_file(), field


def test_the_scopes_are_those_that_there_are() -> None:
    assert set(SCOPE.findall(PAGE.read_text())) <= SCOPES
