"""Each room that keeps data has a level on the page about data."""

import re
from pathlib import Path

PAGE = Path("docs/security/data.md")
ROOT = Path("src/kinward")
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| [1-4] \|$", re.MULTILINE)


def rooms_with_tables() -> set[str]:
    return {path.parts[2] for path in ROOT.glob("*/migrations/0001_*.py")} - {"demo"}


def test_each_room_that_keeps_data_has_a_level() -> None:
    assert sorted(ROW.findall(PAGE.read_text())) == sorted(rooms_with_tables())


def test_each_level_has_rules_that_a_test_shows() -> None:
    found = re.findall(
        r"^\| ([1-4]|1 to 3) \| [^|]+ \| (`[^|]+`) \|$", PAGE.read_text(), re.MULTILINE
    )
    assert {level for level, _ in found} == {"1", "2", "3", "4", "1 to 3"}
    for _, tests in found:
        for test in re.findall(r"`([^`]+)`", tests):
            assert Path(test).is_file(), test
