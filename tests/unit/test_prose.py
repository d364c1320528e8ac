"""What people read stays easy to read: short sentences, few semicolons, no calques."""

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest


def load() -> ModuleType:
    """Load `scripts/prose`, which has no suffix."""
    loader = SourceFileLoader("prose", "scripts/prose")
    spec = importlib.util.spec_from_loader("prose", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["prose"] = module  # dataclasses look their module up
    loader.exec_module(module)
    return module


prose = load()
HELD = [path for path in prose.pages() if str(path) not in prose.NOT_HELD]


@pytest.mark.parametrize("path", HELD, ids=str)
def test_a_page_is_within_the_bounds(path: Path) -> None:
    assert prose.faults(prose.page(path)) == []


def test_all_pages_together_have_few_semicolons() -> None:
    together = prose.Figures()
    for path in HELD:
        together.add(prose.page(path))
    assert len(together.sentences) > 500
    assert together.per_100 < prose.MAX_SEMICOLONS_PER_100


def test_the_pages_of_the_root_are_held() -> None:
    root = {path.name for path in Path().glob("*.md")}
    assert root == {path.name for path in HELD if len(path.parts) == 1}


def test_no_docstring_message_or_template_has_a_calque() -> None:
    assert list(prose.calques_in(Path("src/kinward"))) == []


def test_a_calque_is_found_in_a_docstring_a_message_and_a_template(tmp_path: Path) -> None:
    (tmp_path / "room.py").write_text('"""Write it down."""\nraise Fault("The store is away.")\n')
    (tmp_path / "page.html").write_text("<p>A person comes\n  along.</p>")
    found = [line.partition(": ")[2] for line in prose.calques_in(tmp_path)]
    assert sorted(found) == ["Write it down", "comes along", "is away"]


def test_what_is_not_held_is_a_page() -> None:
    assert [name for name in prose.NOT_HELD if not Path(name).exists()] == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("word " * 31 + "end.", "32 words"),
        ("One; two; three; four; five; six; seven.", "6 semicolons"),
        ("A short line of words.\n" * 7, "paragraph over 6 lines"),
        ("| a | " + "word " * 31 + "|", "31 words"),
        ("- item one\n- " + "word " * 31 + "end", "32 words"),
        ("The database is away.", "calque: is away"),
        ("Of what moves a frame is shown.", "calque: Of what"),
        ("Up to and with the 3rd.", "calque: Up to and with"),
        ("It was written\ndown by whoever came.", "calque: written down"),
    ],
)
def test_what_is_over_a_bound_is_named(text: str, fault: str) -> None:
    assert any(named.startswith(fault) for named in prose.faults(prose.count(text)))


def test_code_and_links_are_not_prose() -> None:
    text = "Run `a; b; c` now.\n\n```toml\n" + "x = 1; # is away " * 20 + "\n```\n"
    figures = prose.count(text + "\nSee [the page](a;b;c.md) for more. Then go home now.")
    assert (figures.semicolons, figures.calques) == (0, [])
    assert [prose.words(sentence) for sentence in figures.sentences] == [3, 5, 4]
