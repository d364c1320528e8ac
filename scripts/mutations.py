"""One small change of a module at a time: what a slip of the hand, or of a refactoring, would do.

Only what runs is changed: no docstring, annotation, decorator or import, and no class body (a model
is held to its migrations). Positions are bytes, as `ast` counts them.
"""

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

FLIPPED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SWAPPED: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
SWAPPED_METHODS: Final = {"filter": "exclude", "exclude": "filter"}
# Of no consequence: a row's other fields are as they were read, and a stronger lock is a lock.
HARMLESS: Final = {"update_fields", "no_key"}
LOGGING: Final = {"log", "logger", "logging"}


@dataclass(frozen=True)
class Change:
    """One change: in which function, what it replaces and by what."""

    function: str  # "" for the module itself
    start: int
    end: int
    after: str
    line: int
    text: str  # the change in one line, as `tests/mutants.toml` names it

    def apply(self, source: str) -> str:
        """The module with this one change."""
        whole = source.encode()
        return (whole[: self.start] + self.after.encode() + whole[self.end :]).decode()

    def as_diff(self, source: str, path: str) -> str:
        """The change as a unified diff."""
        before, after = source.splitlines(True), self.apply(source).splitlines(True)
        return "".join(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", n=2))


def find_changes(source: str) -> list[Change]:
    """Every change of a module, in the order of its text."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    return sorted(finder.changes, key=lambda change: (change.start, change.end, change.after))


@dataclass
class _Finder(ast.NodeVisitor):
    source: str
    changes: list[Change] = field(default_factory=list)
    scope: list[str] = field(default_factory=list)
    in_function: bool = False

    def __post_init__(self) -> None:
        self.bytes = self.source.encode()
        self.starts = [0]
        for line in self.bytes.splitlines(True):
            self.starts.append(self.starts[-1] + len(line))

    # ---- positions

    def span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.starts[node.lineno - 1] + node.col_offset
        return start, self.starts[node.end_lineno - 1] + node.end_col_offset

    def add(self, start: int, end: int, after: str, text: str = "") -> None:
        line = self.bytes.count(b"\n", 0, start) + 1
        text = " ".join((text or f"{self.bytes[start:end].decode()} -> {after}").split())
        self.changes.append(Change(".".join(self.scope), start, end, after, line, text))

    def replace(self, node: ast.expr | ast.stmt, after: str | ast.expr) -> None:
        text = after if isinstance(after, str) else ast.unparse(after)
        self.add(*self.span(node), text)

    # ---- where to look

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if not self.in_function:
            self.scope.append(node.name)
        was, self.in_function = self.in_function, True
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(default)
        for statement in _without_docstring(node.body):
            self.visit(statement)
        self.in_function = was
        if not was:
            self.scope.pop()

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if self.in_function:
            return
        self.scope.append(node.name)
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.visit(statement)
        self.scope.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Import(self, node: ast.Import) -> None: ...

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None: ...

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None: ...

    # ---- what to change

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) == "TYPE_CHECKING":
            return
        self.replace(node.test, "False")
        if node.orelse:
            self.replace(node.test, "True")
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.replace(node.test, f"not ({ast.unparse(node.test)})")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self.replace(node, f"({ast.unparse(ast.BoolOp(other, node.values))})")
        for number in range(len(node.values)):
            rest = [value for place, value in enumerate(node.values) if place != number]
            kept = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            self.replace(node, f"({ast.unparse(kept)})")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for number, operator in enumerate(node.ops):
            flipped = [*node.ops[:number], FLIPPED[type(operator)](), *node.ops[number + 1 :]]
            self.replace(node, ast.Compare(node.left, flipped, node.comparators))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self.replace(node, f"bool({ast.unparse(node.operand)})")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Add | ast.Sub):
            other: ast.operator = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            self.replace(node, f"({ast.unparse(ast.BinOp(node.left, other, node.right))})")
        elif isinstance(node.op, ast.BitAnd | ast.BitOr) and isinstance(node.right, ast.expr):
            other = ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd()
            self.replace(node, f"({ast.unparse(ast.BinOp(node.left, other, node.right))})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self.replace(node, str(not node.value))
        elif isinstance(node.value, int | float):
            self.replace(node, repr(node.value + 1))

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None or isinstance(node.value, ast.Constant):
            pass
        elif isinstance(node.value, ast.Compare | ast.BoolOp):
            self.replace(node.value, f"not ({ast.unparse(node.value)})")
        else:
            self.replace(node.value, "None")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self.replace(node, "pass")

    def visit_Expr(self, node: ast.Expr) -> None:
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call) and not _is_logging(call):
            self.replace(node, "pass")
            self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.replace(test, "True")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        for number, keyword in enumerate(node.keywords):
            if keyword.arg is not None and keyword.arg not in HARMLESS:
                self.drop(node, number)
        if isinstance(node.func, ast.Name) and node.func.id in SWAPPED:
            self.replace(node.func, SWAPPED[node.func.id])
        if isinstance(node.func, ast.Attribute) and node.func.attr in SWAPPED_METHODS:
            _, end = self.span(node.func)
            after = SWAPPED_METHODS[node.func.attr]
            text = f"{ast.unparse(node.func)}(…) -> ….{after}(…)"
            self.add(end - len(node.func.attr), end, after, text)
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in HARMLESS:
            self.generic_visit(node)

    def drop(self, call: ast.Call, number: int) -> None:
        """Drop one keyword of a call, with the comma after it or before it."""
        start, end = self.span(call.keywords[number])
        name = self.bytes[start:end].decode()
        rest = self.bytes[end:]
        comma = rest[: len(rest) - len(rest.lstrip())] + b","
        if rest.startswith(comma):
            end += len(comma)
        else:
            before = self.bytes[:start].rstrip()
            start = len(before) - 1 if before.endswith(b",") else start
        self.add(start, end, "", f"{ast.unparse(call.func)}(… {name} …) -> without it")


def _without_docstring(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for number, statement in enumerate(body):
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if number or not is_text:
            yield statement


def _is_logging(call: ast.Call) -> bool:
    root = call.func
    while isinstance(root, ast.Attribute | ast.Call):
        root = root.value if isinstance(root, ast.Attribute) else root.func
    return isinstance(root, ast.Name) and root.id.strip("_") in LOGGING
