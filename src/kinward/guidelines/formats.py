"""Decode stored guidelines of every format that was ever accepted. Pure.

Decoding reads the form of a document and judges nothing. Languages, categories and limits change
from release to release, but an edition that two people approved stays in force.
`reading.read_guidelines` holds new documents to today's rules.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from kinward.guidelines.reading import FILE, GuidelinesInvalid
from kinward.guidelines.rules import Guidelines
from kinward.policy import PackInvalid, Problem, line_of, parse


def _decode_1(table: Mapping[str, Any]) -> Guidelines:
    return msgspec.convert({**table, "format": 1}, Guidelines)


# Never remove a decoder or narrow what it accepts. A document of each format is in
# tests/support/stored, and a format without one fails the tests.
FORMATS: Final[dict[int, Callable[[Mapping[str, Any]], Guidelines]]] = {1: _decode_1}


def decode(text: str) -> Guidelines:
    """Decode a stored document. Raises `GuidelinesInvalid` for a form that was never accepted."""
    try:
        table = parse(FILE, text)
    except PackInvalid as error:
        raise GuidelinesInvalid(error.problems) from error
    number = table.get("format", 1)
    if type(number) is not int or number not in FORMATS:
        what = f"format {number!r} is unknown; known are {', '.join(map(str, FORMATS))}"
        raise GuidelinesInvalid([Problem(FILE, line_of(text, "format"), "error", what)])
    try:
        return FORMATS[number](table)
    except msgspec.ValidationError as error:
        raise GuidelinesInvalid([Problem(FILE, 1, "error", str(error))]) from error
