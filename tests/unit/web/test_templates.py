"""Templates can be read: no line is long, a page extends its base, and a panel is a partial."""

import re
from pathlib import Path

import pytest

SOURCE = Path("src/kinward")
TEMPLATES = sorted(SOURCE.rglob("templates/**/*.html"))
MAX_LINE = 120
MAX_LINES = 150


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(SOURCE)) for path in paths]


def test_every_room_with_pages_is_looked_at() -> None:
    assert {path.relative_to(SOURCE).parts[0] for path in TEMPLATES} == {"demo", "portal", "web"}


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_no_line_and_no_file_is_long(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > MAX_LINE] == []
    assert len(lines) <= MAX_LINES, "make a partial of each panel"


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_a_page_extends_and_a_partial_does_not(path: Path) -> None:
    text = path.read_text()
    extends = text.startswith("{% extends ")
    if path.name.startswith("_"):
        assert not extends
        assert "{% block " not in text
    elif re.search(r"<h1|<html|{% block ", text):
        assert extends or text.count("<html") == 1, "a page extends a base"


def test_every_partial_is_used() -> None:
    texts = "".join(path.read_text() for path in TEMPLATES)
    partials = [path for path in TEMPLATES if path.name.startswith("_")]
    assert partials
    for path in partials:
        name = str(path).split("templates/")[1]
        assert f'{{% include "{name}"' in texts, name
