"""Reading hash lists: CSV, JSON lines, PDQ text. Pure; good rows go in, bad ones are named.

CSV has a header with any of `pdq`, `md5`, `sha1`, `sha256`, `reference`, `quality`. A JSON line is
an object with the same names. PDQ text has one hash a line, or `hash,quality` as PDQ's tools write.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from kinward.matching.kinds import HashKind
from kinward.matching.pdq import MIN_QUALITY

LENGTHS: Final = {HashKind.PDQ: 32, HashKind.MD5: 16, HashKind.SHA1: 20, HashKind.SHA256: 32}
FORMATS: Final = ("csv", "jsonl", "pdq")


class ListedHash(msgspec.Struct, frozen=True):
    """A hash on a list: its kind, its bytes, and the list's own reference for it."""

    kind: HashKind
    value: bytes
    reference: str = ""


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be used: its line, counted from 1, and why."""

    line: int
    why: str


def parse_hash(kind: HashKind, text: str) -> bytes:
    """The bytes of a hash in hex; a ValueError says what is wrong with it."""
    text = text.strip()
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{kind} is not hexadecimal") from None
    if len(value) != LENGTHS[kind] or len(text) != 2 * LENGTHS[kind]:
        raise ValueError(f"{kind} needs {2 * LENGTHS[kind]} hex digits, not {len(text)}")
    return value


def read_list(lines: Iterable[str], format: str) -> Iterator[ListedHash | BadRow]:
    """Every hash of a list, and every row that is not one, in order."""
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
        if not (text := line.strip()) or (format == "pdq" and text.startswith("#")):
            continue
        if format == "jsonl":
            yield number, _object(text)
        else:
            value, _, quality = text.partition(",")
            yield number, {"pdq": value, "quality": quality or None}


def _object(text: str) -> dict[str, Any] | str:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return "not JSON"
    return value if isinstance(value, dict) else "not an object"


def _hashes(row: dict[str, Any]) -> Iterator[ListedHash]:
    reference = str(row.get("reference") or "")[:200]
    given = [(kind, row[kind.value]) for kind in HashKind if row.get(kind.value)]
    if not given:
        raise ValueError("no hash: name a column pdq, md5, sha1 or sha256")
    parsed = [ListedHash(kind, parse_hash(kind, str(text)), reference) for kind, text in given]
    quality = row.get("quality")
    for item in parsed:
        if item.kind is HashKind.PDQ and quality not in (None, "") and int(quality) < MIN_QUALITY:
            raise ValueError(f"quality {quality} is below {MIN_QUALITY}: the hash says too little")
        yield item
