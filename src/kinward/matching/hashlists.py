"""Readers of lists of hashes, URLs and keywords. Pure. A value is parsed, never taken for truth.

`csv` is a table with a header, or a bare list: see `tables` and `columns`. It names either a column
for each kind (`pdq`, `md5`, `sha1`, `sha256`), or `hash_type` and `value` with one hash a row, as
partners' lists do. A JSON line is an object with the same names. PDQ text has one hash a line, or
`hash,quality` and more as PDQ's tools write. `urls` and `keywords` have one entry a line. Project
VIC's JSON is read by `vic`.

A reader yields a `BadRow` for what it cannot read, and an `Unused` row for what is read and says
too little. What becomes of them is for the caller: `imports` refuses a list with a bad row.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final

import msgspec

from kinward.ground.text import storable
from kinward.matching.columns import Columns, Entry
from kinward.matching.kinds import SaysTooLittle, kind_of
from kinward.matching.listfiles import BadRow
from kinward.matching.standing import says_harmless, speaks_of_standing, words_of
from kinward.matching.tables import Rows, read_table
from kinward.matching.truth import percent, shown

FORMATS: Final = ("csv", "jsonl", "pdq", "urls", "keywords", "vic")
MAX_REFERENCE: Final = 200
MAX_LABEL: Final = 60
MAX_BLANK: Final = 1000
MAX_SHAPES: Final = 100  # different sets of names among the objects of a list
_SPREADSHEET: Final = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_BY_LENGTH: Final = {32: "md5", 40: "sha1"}
_HEADERS: Final = frozenset(
    ("url", "urls", "uri", "link", "links", "keyword", "keywords", "word", "words", "term", "terms")
)


class ListedHash(msgspec.Struct, frozen=True):
    """A hash on a list: its kind, its bytes, and the list's reference and label for it.

    `removed`: the list marks it for removal.
    """

    kind: str
    value: bytes
    reference: str = ""
    label: str = ""
    removed: bool = False


class Unused(msgspec.Struct, frozen=True):
    """A row that can be read but is not banked: its number from 1, and the reason."""

    line: int
    why: str


Row = ListedHash | BadRow | Unused
LeftOut = Callable[[list[str]], None]


def listed(
    kind: str, text: str, reference: str = "", label: str = "", *, removed: bool = False
) -> ListedHash:
    """Parse a hash as a list writes it, and cut its texts to size. Raises `ValueError`."""
    about = storable(reference)[:MAX_REFERENCE], storable(label)[:MAX_LABEL]
    known = kind_of(kind)
    value = known.banked(text) if removed else known.parse(text)
    return ListedHash(kind, value, *about, removed)


def read_list(
    lines: Iterable[str],
    format: str,
    *,
    kind: str = "",
    guessed: bool = False,
    left_out: LeftOut = lambda _: None,
) -> Iterator[Row]:
    """Yield every hash of a list, and every row that is bad or unused, in order.

    `kind`: the kind of hashes whose kind the list does not name. `guessed`: the encoding is a
    guess, so only ASCII is taken for a value. `left_out` gets the columns that are not read.
    """
    unnamed = _Unnamed(kind)
    first, rest = _begun(lines)
    if why := _in_another_format(first, format):
        yield BadRow(1, why)
        return
    for number, entry in _rows(rest, format, left_out):
        if isinstance(entry, BadRow):
            yield entry
            continue
        try:
            yield from _hashes(number, entry, unnamed, guessed=guessed)
        except ValueError as error:
            yield BadRow(number, str(error))


def _begun(lines: Iterable[str]) -> tuple[str, Iterator[str]]:
    """Return the first line that says something, and all lines."""
    rest, read = iter(lines), list[str]()
    for line in rest:
        read.append(line)
        if line.strip() or len(read) > MAX_BLANK:
            break
    return read[-1].strip() if read else "", chain(read, rest)


def _in_another_format(first: str, format: str) -> str:
    if format != "jsonl" and re.match(r"<(!doctype|html|\?xml|head|body)", first, re.IGNORECASE):
        return "this is a web page or XML, not a list. Download the list itself"
    if format in ("csv", "pdq") and first.startswith(("{", "[")):
        return "this is JSON. Use --format jsonl for an object a line, or vic for Project VIC"
    if format in ("urls", "keywords") and first.casefold() in _HEADERS:
        return f"{shown(first)} looks like a header. Take the first line out"
    return ""


def _rows(lines: Iterator[str], format: str, left_out: LeftOut) -> Rows:
    if format == "csv":
        return read_table(lines, left_out)
    if format == "jsonl":
        return _json_rows(lines, left_out)
    return _plain_rows(lines, format)


def _json_rows(lines: Iterator[str], left_out: LeftOut) -> Rows:
    shapes: dict[tuple[str, ...], Columns] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            pairs = _pairs(line)
            names = tuple(name for name, _ in pairs)
            if names not in shapes:
                if len(shapes) >= MAX_SHAPES:
                    raise ValueError(f"the objects have more than {MAX_SHAPES} sets of names")
                shapes[names] = Columns.of(names)
                left_out(shapes[names].left_out)
            cells = [cell.strip() if isinstance(cell, str) else cell for _, cell in pairs]
            yield number, shapes[names].entry(cells)
        except ValueError as error:
            yield number, BadRow(number, str(error))


def _pairs(line: str) -> list[tuple[str, Any]]:
    try:
        value = json.loads(line, object_pairs_hook=_Pairs)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    except ValueError:
        raise ValueError("not JSON") from None
    if not isinstance(value, _Pairs):
        raise ValueError("not an object")
    return value


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON as its pairs, so that a name that comes twice is seen."""


def _plain_rows(lines: Iterator[str], format: str) -> Rows:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text == "#" or text.startswith("# "):
            continue
        try:
            yield number, _plain_entry(text, format)
        except ValueError as error:
            yield number, BadRow(number, str(error))


def _plain_entry(text: str, format: str) -> Entry:
    """Return what a line says. Raises `ValueError`."""
    if format != "pdq":
        if format == "urls" and len(text.split()) > 1:
            raise ValueError(
                f"{shown(text)} has a blank or a tab in it. Write one URL a line,"
                " with %20 for a blank, or import a table as csv"
            )
        return Entry([("", format.removesuffix("s"), text)])
    value, _, rest = text.partition(",")
    quality, _, more = rest.partition(",")
    for word in map(str.strip, more.split(",")):
        if not set(word) & set("./\\") and speaks_of_standing(words_of(word)):
            raise ValueError(f"{shown(word)} is not read. Import this as csv, with a header")
    try:
        return Entry([("", format, value)], quality=percent(quality))
    except ValueError as error:
        raise ValueError(f"quality: {error}") from error


class _Unnamed:
    """The kind of hashes whose kind a list does not name: one for the whole list."""

    def __init__(self, kind: str) -> None:
        self._kind, self._told = kind, bool(kind)

    def of(self, text: str) -> str:
        """Return the kind of a hash by its length. Raises `ValueError`."""
        by_length = _BY_LENGTH.get(len(text), "")
        if not self._kind and not by_length:
            if len(text) == 64:
                raise ValueError("64 hex digits can be SHA-256 or PDQ. Say which with --kind")
            raise ValueError(_no_hash("", text) or f"{shown(text)} is no MD5 and no SHA-1")
        if not self._kind:
            self._kind = by_length
        if not self._told and by_length != self._kind:
            raise ValueError(f"{shown(text)} is no {self._kind}, as the first hash of the list is")
        return self._kind


def _hashes(
    number: int, entry: Entry, unnamed: _Unnamed, *, guessed: bool
) -> Iterator[ListedHash | Unused]:
    """Return the hashes of a row. Raises `ValueError` before the first if any is wrong."""
    items = [
        _parsed(number, entry, column, kind or unnamed.of(text), text, guessed=guessed)
        for column, kind, text in entry.values
    ]
    return iter(items)


def _parsed(
    number: int, entry: Entry, column: str, kind: str, text: str, *, guessed: bool
) -> ListedHash | Unused:
    where = f"column {shown(column)}: " if column else ""
    if guessed and not text.isascii():
        raise ValueError(f"{where}{shown(text)} is in an unknown encoding. Save the list as UTF-8")
    try:
        item = listed(kind, text, entry.reference, entry.label, removed=entry.removed)
    except SaysTooLittle as error:
        return Unused(number, f"{where}{error}")
    except ValueError as error:
        raise ValueError(f"{where}{_no_hash(kind, text) or error}") from error
    if not item.removed and (why := _too_little(item, entry)):
        return Unused(number, f"{where}{why}")
    return item


def _too_little(item: ListedHash, entry: Entry) -> str:
    least = kind_of(item.kind).least_quality
    if says_harmless(entry.label):
        return f"label {shown(entry.label)}: its list says that it is harmless"
    if least is not None and entry.quality is not None and entry.quality < least:
        return f"quality {entry.quality:g} is below {least}: the hash says too little"
    return ""


def _no_hash(kind: str, text: str) -> str:
    """Return what a spreadsheet did to a hash; empty if it looks untouched."""
    if _SPREADSHEET.fullmatch(text.strip()) and kind not in ("url", "keyword"):
        return (
            f"{shown(text)} is a number that a spreadsheet rounded."
            " Export the list again with this column as text"
        )
    return ""
