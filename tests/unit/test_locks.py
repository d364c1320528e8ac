"""Locks are types: what needs an account's lock takes `LockedAccount`, and mypy holds the order."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src" / "kinward"
MAKER = SOURCES / "people" / "locks.py"
IN_WORDS = re.compile(
    r"\b(account|teen|guardian)('s account)?( is| are)? locked\b"
    r"|\b(has|have) locked (the|their|its) (account|teen|guardian)\b"
    r"|\b(requires|needs|holds?) the (account|teen|guardian)'s (row )?lock\b",
    re.IGNORECASE,
)
MADE_ELSEWHERE = re.compile(
    r"\bLockedAccount\(|\bcast\([\"']?LockedAccount"
    r"|\bAccount\.objects\s*\.select_for_update"
)


def sources() -> Iterator[Path]:
    """The modules of every room, without migrations."""
    return (path for path in sorted(SOURCES.rglob("*.py")) if "migrations" not in path.parts)


def docstrings(source: str) -> Iterator[str]:
    """Every docstring of a module, on one line each."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds):
            yield " ".join((ast.get_docstring(node) or "").split())


def test_no_docstring_asks_for_the_lock_of_an_account() -> None:
    in_words = [
        f"{path.relative_to(SOURCES)}: {text}"
        for path in sources()
        for text in docstrings(path.read_text())
        if IN_WORDS.search(text)
    ]
    assert in_words == [], "take LockedAccount instead"


def test_a_locked_account_is_made_in_one_place() -> None:
    elsewhere = [
        str(path.relative_to(SOURCES))
        for path in sources()
        if path != MAKER and MADE_ELSEWHERE.search(path.read_text())
    ]
    assert elsewhere == []
    assert MADE_ELSEWHERE.search(MAKER.read_text())


@pytest.mark.parametrize(
    "text",
    [
        "End a grant. The teen is locked.",
        "Settle a choice. Teen locked.",
        "Impose a sanction. The caller has locked the account.",
        "The live pairing, the teen's account locked.",
        "Lift a sanction. Requires the account's lock.",
    ],
)
def test_the_old_prose_is_recognised(text: str) -> None:
    assert IN_WORDS.search(text)
