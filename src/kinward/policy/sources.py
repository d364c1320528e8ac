"""The files of a pack: finding them, and the lines at which their tables and keys stand."""

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
    """The names of the packs that come with Kinward."""
    return sorted(each.name for each in SHIPPED.iterdir() if (each / "pack.toml").is_file())


def shipped_overlays() -> list[str]:
    """The names of the jurisdiction overlays that come with Kinward."""
    names = (each.name for each in (SHIPPED / "overlays").iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def read_files(where: str | Path) -> dict[str, str]:
    """The files of a shipped pack by its name, or of a directory or `pack.toml` by its path.

    An overlay that the pack names is looked for in the pack's own `overlays/`, then among those
    that come with Kinward.
    """
    base: Traversable = Path(where)
    if str(where) in shipped_packs():
        base = SHIPPED / str(where)
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
            continue  # reading the pack complains, with the line
        for place in (base / "overlays" / f"{name}.toml", SHIPPED / "overlays" / f"{name}.toml"):
            if place.is_file():
                files[file] = _text(place, file)
                break
    return files


def parse(file: str, text: str) -> dict[str, Any]:
    """A file's TOML. Raises `PackInvalid` at the line where it stops being any."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
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
    """Refuse a file that nobody wrote by hand."""
    if len(text) > MAX_FILE:
        raise PackInvalid([Problem(file, 1, "error", f"a file has at most {MAX_FILE:,} letters")])


def tables(text: str, name: str) -> Iterator[tuple[int, dict[str, int]]]:
    r"""For each `[[name]]` in order: its line, and the line of each of its keys.

    >>> list(tables('[[rule]]\nid = "a"\n\n[[rule]]\nid = "b"\n', "rule"))
    [(1, {'id': 2}), (4, {'id': 5})]
    """
    current: tuple[int, dict[str, int]] | None = None
    inside = ""  # the quotes of a text of several lines
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
    """The line of a key at the top of a file; 1 if it is not there."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*{key}\s*=", line):
            return number
        if line.startswith("["):
            break
    return 1
