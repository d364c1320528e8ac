"""The contracts of `scripts/walls.py` find what they are for."""

import grimp
import pytest

from scripts.walls import circles, is_face, reached_past

ROOMS = ("kinward", "kinward.cases", "kinward.cases.api", "kinward.cases.rows", "kinward.web")


def graph_of(*imports: tuple[str, str]) -> grimp.ImportGraph:
    graph = grimp.ImportGraph()
    for module in {*ROOMS, *(module for pair in imports for module in pair)}:
        graph.add_module(module)
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    return graph


@pytest.mark.parametrize("module", ["kinward.cases", "kinward.cases.api", "kinward.ground.errors"])
def test_a_face_may_be_imported(module: str) -> None:
    assert is_face(module)
    assert list(reached_past(graph_of(("kinward.web", module)))) == []


@pytest.mark.parametrize("module", ["kinward.cases.rows", "kinward.cases.deep.api"])
def test_what_is_behind_a_face_may_not(module: str) -> None:
    graph = graph_of(("kinward.web", module), ("kinward.cases.api", module))
    assert list(reached_past(graph)) == [("kinward.web", module)]


def test_modules_that_import_each_other_are_found() -> None:
    one, two, three = (f"kinward.cases.{name}" for name in ("one", "two", "three"))
    assert circles(graph_of((one, two), (two, three))) == []
    assert [set(group) for group in circles(graph_of((one, two), (two, three), (three, one)))] == [
        {one, two, three}
    ]


def test_only_the_command_line_starts_a_practice_server() -> None:
    server = "kinward.cases.sandbox"
    graph = graph_of(("kinward.cli.sandbox", server), ("kinward.web", server))
    assert list(reached_past(graph)) == [("kinward.web", server)]
