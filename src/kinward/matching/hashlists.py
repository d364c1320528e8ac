"""Readers of lists of hashes, URLs and keywords. Pure. Good rows are read, bad rows are named.

A CSV file has a header. It names either a column for each kind (`pdq`, `md5`, `sha1`, `sha256`), or
`hash_type` and `value` with one hash a row, as partners' lists do. Further columns are `reference`,
`label` (or `severity`, `category`), `quality` and `removed`. A JSON line is an object with the same
names. PDQ text has one hash a line, or `hash,quality` as PDQ's tools write. `urls` and `keywords`
have one entry a line. Project VIC's JSON is read by `vic`.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, TextIO

import msgspec

from kinward.ground.text import storable
from kinward.matching.kinds import COLUMNS, kind_named, kind_of

FORMATS: Final = ("csv", "jsonl", "pdq", "urls", "keywords", "vic")
MAX_LINE: Final = 64 * 1024
MAX_REFERENCE: Final = 200
MAX_LABEL: Final = 60
LABELS: Final = ("label", "severity", "category", "classification")


class ListedHash(msgspec.Struct, frozen=True):
    """A hash on a list: its kind, its bytes, and the list's reference and label for it.

    `removed`: the list marks it for removal.
    """

    kind: str
    value: bytes
    reference: str = ""
    label: str = ""
    removed: bool = False


def listed(
    kind: str, text: str, reference: str = "", label: str = "", *, removed: bool = False
) -> ListedHash:
    """Parse a hash as a list writes it, and cut its texts to size. Raises `ValueError`."""
    about = storable(reference)[:MAX_REFERENCE], storable(label)[:MAX_LABEL]
    return ListedHash(kind, kind_of(kind).parse(text), *about, removed)


class BadRow(msgspec.Struct, frozen=True):
    """An unusable row: its line, counted from 1, and the reason."""

    line: int
    why: str


def lines_of(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file. A line that is too long is cut off, and so becomes a bad row."""
    while line := file.readline(MAX_LINE):
        yield line
        while not line.endswith("\n") and (line := file.readline(MAX_LINE)):
            pass


def read_list(lines: Iterable[str], format: str) -> Iterator[ListedHash | BadRow]:
    """Yield every hash of a list and every bad row, in order."""
    for number, row in _rows(lines, format):
        try:
            if isinstance(row, str):
                raise ValueError(row)
            yield from _hashes(row)
        except (ValueError, TypeError) as error:
            yield BadRow(number, str(error))


def _rows(lines: Iterable[str], format: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    if format == "csv":
        reader = csv.DictReader(lines, strict=True)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield reader.line_num, f"not CSV: {error}"
                continue
            yield reader.line_num, {(k or "").strip().lower(): v for k, v in row.items()}
    for number, line in enumerate(lines, 1):
        if not (text := line.strip()) or (format != "jsonl" and text.startswith("#")):
            continue
        if format == "jsonl":
            yield number, _object(text)
        elif format == "pdq":
            value, _, quality = text.partition(",")
            yield number, {"pdq": value, "quality": quality or None}
        else:
            yield number, {"hash_type": format.removesuffix("s"), "value": text}


def _object(text: str) -> dict[str, Any] | str:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return "not JSON"
    return value if isinstance(value, dict) else "not an object"


def _hashes(row: dict[str, Any]) -> Iterator[ListedHash]:
    reference = str(row.get("reference") or "")
    label = next((str(row[name]) for name in LABELS if row.get(name)), "")
    values: list[tuple[str, Any]] = [(kind, row[kind]) for kind in COLUMNS if row.get(kind)]
    if row.get("hash_type") and row.get("value"):
        values.append((kind_named(str(row["hash_type"])).name, row["value"]))
    if not values:
        raise ValueError("no hash: name a column pdq, md5, sha1 or sha256, or hash_type and value")
    removed = bool(row.get("removed"))
    parsed = [listed(kind, str(text), reference, label, removed=removed) for kind, text in values]
    quality = row.get("quality")
    for item in parsed:
        least = kind_of(item.kind).least_quality
        if least is not None and quality not in (None, "") and int(quality) < least:
            raise ValueError(f"quality {quality} is below {least}: the hash says too little")
        yield item
