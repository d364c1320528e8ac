r"""Names and texts of strangers, as a person reads them. Pure.

What is stored, reported and exported is exactly what the platform sent. What a person reads has
each invisible, blank, direction and control character as a mark, such as `[U+202E]`. A text that is
written from right to left is isolated, so that it cannot turn the words around it.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

FIRST_STRONG: Final = "\u2068"  # isolates what follows, up to the end mark
END: Final = "\u2069"
MAX_STACK: Final = 4  # marks above and below one letter; more would cover other lines

# Blank or invisible, though Unicode counts them as letters, symbols or marks.
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# What turns a text around or cannot be seen, and stands in no script's own spelling.
_UNSEEN: Final = re.compile(
    "[\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U000e0000-\U000e01ef]"
)
_JOINERS: Final = "\u200c\u200d"
_EMOJI_STYLES: Final = "\ufe0e\ufe0f"
_ALWAYS_SHOWN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")
# Scripts in which a joiner changes what a reader sees, by the first word of a character's name.
_JOINING: Final = re.compile(
    "ARABIC|SYRIAC|NKO|MONGOLIAN|DEVANAGARI|BENGALI|GURMUKHI|GUJARATI|ORIYA|TAMIL|TELUGU|KANNADA|"
    "MALAYALAM|SINHALA|KHMER|MYANMAR|TIBETAN"
)
_RIGHT_TO_LEFT: Final = ("R", "AL", "AN")
_PLAIN: Final = re.compile(r"[!-~]+(?: [!-~]+)*")
_PLAIN_LINES: Final = re.compile(r"[ -~\n\r\t]*")


def visible(text: str, *, lines: bool = False) -> str:
    r"""Return a text with each character that cannot be seen as a mark. `lines` keeps line ends.

    >>> visible("ann\u202e"), visible(" a\n"), visible("a\nb", lines=True)
    ('ann[U+202E]', '[U+0020]a[U+000A]', 'a\nb')
    """
    return "".join(f"[{mark}]" if mark else letter for letter, mark in marked(text, lines=lines))


def isolated(text: str, *, lines: bool = False) -> str:
    r"""Return a text, visible, for plain text around it: isolated if it runs from right to left.

    >>> isolated("ann"), isolated("\u05d0") == "\u2068\u05d0\u2069"
    ('ann', True)
    """
    shown = visible(text, lines=lines)
    return f"{FIRST_STRONG}{shown}{END}" if turns(shown) else shown


def readable_json(data: bytes) -> bytes:
    r"""Return a JSON text that says the same, with each hidden character escaped.

    Whoever opens the file reads its words in their order, and a program reads the same values.

    >>> readable_json('"ann\u202e"'.encode())
    b'"ann\\u202e"'
    """
    text = data.decode()
    if _PLAIN_LINES.fullmatch(text):
        return data
    return _UNSEEN.sub(_escaped, text).encode()


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def without_unseen(text: str) -> str:
    r"""Return a text without what can neither be seen nor separates words, to compare it.

    >>> without_unseen("a\u200bn\u202en b")
    'ann b'
    """
    return "".join(
        letter
        for letter in text
        if letter.isspace()
        or not (unicodedata.category(letter) in ("Cc", "Cf") or _BLANK.match(letter))
    )


def turns(text: str) -> bool:
    """Return whether a visible text has letters or digits that run from right to left."""
    return not text.isascii() and any(
        unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text
    )


def marked(text: str, *, lines: bool = False) -> Iterator[tuple[str, str]]:
    """Yield each character with its mark, such as `U+202E`. The mark of a visible one is empty."""
    if (_PLAIN_LINES if lines else _PLAIN).fullmatch(text):
        yield text, ""
        return
    stack = 0
    for place, letter in enumerate(text):
        combining = unicodedata.category(letter) in ("Mn", "Me")
        stack = stack + 1 if combining else 0
        hidden = stack > MAX_STACK or (combining and place == 0) or _is_hidden(text, place, lines)
        yield letter, f"U+{ord(letter):04X}" if hidden else ""


def _is_hidden(text: str, place: int, lines: bool) -> bool:
    letter = text[place]
    before = text[place - 1] if place else ""
    after = text[place + 1] if place + 1 < len(text) else ""
    if letter == " ":
        # Browsers show several spaces as one, and none at the ends.
        return not lines and (not before or not after or before == " ")
    if lines and letter in "\n\r\t":
        return False
    if letter == "\u3000":  # the space of Chinese and Japanese
        return not before or not after
    if letter in _JOINERS:
        return not _joins(letter, before, after)
    if letter in _EMOJI_STYLES:
        return not (_is_emoji(before) or (before and before in "0123456789#*"))
    return bool(_BLANK.match(letter)) or unicodedata.category(letter) in _ALWAYS_SHOWN


def _joins(letter: str, before: str, after: str) -> bool:
    """Return whether a joiner does its work here: between emoji, or in a script that needs it."""
    if letter == "\u200d" and _is_emoji(after):
        return before in _EMOJI_STYLES or _is_emoji(before)
    return _needs_joiners(before) and _needs_joiners(after)


def _is_emoji(letter: str) -> bool:
    if not letter:
        return False
    return unicodedata.category(letter) == "So" or "\U0001f3fb" <= letter <= "\U0001f3ff"


def _needs_joiners(letter: str) -> bool:
    return bool(letter and _JOINING.match(unicodedata.name(letter, "")))
