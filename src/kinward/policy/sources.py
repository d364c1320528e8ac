"""The files of a pack, and the lines of their tables and keys."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from kinward.policy.problems import PackInvalid, Problem

MAX_FILE: Final = 512 * 1024
MAX_FILES: Final = 200
SHIPPED: Final[Traversable] = package_files("kinward.policy") / "packs"

Files = Mapping[str, str]  # file name inside the pack -> its text


def shipped_packs() -> list[str]:
    """List the names of the packs that ship with Kinward."""
    return sorted(entry.name for entry in SHIPPED.iterdir() if (entry / "pack.toml").is_file())


def shipped_editions() -> list[str]:
    """List the earlier editions of shipped packs, each as `name version`."""
    return sorted(_edition_label(entry.name) for entry in (SHIPPED / "editions").iterdir())


def _edition_label(folder: str) -> str:
    return re.sub(r"-(?=[0-9])", " ", folder, count=1)


def shipped_overlays() -> list[str]:
    """List the names of the jurisdiction overlays that ship with Kinward."""
    names = (entry.name for entry in (SHIPPED / "overlays").iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def read_files(where: str | Path) -> dict[str, str]:
    """Read the files of a shipped pack by its name, or of a directory or `pack.toml` by its path.

    An earlier edition of a shipped pack goes by `name version`, as `shipped_editions` lists it.
    The pack's overlays are read from its own `overlays/`, else from those that ship with Kinward.
    Raises `PackInvalid`.
    """
    base: Traversable = Path(where)
    if str(where) in shipped_packs():
        base = SHIPPED / str(where)
    elif str(where) in shipped_editions():
        base = SHIPPED / "editions" / str(where).replace(" ", "-")
    elif base.name == "pack.toml":
        base = Path(where).parent
    if not (base / "pack.toml").is_file():
        raise PackInvalid(
            f"There is no pack {str(where)!r}: give a directory that holds a pack.toml, "
            f"or one of {', '.join(shipped_packs())}."
        )
    files = {"pack.toml": _text(base / "pack.toml", "pack.toml")}
    if (base / "tests.toml").is_file():
        files["tests.toml"] = _text(base / "tests.toml", "tests.toml")
    header = parse("pack.toml", files["pack.toml"])
    names = header.get("overlays", [])
    for name in names if isinstance(names, list) else []:
        file = f"overlays/{name}.toml"
        if not re.fullmatch(r"[A-Za-z0-9-]{1,40}", str(name)):
            continue  # the reader of the pack complains, with the line
        for place in (base / "overlays" / f"{name}.toml", SHIPPED / "overlays" / f"{name}.toml"):
            if place.is_file():
                files[file] = _text(place, file)
                break
    return files


def parse(file: str, text: str) -> dict[str, Any]:
    """Parse a file's TOML. Raises `PackInvalid` at the line of the mistake."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"\(at line (\d+)", str(error))
        line = int(match[1]) if match else text.count("\n") + 1
        raise PackInvalid([Problem(file, line, "error", f"this is not TOML: {error}")]) from error
    except RecursionError as error:
        raise PackInvalid([Problem(file, 1, "error", "this is nested too deeply")]) from error


def _text(place: Traversable, file: str) -> str:
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PackInvalid([Problem(file, 1, "error", f"it cannot be read: {error}")]) from error
    check_size(file, text)
    return text


def check_size(file: str, text: str) -> None:
    """Raise `PackInvalid` for a file too large to be written by hand."""
    if len(text) > MAX_FILE:
        raise PackInvalid([Problem(file, 1, "error", f"a file has at most {MAX_FILE:,} letters")])


def tables(text: str, name: str) -> Iterator[tuple[int, dict[str, int]]]:
    r"""Yield the line of each `[[name]]`, with the line of each of its keys.

    >>> list(tables('[[rule]]\nid = "a"\n\n[[rule]]\nid = "b"\n', "rule"))
    [(1, {'id': 2}), (4, {'id': 5})]
    """
    current: tuple[int, dict[str, int]] | None = None
    inside = ""  # the quotes around a string of several lines
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            inside = "" if line.count(inside) % 2 else inside
            continue
        if re.match(r"\s*\[{1,2}[A-Za-z_][^\[\]=,]*\]{1,2}\s*(#.*)?$", line):
            if current:
                yield current
            header = re.match(rf"\s*\[\[\s*{name}\s*\]\]", line)
            current = (number, {}) if header else None
        elif current and (key := re.match(r"\s*([A-Za-z_]+)\s*=", line)):
            current[1].setdefault(key[1], number)
        for quotes in ('"""', "'''"):
            if line.count(quotes) % 2:
                inside = quotes
    if current:
        yield current


def line_of(text: str, key: str) -> int:
    """Return the line of a key above all tables of a file; 1 if it is missing."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*{key}\s*=", line):
            return number
        if line.startswith("["):
            break
    return 1
