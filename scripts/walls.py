"""Contracts of import-linter: nobody reaches past a room's face, and no modules go in a circle.

A face is a room's `api.py`, or its `__init__.py` where the room is pure. In `ground` each module is
a face. A practice server (`sandbox.py`) is a program of its own: only the command line imports it.
"""

from collections.abc import Iterator
from typing import Final

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

ROOT: Final = "kinward"
OPEN: Final = ("ground", "project", "__main__")  # rooms in which each module may be imported
OWN_FACE: Final = ("sandbox",)
STARTERS: Final = ("cli",)  # the rooms that start such a program


def room_of(module: str) -> str:
    """The room that a module is in; empty for the root package itself."""
    return module.split(".")[1] if "." in module else ""


def is_face(module: str, importer: str = "") -> bool:
    """Whether other rooms may import this module. `importer`: the module that does."""
    names = module.split(".")
    if len(names) <= 2 or names[1] in OPEN:
        return True
    if names[-1] in OWN_FACE:
        return room_of(importer) in STARTERS
    return len(names) == 3 and names[2] == "api"


def reached_past(graph: ImportGraph) -> Iterator[tuple[str, str]]:
    """Each import, from and to, that goes past the face of another room."""
    ours = sorted(module for module in graph.modules if module.split(".")[0] == ROOT)
    for importer in ours:
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            if imported.split(".")[0] != ROOT or room_of(imported) == room_of(importer):
                continue
            if not is_face(imported, importer):
                yield importer, imported


def circles(graph: ImportGraph) -> list[list[str]]:
    """The groups of modules that import each other, directly or not (Tarjan's algorithm)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    groups: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        path.append(module)
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            if imported.split(".")[0] != ROOT:
                continue
            if imported not in order:
                visit(imported)
                low[module] = min(low[module], low[imported])
            elif imported in path:
                low[module] = min(low[module], order[imported])
        if low[module] == order[module]:
            group = path[path.index(module) :]
            del path[path.index(module) :]
            if len(group) > 1:
                groups.append(group)

    for module in sorted(graph.modules):
        if module.split(".")[0] == ROOT and module not in order:
            visit(module)
    return groups


class FacesContract(Contract):
    """A room is imported by its face."""

    type_name = "faces"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find every import that goes past a face."""
        past = list(reached_past(graph))
        return ContractCheck(kept=not past, metadata={"past": past})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name them."""
        for importer, imported in check.metadata["past"]:
            output.print_error(f"{importer} imports {imported}: use the face of that room.")


class CirclesContract(Contract):
    """No module imports itself by way of others."""

    type_name = "no_circles"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find every circle."""
        groups = circles(graph)
        return ContractCheck(kept=not groups, metadata={"groups": groups})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name the modules of each."""
        for group in check.metadata["groups"]:
            output.print_error("These import each other: " + ", ".join(sorted(group)))
