"""The verbs of the rooms: what they take, what they write, and which doors reach them."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final

import kinward
from scripts import roads

DOORS: Final = ("cli", "gate", "portal", "project", "web")
WRITE: Final = frozenset({"record", "carry_out_due"})  # the ledger, and what goes ahead by itself
Verb = Callable[..., Any]
_WHO: Final = re.compile(r"\b(Actor|Staff)\b")


def modules() -> Iterator[ModuleType]:
    """Every module of a room, without the doors and the demo."""
    for info in pkgutil.walk_packages(kinward.__path__, "kinward."):
        parts = info.name.split(".")
        if len(parts) > 2 and parts[1] not in (*DOORS, "demo") and "migrations" not in parts:
            yield importlib.import_module(info.name)


def verbs(module: ModuleType) -> Iterator[tuple[str, Verb]]:
    """Every public function of a module, and every public method of its public classes."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", "") != module.__name__:
            continue
        if isinstance(thing, FunctionType):
            yield name, thing
        elif inspect.isclass(thing):
            for method, bound in vars(thing).items():
                function = getattr(bound, "__func__", bound)
                ours = getattr(function, "__module__", "") == module.__name__
                if isinstance(function, FunctionType) and ours and not method.startswith("_"):
                    yield f"{name}.{method}", function


def who_of(verb: Verb) -> str | None:
    """The parameter that is an actor or a person of the staff, also where it is quoted."""
    for name, parameter in inspect.signature(verb).parameters.items():
        if parameter.annotation is not parameter.empty and _WHO.search(_text(parameter.annotation)):
            return name
    return None


def is_staff(verb: Verb, name: str) -> bool:
    """Whether this parameter is a person of the staff, and not an actor."""
    return "Staff" in _text(inspect.signature(verb).parameters[name].annotation)


def _text(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def writers(tree: ast.AST) -> set[str]:
    """The functions of a module that write a row or the ledger, also through its private ones."""
    named = {function.name: function for function in roads.functions(tree)}
    writing = {
        name
        for name, function in named.items()
        if any(roads.writes(function)) or _called(function) & WRITE
    }
    while more := {
        name
        for name, function in named.items()
        if name not in writing
        and any(called.startswith("_") for called in _called(function) & writing)
    }:
        writing |= more
    return writing


def _called(tree: ast.AST) -> set[str]:
    """What a function calls, or hands over to be called."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    handed = {ast.unparse(argument) for call in calls for argument in call.args}
    return handed | {ast.unparse(call.func) for call in calls}


def written_by_nobody() -> Iterator[str]:
    """Every verb that writes and takes no actor. `media` and practice servers have no rows."""
    for module in modules():
        if ".media." in module.__name__ or "sandbox" in module.__name__:
            continue
        writing = writers(ast.parse(inspect.getsource(module)))
        for name, verb in verbs(module):
            if name.rpartition(".")[2] in writing and who_of(verb) is None:
                yield f"{module.__name__}.{name}".removeprefix("kinward.")


def home(module: str, name: str) -> str:
    """The full name of what a module gives by a name, which a face only passes on."""
    thing = getattr(importlib.import_module(module), name, None)
    where = getattr(thing, "__module__", "")
    return f"{where}.{name}" if str(where).startswith("kinward.") else f"{module}.{name}"


def reached_from(door: str) -> set[str]:
    """Every name of another module that a module of a door mentions."""
    reached = set()
    for path in Path(kinward.__file__).parent.joinpath(door).rglob("*.py"):
        if "migrations" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        imported: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and _is_ours(node.module):
                for alias in node.names:
                    imported[alias.asname or alias.name] = home(str(node.module), alias.name)
        reached |= set(imported.values())
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                reached.add(f"{imported.get(node.value.id, node.value.id)}.{node.attr}")
    return {name.removeprefix("kinward.") for name in reached}


def _is_ours(module: str | None) -> bool:
    """Whether a module is Kinward's own, and not the demo's: that is another Django project."""
    return (module or "").startswith("kinward.") and not (module or "").startswith("kinward.demo")
