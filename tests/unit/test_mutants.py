"""`make mutants`: each change is one change, and its map is of files and changes that are there."""

import ast
from pathlib import Path

import pytest

from scripts.mutants import PACKAGE, identify, list_accepted, list_mutants, read_map
from scripts.mutations import find_changes

SAMPLE = '''
"""A docstring with 1 number."""

LIMIT: Final = 3


class Row(Model):
    size = Field(max_length=5)

    def older(self, now: "int" = 1) -> bool:
        """Whether 2 is."""
        return self.age > now


def guard(rows, actor=None):
    if actor is None and rows.filter(actor=actor, ended=None).exists():
        raise Refused
    record(
        actor=actor,
        kind="a",
    )
    row.save(update_fields=["size"])
    row.lock(no_key=True)
    return [row for row in rows if not row.é]
'''
EXPECTED = {
    ("", "3 -> 4"),
    ("Row.older", "1 -> 2"),
    ("Row.older", "self.age > now -> self.age >= now"),
    ("Row.older", "self.age > now -> not (self.age > now)"),
    ("guard", "actor is None and rows.filter(actor=actor, ended=None).exists() -> False"),
    (
        "guard",
        "actor is None and rows.filter(actor=actor, ended=None).exists()"
        " -> (actor is None or rows.filter(actor=actor, ended=None).exists())",
    ),
    (
        "guard",
        "actor is None and rows.filter(actor=actor, ended=None).exists() -> (actor is None)",
    ),
    (
        "guard",
        "actor is None and rows.filter(actor=actor, ended=None).exists()"
        " -> (rows.filter(actor=actor, ended=None).exists())",
    ),
    ("guard", "actor is None -> actor is not None"),
    ("guard", "rows.filter(… actor=actor …) -> without it"),
    ("guard", "rows.filter(… ended=None …) -> without it"),
    ("guard", "rows.filter(…) -> ….exclude(…)"),
    ("guard", "raise Refused -> pass"),
    ("guard", 'record( actor=actor, kind="a", ) -> pass'),
    ("guard", "record(… actor=actor …) -> without it"),
    ("guard", 'record(… kind="a" …) -> without it'),
    ("guard", 'row.save(update_fields=["size"]) -> pass'),
    ("guard", "row.lock(no_key=True) -> pass"),
    ("guard", "[row for row in rows if not row.é] -> None"),
    ("guard", "not row.é -> True"),
    ("guard", "not row.é -> bool(row.é)"),
}


def test_the_changes_of_a_module_are_these() -> None:
    changes = find_changes(SAMPLE)
    assert {(change.function, change.text) for change in changes} == EXPECTED
    assert len(changes) == len(EXPECTED)


def test_a_change_is_applied_and_shown_alone() -> None:
    (change,) = [change for change in find_changes(SAMPLE) if "ended=None …" in change.text]
    assert change.apply(SAMPLE) == SAMPLE.replace("actor=actor, ended=None", "actor=actor")
    diff = change.as_diff(SAMPLE, "sample.py").splitlines()
    assert [line for line in diff if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        "-    if actor is None and rows.filter(actor=actor, ended=None).exists():",
        "+    if actor is None and rows.filter(actor=actor).exists():",
    ]


@pytest.mark.parametrize("room", read_map()["rooms"], ids=lambda room: room["modules"][0])
def test_changes_of_every_room_are_other_programs(room: dict[str, list[str]]) -> None:
    for pattern in room["modules"]:
        for path in PACKAGE.glob(pattern):
            source = path.read_text()
            tree = ast.dump(ast.parse(source))
            for change in find_changes(source)[::40]:
                assert ast.dump(ast.parse(change.apply(source))) != tree, change.text


def test_every_accepted_change_can_still_be_made_and_has_a_reason() -> None:
    assert list_accepted() <= {identify(mutant) for mutant in list_mutants()}
    assert all(row["reason"].strip() for row in read_map()["accepted"])


def test_every_pattern_of_the_map_names_files() -> None:
    for room in read_map()["rooms"]:
        for pattern in room["modules"]:
            assert list(PACKAGE.glob(pattern)), pattern
        for pattern in room["tests"]:
            assert list(Path().glob(pattern)), pattern
