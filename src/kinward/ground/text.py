"""Text from strangers, which can be anything: ids, numbers, and what PostgreSQL can store."""

import re
from typing import Final

from kinward.ground.errors import Invalid

MAX_ID: Final = 200  # characters of a platform's id of an account or of content

NO_TEXT: Final = "\ufffd"  # replaces what was not text
_NOT_STORABLE: Final = re.compile("[\0\ud800-\udfff]")
# A JSON escape: half a surrogate pair or U+0000, as group 1, or any other escape as a whole.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u0000|u[dD][89a-fA-F]..)|.)", re.DOTALL
)


def is_id(text: str) -> bool:
    r"""Return whether a text can be the platform's id of an account or of content.

    >>> is_id("member-1"), is_id(""), is_id("a\tb"), is_id(storable("a\0b"))
    (True, False, False, False)
    """
    return 1 <= len(text) <= MAX_ID and text.isprintable() and NO_TEXT not in text


def storable(text: str) -> str:
    r"""Replace with U+FFFD what PostgreSQL cannot store: U+0000, and half a surrogate pair.

    >>> storable("a\0b\ud83d") == "a\ufffdb\ufffd"
    True
    """
    return _NOT_STORABLE.sub(NO_TEXT, text)


def printable(text: str) -> str:
    r"""Replace with U+FFFD each character that cannot be printed.

    >>> printable("a\tb\u202e") == "a\ufffdb\ufffd"
    True
    """
    return "".join(letter if letter.isprintable() else NO_TEXT for letter in text)


def storable_json(body: bytes) -> bytes:
    r"""Replace the same characters in JSON, where they can only be escaped.

    >>> storable_json(rb'["a\u0000b", "a\\u0000b"]')
    b'["a\\ufffdb", "a\\\\u0000b"]'
    >>> storable_json(rb'["\ud83d\ude00", "\ud83d"]')
    b'["\\ud83d\\ude00", "\\ufffd"]'
    """
    return _ESCAPE.sub(lambda escape: escape[0] if escape[1] is None else rb"\ufffd", body)


def whole_number(text: str, digits: int = 6) -> int | None:
    """Return a number of at most so many digits, or None for an empty text. Raises `Invalid`.

    >>> whole_number(" 14 "), whole_number("")
    (14, None)
    """
    text = text.strip()
    if text and not is_number(text, digits):
        raise Invalid(f"{text[:20]!r} is not a whole number, or too large.")
    return int(text) if text else None


def is_number(text: str, digits: int = 6) -> bool:
    """Return whether a text is a whole number of at most so many digits.

    >>> is_number("14"), is_number("²"), is_number("9" * 5000)
    (True, False, False)
    """
    return text.isascii() and text.isdigit() and len(text) <= digits
