"""A region of a text as a row of letters, and its skeleton; and a keyword as the same. Pure.

A letter has all that it can be read as. A *skeleton* has one symbol for letters that are easily
mistaken, and one for a letter that is repeated, so that each disguise of a word has the word's.
"""

import unicodedata
from typing import Final, NamedTuple

from kinward.matching.glyphs import ALIKE, HIDDEN, MARK, OTHER, PLAIN, glyph, symbol

MAX_REPEATS: Final = 8  # of one letter, as far as they are read
BREAK: Final = "\u200b"  # where a word may end without a space


class Shape(NamedTuple):
    """A keyword as it is aligned: its letters, and the positions at which a word begins."""

    letters: str
    begins: frozenset[int]


class Units(NamedTuple):
    """The letters of a region. `letters`: for each, all that it can be read as."""

    text: str
    letters: list[str]
    kinds: list[int]
    starts: list[int]
    ends: list[int]

    def gap(self, at: int) -> str:
        """Return what is shown between a letter and the one before it, and where a word may end."""
        gap = self.text[self.ends[at - 1] : self.starts[at]]
        if len(gap) < 2 and (not gap or gap in " .-"):
            return gap
        return "".join(mark for mark in gap if mark == BREAK or glyph(mark).kind != HIDDEN)

    def character(self, at: int) -> str:
        """Return the character that a letter is in the text."""
        return self.text[self.starts[at]]


class Skeleton(NamedTuple):
    """The symbols of a region, and the number of the first letter of each; one more at the end."""

    symbols: str
    firsts: list[int]


def shape_of(keyword: str) -> Shape:
    """Return a keyword in normal form as it is aligned."""
    letters, begins = "", set[int]()
    for word in keyword.split(" "):
        begins.add(len(letters))
        for character in word:
            kind, spelled = glyph(character)
            if kind == PLAIN:
                letters += "".join(spelled)
            else:
                letters += spelled[0][1] if kind == ALIKE else character
    return Shape(letters, frozenset(begins - {0}))


def skeleton_of(shape: Shape) -> str:
    """Return the skeleton of a keyword."""
    symbols = [symbol("".join(glyph(letter).letters) or letter) for letter in shape.letters]
    return "".join(mark for at, mark in enumerate(symbols) if not at or mark != symbols[at - 1])


def read(text: str, *, marks: bool) -> Units:
    """Return the letters of a region. `marks`: read marks as letters, such as `$` as an s."""
    units = Units(text, [], [], [], [])
    _, letters, kinds, starts, ends = units
    for at, character in enumerate(text):
        kind, spelled = glyph(character)
        if kind > OTHER or (kind == MARK and not marks):
            continue
        for readings in spelled:
            if _is_repeated(letters, starts, readings, at):
                ends[-1] = at + 1
                continue
            letters.append(readings)
            kinds.append(kind)
            starts.append(at)
            ends.append(at + 1)
    _read_capital_i(units)
    return units


def _is_repeated(letters: list[str], starts: list[int], readings: str, at: int) -> bool:
    """Return whether enough of this letter stand directly before it."""
    if len(letters) < MAX_REPEATS or letters[-1] != readings:
        return False
    alike = all(other == readings for other in letters[-MAX_REPEATS:])
    return alike and starts[-1] <= at <= starts[-1] + 1


def _read_capital_i(units: Units) -> None:
    """Read `I` after small letters also as an l, and `l` beside capitals also as an i.

    A word may begin with either.
    """
    text, letters = units.text, units.letters
    for number, at in enumerate(units.starts):
        if letters[number] == "i" and text[at].isupper():
            before = _beside(units, number, -1)
            if before.islower() or (not before and _beside(units, number, 1).islower()):
                letters[number] = "il"
        elif text[at] == "l" and (
            _beside(units, number, -1).isupper() or _beside(units, number, 1).isupper()
        ):
            letters[number] = "li"


def _beside(units: Units, number: int, step: int) -> str:
    """Return the next letter of the same word on a side that is neither i nor l, or none."""
    at = number + step
    while 0 <= at < len(units.letters) and abs(at - number) < MAX_REPEATS:
        if " " in units.gap(max(at, at - step)):
            return ""
        if units.letters[at] not in ("i", "l", "il", "li"):
            return unicodedata.normalize("NFKC", units.character(at))
        at += step
    return ""


def skeletons(units: Units) -> list[Skeleton]:
    """Return the skeletons of a region: by the first reading of each letter, and by the last."""
    first = _skeleton([symbol(readings) for readings in units.letters])
    last = _skeleton([symbol(readings[::-1]) for readings in units.letters])
    return [first] if first.symbols == last.symbols else [first, last]


def _skeleton(symbols: list[str]) -> Skeleton:
    firsts = [at for at, mark in enumerate(symbols) if not at or mark != symbols[at - 1]]
    return Skeleton("".join([symbols[at] for at in firsts]), [*firsts, len(symbols)])
