"""The streams that draw the pages of a PDF: the pictures inside them, and whether they draw more.

A page that shows one picture whole is that picture. Paths, shadings, cuts and several pictures on
one page are a drawing, which only a renderer shows.
"""

import re
from collections.abc import Iterator
from typing import Final

from kinward.media.parts.budget import Budget
from kinward.media.parts.dictionary import Entries, entries_at

_STRINGS: Final = re.compile(rb"\((?:[^\\()]|\\.)*+\)", re.DOTALL)
_GAP: Final = rb"[\0\t\n\f\r ]"
_PAINTS: Final = re.compile(
    rb"(?<![^\0\t\n\f\r \])>])(?:[fBbW]\*?|[FSs]|sh)(?![^\0\t\n\f\r (\[</%])"
)
_SHOWS: Final = re.compile(rb"(?<![^\0\t\n\f\r \])>])(?:Do|EI)(?![^\0\t\n\f\r (\[</%])")
_INLINE: Final = re.compile(
    _GAP
    + rb"BI(?=[\0\t\n\f\r /])((?:(?!"
    + _GAP
    + rb"ID"
    + _GAP
    + rb").){1,4096}?)"
    + _GAP
    + rb"ID"
    + _GAP,
    re.DOTALL,
)
_INLINE_END: Final = re.compile(_GAP + rb"?EI(?=[\0\t\n\f\r QE]|\Z)")


def draws(content: bytes) -> bool:
    """Return whether a stream draws something else than one whole picture and texts."""
    if b"begincmap" in content:
        return False
    plain = _STRINGS.sub(b"()", content)
    shown = sum(1 for _ in zip(range(2), _SHOWS.finditer(plain), strict=False))
    return shown > 1 or _PAINTS.search(plain) is not None


def inline_pictures(content: bytes, budget: Budget) -> Iterator[tuple[Entries, bytes]]:
    """Yield the dictionary and the bytes of each picture inside a stream."""
    at, content = 0, b" " + content
    while budget.step() and (found := _INLINE.search(content, at)) is not None:
        end = _INLINE_END.search(content, found.end())
        at = end.end() if end else len(content)
        entries = entries_at(b"<<" + found[1] + b">>", 0, budget)
        if entries is None:
            budget.unread = True
            continue
        yield entries[0], content[found.end() : end.start() if end else at]
