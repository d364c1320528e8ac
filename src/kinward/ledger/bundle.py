"""Makes one file of the modules that verify an export. It needs Python and `cryptography`.

The file goes with each export. Nobody has to install Kinward, or to trust it, to run or read it.
"""

import ast
from pathlib import Path
from typing import Final

PACKAGE: Final = "kinward.ledger"
# In the order in which they need each other.
MODULES: Final = (
    "merkle",
    "notes",
    "checkpoints",
    "tiles",
    "succession",
    "witness_policy",
    "proofs",
    "export_files",
    "rotations",
    "stamped",
    "walk",
    "offline",
    "verifier",
)
HEADER: Final = '''\
"""Verify an export of a Kinward ledger, without Kinward. Needs Python 3.11 and `cryptography`.

    python verify.py EXPORT --policy FILE [--receipt FILE ...]

The policy and the receipts are yours: do not take them from whom you verify. This file was made
from the modules {modules}.
"""

'''
FOOTER: Final = """
if __name__ == "__main__":
    sys.exit(main())
"""


def verifier_text() -> str:
    """Return the file: the imports of all modules first, then each module without its own."""
    imports: dict[str, None] = {}
    bodies = []
    for name in MODULES:
        source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
        bodies.append(_without_imports(name, source, imports))
    head = HEADER.format(modules=", ".join(MODULES))
    return head + "".join(f"{line}\n" for line in sorted(imports)) + "".join(bodies) + FOOTER


def _without_imports(name: str, source: str, imports: dict[str, None]) -> str:
    lines = source.splitlines()
    for node in ast.parse(source).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Import) or _is_foreign(node):
            imports[ast.unparse(node)] = None
        for number in range(node.lineno - 1, node.end_lineno or node.lineno):
            lines[number] = ""
    body = "\n".join(lines).strip("\n")
    return f"\n\n# --- {name} ---\n\n{body}\n"


def _is_foreign(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(PACKAGE)
