"""No line of a log carries what the page about logs says is never logged."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("src/kinward")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
NEVER = {
    *("authorization", "body", "content", "cookie", "cookies", "header", "headers", "note"),
    *("passcode", "password", "query", "secret", "text", "token", "url"),
}


def fields(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each field of each line of a log."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        of = call.func.value
        if call.func.attr in LEVELS and isinstance(of, ast.Name) and of.id == "log":
            for field in call.keywords:
                yield call.lineno, field.arg or "**"


def test_no_line_has_a_field_that_may_hold_a_secret() -> None:
    wrong = [
        f"{path}:{line} {name}"
        for path in sorted(ROOT.rglob("*.py"))
        for line, name in fields(path.read_text())
        if name in NEVER
    ]
    assert wrong == []


def test_lines_are_found_and_judged() -> None:
    assert list(fields('log.info("x", who=1, token=2)\nother.info(token=1)')) == [
        (1, "who"),
        (1, "token"),
    ]
    assert sum(len(list(fields(path.read_text()))) for path in ROOT.rglob("*.py")) > 40
