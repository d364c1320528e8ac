"""Reading lists: of hashes, URLs and keywords. Pure; good rows go in, bad ones are named.

CSV has a header, either with a column for each kind (`pdq`, `md5`, `sha1`, `sha256`) or with
`hash_type` and `value` and a row for each hash, as partners' lists have; beside them `reference`,
`label` (or `severity`, `category`), `quality` and `removed`. A JSON line is an object with the same
names. PDQ text has one hash a line, or `hash,quality` as PDQ's tools write. `urls` and `keywords`
have one a line. Project VIC's JSON is read by `vic`.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, TextIO

import msgspec

from kinward.fields import storable
from kinward.matching import keywords, links
from kinward.matching.footage import MAX_FRAMES
from kinward.matching.kinds import DIGESTS, FILE_KINDS, KIND, HashKind
from kinward.matching.pdq import MIN_QUALITY

LENGTHS: Final[dict[str, int]] = {
    HashKind.PDQ: 32,
    HashKind.MD5: 16,
    HashKind.SHA1: 20,
    HashKind.SHA256: 32,
}
VIDEO_LENGTHS: Final = range(32, 32 * MAX_FRAMES + 1, 32)
FORMATS: Final = ("csv", "jsonl", "pdq", "urls", "keywords", "vic")
MAX_LINE: Final = 64 * 1024
MAX_CARRIED: Final = 64 * 1024
EMPTY: Final = {hashlib.new(kind, b"", usedforsecurity=False).digest() for kind in DIGESTS}
# How lists and partners call what we call otherwise.
ALIASES: Final = {
    "sha_1": "sha1",
    "sha_256": "sha256",
    "video_md5": "md5",
    "pdna": "photodna",
    "hash_pdq": "pdq",
    "hash_md5": "md5",
    "hash_video_md5": "md5",
    "hash_sha1": "sha1",
    "hash_sha256": "sha256",
    "hash_video_sha256": "sha256",
    "raw_uri": "url",
    "uri": "url",
    "trend_query": "keyword",
}
MAX_REFERENCE: Final = 200
MAX_LABEL: Final = 60
LABELS: Final = ("label", "severity", "category", "classification")


class ListedHash(msgspec.Struct, frozen=True):
    """A hash on a list: its kind, its bytes, the list's reference and label for it.

    `removed`: the list says that it is to go.
    """

    kind: str
    value: bytes
    reference: str = ""
    label: str = ""
    removed: bool = False


def listed(
    kind: str, text: str, reference: str = "", label: str = "", *, removed: bool = False
) -> ListedHash:
    """A hash as a list writes it, in the bounds of a bank; raises `ValueError` where it is none."""
    about = storable(reference)[:MAX_REFERENCE], storable(label)[:MAX_LABEL]
    return ListedHash(kind, parse_value(kind, text), *about, removed)


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be used: its line, counted from 1, and why."""

    line: int
    why: str


def parse_hash(kind: str, text: str) -> bytes:
    """The bytes of a hash in hex; a ValueError says what is wrong with it."""
    text = text.strip()
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{kind} is not hexadecimal") from None
    if len(value) != LENGTHS[kind] or len(text) != 2 * LENGTHS[kind]:
        raise ValueError(f"{kind} needs {2 * LENGTHS[kind]} hex digits, not {len(text)}")
    return value


def kind_of(name: str) -> str:
    """A kind by any of its names; a ValueError where it is none."""
    kind = name.strip().lower().replace("-", "_").replace(" ", "_")
    kind = ALIASES.get(kind, kind)
    if not KIND.fullmatch(kind):
        raise ValueError("a kind of hash is named by letters, digits and underscores")
    return kind


def parse_value(kind: str, text: str) -> bytes:
    """What a bank keeps of a value of any kind; a ValueError says what is wrong with it.

    A hash that Kinward matches becomes its bytes, a URL or keyword its normal form. Anything else
    is carried as it is.
    """
    if kind in LENGTHS:
        value = parse_hash(kind, text)
        if value in EMPTY or not any(value):
            raise ValueError(f"this {kind} is that of an empty file")
        return value
    if kind == HashKind.URL:
        return links.normal_form(text).encode()
    if kind == HashKind.KEYWORD:
        normal = keywords.normal_form(text)
        if len(normal) < 2 or len(text) > keywords.MAX_KEYWORD:
            raise ValueError(f"a keyword has 2 to {keywords.MAX_KEYWORD} letters")
        return normal.encode()
    if kind == HashKind.VIDEO:
        value = bytes.fromhex(text)
        if len(value) not in VIDEO_LENGTHS:
            raise ValueError(f"a video's hash is the PDQ hashes of 1 to {MAX_FRAMES} frames")
        return value
    if not text or len(text) > MAX_CARRIED:
        raise ValueError(f"a {kind} has 1 to {MAX_CARRIED:,} characters")
    return text.encode()


def written(kind: str, value: bytes) -> str:
    """A banked value as a list has it: hex, or the text itself. The other way of `parse_value`."""
    return value.hex() if kind in (*FILE_KINDS, HashKind.VIDEO) else value.decode()


def lines_of(file: TextIO) -> Iterator[str]:
    """The lines of a file; of one that is too long, only its beginning, which is no good row."""
    while line := file.readline(MAX_LINE):
        yield line
        while not line.endswith("\n") and (line := file.readline(MAX_LINE)):
            pass


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
    given: list[tuple[str, Any]] = [(kind, row[kind]) for kind in FILE_KINDS if row.get(kind)]
    if row.get("hash_type") and row.get("value"):
        given.append((kind_of(str(row["hash_type"])), row["value"]))
    if not given:
        raise ValueError("no hash: name a column pdq, md5, sha1 or sha256, or hash_type and value")
    removed = bool(row.get("removed"))
    parsed = [listed(kind, str(text), reference, label, removed=removed) for kind, text in given]
    quality = row.get("quality")
    for item in parsed:
        if item.kind == HashKind.PDQ and quality not in (None, "") and int(quality) < MIN_QUALITY:
            raise ValueError(f"quality {quality} is below {MIN_QUALITY}: the hash says too little")
        yield item
