"""Which parts of a text are not written as ordinary text is, so that they may hide a keyword. Pure.

Each character has a class: a small letter, a capital, a digit, a space, a mark, and so on. A text
is odd where its classes stand together as ordinary words never have them.
"""

import re
from typing import Final

from kinward.matching.glyphs import (
    ALIKE,
    DIGIT,
    HIDDEN,
    MARK,
    OTHER,
    PLAIN,
    SPACE,
    STRONG,
    WEAK,
    fold,
    glyph,
    is_unspaced,
    script,
)

_CLASSES: Final = {
    DIGIT: "1",
    MARK: "*",
    ALIKE: "X",
    SPACE: " ",
    WEAK: ".",
    STRONG: "*",
    HIDDEN: "h",
}
_LETTER: Final = ("a", "A")
_BESIDE: Final = tuple(
    pair for letter in _LETTER for other in "1*h!c" for pair in (letter + other, other + letter)
)
# A digit, a mark or an ideograph beside a letter, CamelCase, and what looks like another letter.
# An exclamation mark after a word is ordinary.
_ODD: Final = (*(pair for pair in _BESIDE if pair not in ("a!", "A!")), "aA", "X", "c*", "ch")
_PAIRS: Final = tuple(letter * 2 for letter in "abcdefghijklmnopqrstuvwxyz")
_TRIPLE: Final = re.compile(r"([^\W\d_])\1\1")  # also of letters that are not Latin
_DOUBLED: Final = re.compile(r"([^\W\d_])\1([^\W\d_])\2([^\W\d_])\3")
_MISTAKEN: Final = tuple(f"I{vowel}" for vowel in "aeiouy")
_SPELLED: Final = re.compile(r"(?<![^ ])[.!]*[aAX][.!]*(?: [ .!]*[aAX][.!]*){2,}(?![^ ])")
_BARE: Final = str.maketrans({"A": "a", "X": "a", ".": None, "!": None})
MAX_REPLACED: Final = 24  # characters that are replaced one after the other, which is fast for few
# Characters of ASCII that have the class of others, where two classes are letters themselves.
_STAND_INS: Final = {mark: mark for mark in "aA1 .*!"} | {"X": "\x01", "h": "\x02", "c": "\x03"}


class _Classes(dict[int, str]):
    """The class of each character, for `str.translate`."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        kind, _ = glyph(character)
        if character == "!":
            found = "!"
        elif kind in (PLAIN, OTHER):
            known = kind == OTHER or fold(character).isalpha()
            found = ("A" if character.isupper() else "a") if known else "X"
            if is_unspaced(script(character)):
                found = "c"
        elif kind == DIGIT and not character.isascii():
            found = "X"
        else:
            found = _CLASSES[kind]
        if len(self) < 1 << 16:
            self[point] = found
        return found


_CLASS: Final = _Classes()
_CLASS.update({ord(stand_in): found for found, stand_in in _STAND_INS.items()})


def odd_regions(text: str, near: int) -> list[str]:
    """Return the parts of a text that may have a keyword in disguise.

    `near`: the number of words before and after an odd one that a phrase may have.
    """
    classes = _classes(text)
    odd = _odd_spans(classes, text)
    if _may_be_spelled(classes):
        spelled = [_widened(classes, match.span(), 1) for match in _SPELLED.finditer(classes)]
        odd = sorted({*odd, *spelled})
    regions: list[tuple[int, int]] = []
    for span in odd:
        begin, end = _widened(classes, span, near) if near else span
        if regions and begin <= regions[-1][1] + (near > 0):
            begin, last = regions.pop()
            end = max(end, last)
        regions.append((begin, end))
    return [text[begin:end] for begin, end in regions]


def _classes(text: str) -> str:
    """Return the class of each character of a text."""
    if not text.isascii():
        beyond = [character for character in set(text) if character > "\x7f"]
        if len(beyond) > MAX_REPLACED:
            return text.translate(_CLASS)
        for character in beyond:
            text = text.replace(character, _STAND_INS[_CLASS[ord(character)]])
    return text.translate(_CLASS)


def _odd_spans(classes: str, text: str) -> list[tuple[int, int]]:
    """Return where the odd words are, by halves: most of a text is ordinary."""
    spans: list[tuple[int, int]] = []
    waiting = [(0, len(text))]
    while waiting:
        begin, end = waiting.pop()
        if not _is_odd(classes[begin:end], text[begin:end]):
            continue
        space = classes.find(" ", (begin + end) // 2, end)
        if space < 0:
            space = classes.rfind(" ", begin, end)
        if space < 0:
            spans.append((begin, end))
        else:
            waiting += [(space + 1, end), (begin, space)]
    return spans


def _widened(classes: str, span: tuple[int, int], words: int) -> tuple[int, int]:
    """Return a span with so many words more on each side."""
    begin, end = span
    for _ in range(words):
        begin = classes.rfind(" ", 0, max(0, begin - 1)) + 1
        after = classes.find(" ", end + 1)
        end = after if after >= 0 else len(classes)
    return begin, end


def _is_odd(classes: str, text: str) -> bool:
    """Return whether classes stand together as ordinary words never have them."""
    for pair in _ODD:
        if pair in classes:
            return True
    if "." in classes and _has_short_pieces(classes):
        return True
    if "I" in text and any(pair in text for pair in _MISTAKEN):
        return True
    return _is_repeated(text.lower())


def _is_repeated(text: str) -> bool:
    """Return whether a letter stands three times, three letters twice each, or two v for a w."""
    if not text.isascii() and _TRIPLE.search(text):
        return True
    doubled = [pair for pair in _PAIRS if pair in text]
    if not doubled:
        return False
    if "vv" in doubled or any(pair + pair[0] in text for pair in doubled):
        return True
    return sum(map(text.count, doubled)) > 2 and _DOUBLED.search(text) is not None


def _has_short_pieces(classes: str) -> bool:
    """Return whether points or hyphens cut off one or two letters on both sides."""
    small = classes.replace("A", "a") if "A" in classes else classes
    return ".a." in small or ".aa." in small or ("a..a" in small)


def _may_be_spelled(classes: str) -> bool:
    """Return whether three letters may stand alone, one after the other."""
    bare = classes.translate(_BARE)
    return " a " in bare and " a a a " in f" {' '.join(bare.split())} "
