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
