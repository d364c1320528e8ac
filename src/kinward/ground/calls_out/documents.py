"""Bounds of a stranger's document, checked before a parser builds anything from it."""

import json
import re
from array import array
from itertools import accumulate
from typing import Any, Final
from xml.parsers import expat

from kinward.ground.calls_out.failures import AnswerUnreadable

MAX_DEPTH: Final = 64  # levels of a document
MAX_VALUES: Final = 500_000  # values of JSON, or elements and attributes of XML

# A string of JSON, also one without an end. Linear: nothing in it is tried twice.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
# A BOM of UTF-8, blanks, and the first byte that is neither.
_FIRST: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*+(.?)", re.DOTALL)
_NOT_UTF8: Final = (b"\xff", b"\xfe", b"\0")  # with which UTF-16 and UTF-32 begin
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_REST: Final = bytes(set(range(256)) - set(b"[{]}"))


def check_document(body: bytes) -> None:
    """Check the depth and the number of values of JSON or XML. Other bytes pass.

    Raises `AnswerUnreadable`, also for UTF-16 and UTF-32: a parser reads these, and no check does.

    >>> check_document(b'{"a": ["[[[[", 1]}')
    >>> check_document(b"[" * 1000)
    Traceback (most recent call last):
    kinward.ground.calls_out.failures.AnswerUnreadable: ...
    """
    first = _FIRST.match(body)
    start = first[1] if first else b""
    if start in _NOT_UTF8:
        raise AnswerUnreadable("It is not UTF-8.")
    if start == b"<":
        _check_xml(body)
    elif start in (b"[", b"{"):
        _check_json(body)


def read_json(body: bytes) -> Any:
    """Parse JSON within the bounds. Raises `AnswerUnreadable`."""
    check_document(body)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable(f"It is not JSON: {_short(error)}.") from None


def _check_json(body: bytes) -> None:
    if b"\0" in body:  # UTF-16 or UTF-32, which the counting below would misread
        raise AnswerUnreadable("Its JSON is not UTF-8.")
    outside = _STRING.sub(b"", body)
    values = outside.count(b",") + outside.count(b"[") + outside.count(b"{") + outside.count(b":")
    if values > MAX_VALUES:
        raise AnswerUnreadable(f"It has more than {MAX_VALUES:,} values.")
    steps = array("b", outside.translate(_STEPS, _REST))
    if max(accumulate(steps), default=0) > MAX_DEPTH:
        raise AnswerUnreadable(f"It has more than {MAX_DEPTH} levels.")


def _check_xml(body: bytes) -> None:
    depth = count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1 + len(attributes)
        if depth > MAX_DEPTH:
            raise AnswerUnreadable(f"It has more than {MAX_DEPTH} levels.")
        if count > MAX_VALUES:
            raise AnswerUnreadable(f"It has more than {MAX_VALUES:,} elements.")

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: Any) -> None:
        raise AnswerUnreadable("It declares a document type.")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise AnswerUnreadable(f"It is not XML: {_short(error)}.") from None


def _short(error: Exception) -> str:
    return str(error)[:200]
