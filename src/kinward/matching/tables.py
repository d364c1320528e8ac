"""Lists as tables: a header, a separator, quotes, and a row on each line. Also bare lists. Pure.

The first line decides. It is a header, a hash, or what `md5sum`, `shasum` and `md5` print.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final

from kinward.matching.columns import Columns, Entry, kind_listed
from kinward.matching.listfiles import BadRow
from kinward.matching.truth import shown

SEPARATORS: Final = (",", ";", "\t", "|")
NAMED: Final = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a pipe"}
_EXCEL_SEPARATOR: Final = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_BARE: Final = re.compile(r"[0-9A-Fa-f]{32,64}")
# `md5sum`: a backslash comes first if the file's name has one, or a line break.
_SUM: Final = re.compile(r"(?P<escaped>\\?)(?P<hash>[0-9A-Fa-f]{32,64}) [ *]?(?P<file>\S.*)")
# `md5`, `shasum --tag` and `openssl dgst`: MD5 (file) = hash
_TAGGED: Final = re.compile(
    r"(?P<kind>[A-Za-z0-9-]{3,12}) ?\((?P<file>.*)\) ?= (?P<hash>[0-9A-Fa-f]+)"
)

# What a spreadsheet runs as a formula if a cell begins with it, and the quote that stops it. See
# OWASP, "CSV Injection". Our own export adds one quote, and reading takes one away.
_FORMULA: Final = re.compile("'*[=+\\-@\t\r\n]")

Rows = Iterator[tuple[int, Entry | BadRow]]


def for_spreadsheets(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    >>> for_spreadsheets("=1+1"), for_spreadsheets("ann"), as_written(for_spreadsheets("'@ann"))
    ("'=1+1", 'ann', "'@ann")
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def as_written(cell: str) -> str:
    """Return what a cell says: without the quote of `for_spreadsheets`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def read_table(
    lines: Iterable[str], left_out: Callable[[list[str]], None] = lambda _: None
) -> Rows:
    """Yield the rows of a list with their numbers. `left_out` gets the columns that are unread."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    separator = ""
    for number, line in numbered:
        text = line.strip()
        if match := _EXCEL_SEPARATOR.fullmatch(text):
            separator = match[1]
        elif _BARE.fullmatch(text) or _SUM.fullmatch(text) or _TAGGED.fullmatch(text):
            yield from _bare(chain([(number, line)], numbered))
            return
        elif not text.startswith("#") or _is_header(text.lstrip("# ")):
            header = text.lstrip("# ") if text.startswith("#") else line
            yield from _table(number, header, separator, numbered, left_out)
            return
    yield 1, BadRow(1, "the list has neither a header nor a hash")


def _is_header(text: str) -> bool:
    try:
        _columns(text, "")
    except ValueError:
        return False
    return True


def _columns(header: str, separator: str) -> tuple[str, Columns]:
    """Return the separator and the columns of a header. Raises `ValueError`."""
    problems: dict[str, ValueError] = {}
    possible: list[tuple[str, Columns]] = []
    for mark in (separator,) if separator else SEPARATORS:
        cells = _cells(header, mark)
        if cells is not None and (len(cells) > 1 or mark in (separator, SEPARATORS[0])):
            try:
                possible.append((mark, Columns.of(cells)))
            except ValueError as error:
                problems[mark] = error
    if len(possible) > 1:
        marks = " or ".join(NAMED.get(mark, shown(mark)) for mark, _ in possible)
        raise ValueError(f"the columns of this header are separated by {marks}. Use one of them")
    if possible:
        return possible[0]
    # The separator that makes the most columns has the most to say.
    best = max(problems, key=header.count, default="")
    raise problems.get(best) or ValueError("this header is not CSV")


def _cells(line: str, separator: str) -> list[str] | None:
    """Split a line. Returns None for a quote that is left open or goes wrong."""
    try:
        rows = list(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True))
    except csv.Error:
        return None
    return [cell.strip() for cell in rows[0]] if len(rows) == 1 else None


def _table(
    at: int,
    header: str,
    separator: str,
    lines: Iterator[tuple[int, str]],
    left_out: Callable[[list[str]], None],
) -> Rows:
    try:
        separator, columns = _columns(header, separator)
    except ValueError as error:
        yield at, BadRow(at, _without_header(header, error))
        return
    left_out(columns.left_out)
    for number, line in lines:
        cells = _row(line, separator, columns)
        if isinstance(cells, str):
            yield number, BadRow(number, cells)
        elif any(cells):
            try:
                yield number, columns.entry([as_written(cell) for cell in cells])
            except ValueError as error:
                yield number, BadRow(number, str(error))


def _without_header(header: str, error: ValueError) -> str:
    if _BARE.match(header.strip(' "')):
        return (
            "the first line has a hash and more, so it is no header. Write one, such as"
            " md5,label. Or use --format pdq for what PDQ's tools print"
        )
    return f"{error}. The first line is {shown(header)}"


def _row(line: str, separator: str, columns: Columns) -> list[str] | str:
    """Return the cells of a row, or what is wrong with it."""
    if len(columns.names) == 1 and not line.lstrip().startswith('"'):
        summed = _SUM.fullmatch(line.strip())
        return [summed["hash"] if summed and not summed["escaped"] else line.strip()]
    cells = _cells(line, separator)
    if cells is None:
        return f"a quote is left open or closed too early, in {_open(line, separator, columns)}"
    if len(cells) != len(columns.names):
        return f"it has {len(cells)} columns, and the header has {len(columns.names)}"
    return cells


def _open(line: str, separator: str, columns: Columns) -> str:
    """Name the last column that can be read of a row with a wrong quote."""
    cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    at = min(len(cells), len(columns.names)) - 1
    return f"column {shown(columns.names[at])}" if at >= 0 else "its beginning"


def _bare(lines: Iterable[tuple[int, str]]) -> Rows:
    """Yield the rows of a list of hashes without a header."""
    shape: re.Pattern[str] | None = None
    for number, line in lines:
        text = line.strip()
        if text.startswith("#"):
            continue
        if shape is None:
            shape = next(each for each in (_BARE, _TAGGED, _SUM) if each.fullmatch(text))
        match = shape.fullmatch(text)
        if match is None:
            yield number, BadRow(number, f"{shown(text)} is not written as the first line is")
            continue
        try:
            yield number, _bare_entry(match)
        except ValueError as error:
            yield number, BadRow(number, str(error))


def _bare_entry(match: re.Match[str]) -> Entry:
    groups: dict[str, str] = match.groupdict()
    kind = kind_listed(groups["kind"]).name if "kind" in groups else ""
    return Entry([("", kind, groups.get("hash") or match[0])], groups.get("file", ""))
