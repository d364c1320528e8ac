"""Reader of Project VIC's JSON (the VICS data model, 1.x and 2.0): case files and hash sets. Pure.

Files are streamed, because they can be larger than memory. The meaning of a category depends on the
data model and the country. So only hashes of the categories that the caller names are read, and
each is labelled with its model and category.
"""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, BinaryIO, Final

import ijson

from kinward.matching.columns import kind_listed
from kinward.matching.hashlists import ListedHash, Row, Unused, listed
from kinward.matching.kinds import SaysTooLittle
from kinward.matching.listfiles import MAX_BYTES, BadRow, ListRefused
from kinward.matching.truth import shown

BOM: Final = b"\xef\xbb\xbf"
COLUMNS: Final = ("MD5", "SHA1")
CONTEXTS: Final = ("@odata.context", "odata.metadata")
MAX_ITEM: Final = 16 << 20  # bytes from one entry to the next
MAX_DEPTH: Final = 64
NO_CATEGORY: Final = "it has no category, so it may be harmless"
MAX_HASHES: Final = 100  # of one entry
_TEXT: Final = re.compile(rb'"[^"]*"')
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_MODEL: Final = re.compile(r"DataModels/([\d.]+)\.xml(?:/([A-Za-z]+))?")


def read_vic(
    file: BinaryIO, categories: Collection[int], passed: Callable[[], None] = lambda: None
) -> Iterator[Row]:
    """Yield every hash of these categories, and every entry that is bad or unused, in order.

    `passed` is called for each entry of another category. Names may be in any case.
    Raises `ListRefused` for a file without bounds.
    """
    number = 0
    try:
        start = len(BOM) if file.read(len(BOM)) == BOM else 0
        file.seek(start)
        model, prefix = _shape(_Bounded(file))
        file.seek(start)
        bounded = _Bounded(file)
        for number, media in enumerate(ijson.items(bounded, prefix), 1):
            bounded.since = 0
            try:
                yield from _hashes(number, media, model, categories, passed)
            except ValueError as error:
                yield BadRow(number, str(error))
    except (ijson.JSONError, UnicodeDecodeError, RecursionError) as error:
        yield BadRow(number + 1, f"the file is cut off or not JSON: {error}"[:200])
        return
    if not number:
        yield BadRow(1, "the file has no list of media, so it is not Project VIC's JSON")


class _Bounded:
    """A file of JSON with bounds: on its depth, on the bytes of an entry, and on all bytes.

    The depth is found before the parser sees the bytes, since its paths grow with each level.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._read = self._depth = 0
        self._begun = b""  # the beginning of a text, or of an escape, that the next bytes end
        self.since = 0  # bytes since the last entry; the reader of the entries sets it back

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._read += len(data)
        self.since += len(data)
        if self.since > MAX_ITEM:
            raise ListRefused(f"{MAX_ITEM:,} bytes of the file have no entry.")
        if self._read > MAX_BYTES:
            raise ListRefused(f"The file has more than {MAX_BYTES:,} bytes. Split it.")
        self._measure(data)
        return data

    def _measure(self, data: bytes) -> None:
        data = (self._begun + data).replace(b"\\\\", b"").replace(b'\\"', b"")
        escape = b"\\" if data.endswith(b"\\") else b""
        bare = _TEXT.sub(b"", data.removesuffix(escape))
        bare, quote, _ = bare.partition(b'"')
        self._begun = quote + escape
        for mark in bare.translate(None, _NO_BRACKETS):
            self._depth += 1 if mark in b"[{" else -1
            if self._depth > MAX_DEPTH:
                raise ListRefused(f"The JSON is nested more than {MAX_DEPTH} levels deep.")


def _shape(file: _Bounded) -> tuple[str, str]:
    """Return the name of the data model, and the path of the media in the file."""
    model = "vic"
    for prefix, event, value in ijson.parse(file):
        if event == "string" and prefix in CONTEXTS and (named := _MODEL.search(value)):
            model = " ".join(part for part in ("vic", *named.groups()) if part)
        if (prefix, event) == ("value.item.Media", "start_array"):
            return model, "value.item.Media.item"
        if (prefix, value) in (("value.item", "MD5"), ("value.item", "MediaID")):
            break
    return model, "value.item"


def _hashes(
    number: int,
    media: Any,
    model: str,
    categories: Collection[int],
    passed: Callable[[], None],
) -> Iterator[ListedHash | Unused]:
    """Return the hashes of an entry. Raises `ValueError` before the first if any is wrong."""
    if not isinstance(media, dict):
        raise ValueError("the entry is not an object")
    media = _in_lower_case(media)
    category = _whole(media, "Category")
    if category is None:
        return iter([Unused(number, NO_CATEGORY)])
    if category not in categories:
        passed()
        return iter(())
    label, reference = f"{model}: {category}", _reference(media)
    pairs = [(name, name, _get(media, name)) for name in COLUMNS]
    pairs = [pair for pair in pairs if pair[2] not in (None, "")]
    pairs += _others(_get(media, "AlternativeHashes"))
    if not pairs:
        raise ValueError("no hash")
    return iter([_one(number, *pair, reference, label) for pair in pairs])


def _in_lower_case(media: dict[str, Any]) -> dict[str, Any]:
    """Return an object with its names in lower case. Raises `ValueError` if two are the same."""
    lower = {name.casefold(): value for name, value in media.items()}
    if len(lower) != len(media):
        raise ValueError("two of its names differ in upper and lower case only")
    return lower


def _get(media: dict[str, Any], name: str) -> Any:
    return media.get(name.casefold())


def _one(
    number: int, where: str, kind: Any, text: Any, reference: str, label: str
) -> ListedHash | Unused:
    if not isinstance(kind, str) or not isinstance(text, str):
        raise ValueError(f"{where}: {shown(text)} is not a text in quotes")
    try:
        return listed(kind_listed(kind).name, text, reference, label)
    except SaysTooLittle as error:
        return Unused(number, f"{where}: {error}")
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _others(hashes: Any) -> list[tuple[str, Any, Any]]:
    if hashes is None:
        return []
    if not isinstance(hashes, list) or len(hashes) > MAX_HASHES:
        raise ValueError(f"AlternativeHashes is not a list of at most {MAX_HASHES}")
    if not all(isinstance(other, dict) for other in hashes):
        raise ValueError("AlternativeHashes has an entry that is not an object")
    where = "AlternativeHashes"
    lower = [_in_lower_case(other) for other in hashes]
    return [(where, _get(other, "HashName"), _get(other, "HashValue")) for other in lower]


def _whole(media: dict[str, Any], name: str) -> int | None:
    """Return a whole number, also one in quotes; None if nothing is said. Raises `ValueError`."""
    value = _get(media, name)
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name}: {shown(value)} is not a whole number")
    return value


def _reference(media: dict[str, Any]) -> str:
    value = _get(media, "MediaID")
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"MediaID: {shown(value)} is neither a number nor a text")
    return str(value)
