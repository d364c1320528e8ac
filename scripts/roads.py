"""Roads that no graph of imports shows: writes of a door, modules named by strings, clocks.

Each function reads the syntax tree of one module. `tests/unit/test_roads.py` runs them over the
package, and says which finding may stay and why.
"""

import ast
import re
from collections.abc import Container, Iterator
from typing import Final

from scripts.walls import is_face, room_of

CREATES: Final = frozenset(
    {"create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
)
READS: Final = re.compile(r"\s*(select|show)\b", re.IGNORECASE)
PATH: Final = re.compile(r"(kinward(?:\.\w+)+)(?::\w+)?")
BY_NAME: Final = frozenset(
    {"import_module", "import_string", "__import__", "find_spec", "resolve_name", "run_module"}
)
CLOCKS: Final = frozenset({"now", "today", "utcnow", "localtime", "gmtime", "perf_counter"})
STORES: Final = frozenset({"django", "psycopg", "procrastinate", "sqlite3", "dbm", "shelve"})
ROW_IDS: Final = ("IntegerField", "BigIntegerField", "PositiveBigIntegerField", "UUIDField")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method, also the nested ones."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def writes(tree: ast.AST) -> Iterator[ast.Call]:
    """Every call that writes a row, or that may."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _writes(node):
            yield node


def _writes(call: ast.Call) -> bool:
    assert isinstance(call.func, ast.Attribute)
    name = call.func.attr
    name = name[1:] if name[1:] in CREATES | {"save", "delete", "update"} else name
    of_rows = ".objects" in ast.unparse(call.func.value)
    if name in CREATES or (name == "save" and not _is_file(call)):
        return True
    if name == "delete":
        return of_rows or not (call.args or call.keywords)
    if name == "update":  # of a dictionary or a bar of progress, it has a positional argument
        return of_rows or (bool(call.keywords) and not call.args)
    if name in ("execute", "executemany"):
        return not (call.args and _is_read(call.args[0]))
    return name == "copy" and bool(call.args)  # PostgreSQL's; that of a dictionary takes nothing


def _is_file(call: ast.Call) -> bool:
    """Whether this writes a picture or a file: it says where to."""
    return bool(call.args)


def _is_read(statement: ast.expr) -> bool:
    return isinstance(statement, ast.Constant) and bool(READS.match(str(statement.value)))


def names_of_modules(tree: ast.AST, importer: str) -> Iterator[str]:
    """Every module past a face of another room that a string of this module names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            named = PATH.fullmatch(node.value)
            if named and _is_past(named[1], importer):
                yield node.value


def models_by_name(tree: ast.AST) -> Iterator[str]:
    """Every model that is asked of Django's registry by its name, whoever's it is."""
    for call in _calls(tree, {"get_model", "get_app_config"}):
        yield ast.unparse(call)


def computed_imports(tree: ast.AST) -> Iterator[str]:
    """Every import by a name that is not written there, so that nobody can say what it reaches."""
    for call in _calls(tree, BY_NAME):
        name = call.args[0] if call.args else None
        if not (isinstance(name, ast.Constant) or _is_own(name)):
            yield ast.unparse(call)


def _is_own(name: ast.expr | None) -> bool:
    """Whether a name is `f"{__name__}.…"`: something of this module's own package."""
    first = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else None
    return isinstance(first, ast.FormattedValue) and ast.unparse(first.value) == "__name__"


def chains(tree: ast.AST, importer: str, modules: Container[str]) -> Iterator[str]:
    """Every module past a face that is reached through the attributes of what was imported."""
    known = _bound(tree, modules)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        first, *rest = ast.unparse(node).split(".")
        path = known.get(first, "")
        for name in rest if path else ():
            path = f"{path}.{name}"
            if path in modules and _is_past(path, importer):
                yield path


def _bound(tree: ast.AST, modules: Container[str]) -> dict[str, str]:
    """The names that stand for modules of ours, and which."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.split(".")[0]
                names[alias.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (path := f"{node.module}.{alias.name}") in modules:
                    names[alias.asname or alias.name] = path
    return {name: path for name, path in names.items() if path.split(".")[0] == "kinward"}


def impurities(tree: ast.AST) -> Iterator[str]:
    """Every clock that is read, and every import of something that stores.

    `time.monotonic` and the other functions of `time` are named one by one.
    """
    clocks = set(_named(tree, "time"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_store(alias.name))
        elif isinstance(node, ast.ImportFrom) and (
            _is_store(node.module or "") or node.module == "time"
        ):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for call in _calls(tree, CLOCKS):
        if ast.unparse(call.func).split(".")[0] not in clocks:
            yield ast.unparse(call.func)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in clocks:
            yield f"time.{node.attr}"
    for call in _calls(tree, BY_NAME):
        name = call.args[0] if call.args else None
        if isinstance(name, ast.Constant) and _is_store(str(name.value)):
            yield str(name.value)


def _named(tree: ast.AST, module: str) -> Iterator[str]:
    """The names by which a module is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.asname or alias.name for alias in node.names if alias.name == module)


def _is_store(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in STORES


def bare_ids(tree: ast.AST) -> Iterator[str]:
    """Every column that holds the id of a row and that the database cannot check."""
    for model, name, field in _fields(tree):
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in field.keywords}
        own = "primary_key" in given or (name[-3:] != "_id" and "uuid4" in given.get("default", ""))
        kind = ast.unparse(field.func).split(".")[-1]
        names_a_row = name.endswith("_id") or (kind == "UUIDField" and name != "id")
        if kind in ROW_IDS and names_a_row and not own:
            yield f"{model}.{name}"


def second_people(tree: ast.AST) -> Iterator[str]:
    """Every model that has two people of its own, instead of those of `TwoPeople`.

    A model that derives from it may name further people, and compare them. A column `staff` says
    whom a row is about, and not who did what.
    """
    derived = {node for model in ast.walk(tree) if _is_agreed(model) for node in ast.walk(model)}
    people: dict[str, list[str]] = {}
    for model, name, field in _fields(tree):
        of_staff = ast.unparse(field.func).endswith("ForeignKey") and _is_staff(field)
        if of_staff and name != "staff" and field not in derived:
            people.setdefault(model, []).append(name)
    yield from (model for model, names in people.items() if len(names) > 1)
    for node in ast.walk(tree):  # or a constraint that compares two people
        if node in derived:
            continue
        if isinstance(node, ast.keyword) and (node.arg or "").endswith("_by"):
            compared = ast.unparse(node.value)
            if re.match(r"(models\.)?F\(", compared):
                yield f"{node.arg}={compared}"


def _is_agreed(model: ast.AST) -> bool:
    """Whether a model derives from `TwoPeople` or from what derives from it."""
    bases = [ast.unparse(base) for base in model.bases] if isinstance(model, ast.ClassDef) else []
    return any(base.split(".")[-1].startswith("TwoPeople") for base in bases)


def _is_staff(field: ast.Call) -> bool:
    target = ast.unparse(field.args[0]) if field.args else ""
    return target.strip("'\"").split(".")[-1] in ("Staff", "AUTH_USER_MODEL")


def _fields(tree: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    for model in ast.walk(tree):
        if isinstance(model, ast.ClassDef):
            for line in model.body:
                value = line.value if isinstance(line, ast.Assign | ast.AnnAssign) else None
                target = line.targets[0] if isinstance(line, ast.Assign) else None
                target = line.target if isinstance(line, ast.AnnAssign) else target
                if isinstance(value, ast.Call) and isinstance(target, ast.Name):
                    yield model.name, target.id, value


def _calls(tree: ast.AST, names: Container[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in names:
            yield node


def _is_past(module: str, importer: str) -> bool:
    return room_of(module) != room_of(importer) and not is_face(module)
