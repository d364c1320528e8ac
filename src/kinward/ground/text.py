"""What strangers send is text and can be anything: numbers, ids, and what can be stored."""

import re
from typing import Final

from kinward.ground.errors import Invalid

MAX_ID: Final = 200  # characters of a platform's id of an account or of content

NO_TEXT: Final = "\ufffd"  # stands for what was no text
_NOT_STORABLE: Final = re.compile("[\0\ud800-\udfff]")
# An escape of JSON: half of a surrogate pair or U+0000, in a group, or any other, whole.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u0000|u[dD][89a-fA-F]..)|.)", re.DOTALL
)


def is_id(text: str) -> bool:
    r"""Whether a text can be the platform's id of an account or of content.

    >>> is_id("member-1"), is_id(""), is_id("a\tb"), is_id(storable("a\0b"))
    (True, False, False, False)
    """
    return 1 <= len(text) <= MAX_ID and text.isprintable() and NO_TEXT not in text


def storable(text: str) -> str:
    r"""A text with U+FFFD for what PostgreSQL cannot hold: U+0000, and half a surrogate pair.

    >>> storable("a\0b\ud83d") == "a\ufffdb\ufffd"
    True
    """
    return _NOT_STORABLE.sub(NO_TEXT, text)


def storable_json(body: bytes) -> bytes:
    r"""The same for JSON, where both can only be escaped.

    >>> storable_json(rb'["a\u0000b", "a\\u0000b"]')
    b'["a\\ufffdb", "a\\\\u0000b"]'
    >>> storable_json(rb'["\ud83d\ude00", "\ud83d"]')
    b'["\\ud83d\\ude00", "\\ufffd"]'
    """
    return _ESCAPE.sub(lambda found: found[0] if found[1] is None else rb"\ufffd", body)


def whole_number(text: str, digits: int = 6) -> int | None:
    """A number of at most so many digits, or None where nothing was written.

    >>> whole_number(" 14 "), whole_number("")
    (14, None)
    """
    text = text.strip()
    if text and not is_number(text, digits):
        raise Invalid(f"{text[:20]!r} is not a whole number, or too large.")
    return int(text) if text else None


def is_number(text: str, digits: int = 6) -> bool:
    """Whether a text is a whole number of at most so many digits.

    >>> is_number("14"), is_number("²"), is_number("9" * 5000)
    (True, False, False)
    """
    return text.isascii() and text.isdigit() and len(text) <= digits
