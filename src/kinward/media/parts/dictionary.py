"""The syntax of PDF, as far as the dictionaries of its objects need it."""

import re
from typing import Final

from kinward.media.parts.budget import Budget

LONGEST: Final = 1024 * 1024  # bytes of a dictionary
_TOKEN: Final = re.compile(
    rb"(?P<gap>[\0\t\n\f\r ]++|%[^\r\n]*+)|(?P<open><<|\[)|(?P<close>>>|\])"
    rb"|(?P<name>/[^\0\t\n\f\r ()<>\[\]{}/%]*+)|(?P<text>\()|(?P<hex><[^>]*+>)"
    rb"|(?P<word>[^\0\t\n\f\r ()<>\[\]{}/%]++)",
    re.DOTALL,
)
_TEXT: Final = re.compile(rb"[^\\()]++|\\.|(?P<open>\()|(?P<close>\))", re.DOTALL)
_ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
Entries = dict[bytes, bytes]


def name_of(token: bytes) -> bytes:
    """Return a name without its slash, and without escapes such as `#49`."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), token[1:])


def unescaped(value: bytes) -> bytes:
    """Return a value whose names have no escapes."""
    if b"#" not in value:
        return value
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), value)


def entries_at(data: bytes, at: int, budget: Budget) -> tuple[Entries, int] | None:
    """Return the dictionary that begins at an offset, and where it ends; None if there is none.

    A value is as it is written, without escapes in names. Of two entries of one name the last
    counts.
    """
    entries, depth, end = Entries(), 0, min(len(data), at + LONGEST)
    key, begin, first = b"", at, at
    while at < end and budget.step() and (token := _TOKEN.match(data, at)) is not None:
        kind, start, at = token.lastgroup, at, token.end()
        if kind == "gap":
            continue
        if not depth and token[0] != b"<<":
            return None
        if kind == "text":
            at = _text_end(data, at, end)
        depth += (kind == "open") - (kind == "close")
        if depth == 1 and kind == "name" and (not key or _has_value(data, begin, start)):
            if key:
                entries[key] = unescaped(data[begin:start].strip())
            key, begin = name_of(token[0]), at
        if depth == 0:
            if key:
                entries[key] = unescaped(data[begin:start].strip())
            return entries, at
    budget.unread |= at - first >= LONGEST
    return None


def _has_value(data: bytes, begin: int, end: int) -> bool:
    """Return whether the last key has its value, so that another name is a key."""
    return bool(re.search(rb"[^\0\t\n\f\r ]", re.sub(rb"%[^\r\n]*", b"", data[begin:end])))


def _text_end(data: bytes, at: int, end: int) -> int:
    """Return the end of a string after its first parenthesis."""
    depth = 1
    while depth and at < end and (piece := _TEXT.match(data, at)) is not None:
        depth += (piece.lastgroup == "open") - (piece.lastgroup == "close")
        at = piece.end()
    return at
