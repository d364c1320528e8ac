"""Every HTTP call leaves Kinward through `ground.calls_out`."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CLIENTS: Final = {"httpx", "httpcore", "requests", "aiohttp", "urllib3", "urllib.request"}
CLIENTS_TOO: Final = {"http.client", "urllib.urlopen", "websockets", "pycurl"}
HERE: Final = {
    "src/kinward/ground/calls_out/caller.py",
    "src/kinward/ground/calls_out/network.py",
    "src/kinward/exchanges/partners/sessions.py",  # bounds the `requests` of partners' clients
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_client(name: str) -> bool:
    parts = name.split(".")
    heads = {".".join(parts[: length + 1]) for length in range(len(parts))}
    return bool(heads & (CLIENTS | CLIENTS_TOO))


def test_no_other_module_has_a_client_of_its_own() -> None:
    """The demo is another program: an app that talks to Kinward."""
    files = [
        path
        for path in sorted(Path("src/kinward").rglob("*.py"))
        if not path.is_relative_to("src/kinward/demo")
    ]
    assert {str(path) for path in files if any(map(is_client, imports(path)))} == HERE


def test_a_client_is_known_by_any_of_its_names() -> None:
    for name in ("httpx", "requests.adapters.HTTPAdapter", "urllib.request.urlopen", "http.client"):
        assert is_client(name)
    for name in ("urllib.parse.urlsplit", "http.server", "kinward.families.asks.requests"):
        assert not is_client(name)
