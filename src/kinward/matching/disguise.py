"""Whether a keyword stands in a row of letters in disguise: the rules by which it fits. Pure.

A keyword whose skeleton is in the letters of a region is only a candidate. It is aligned with the
letters, and then it counts how many of them are letters, how they repeat, and what stands between
and beside them.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from kinward.matching.glyphs import (
    ALIKE,
    DIGIT,
    LETTERS,
    MARK,
    PLAIN,
    SPACE,
    STRONG,
    glyph,
    is_unspaced,
    script,
)
from kinward.matching.letters import BREAK, Shape, Skeleton, Units

MAX_STARTS: Final = 6  # of a candidate whose first letter is repeated
SPELLED: Final = 3  # letters of the shortest keyword that is found in disguise
SHORT: Final = 4  # letters of a keyword that may be an abbreviation or somebody's initials
LONG: Final = 5  # letters of a keyword that a digit beside it does not hide
JOINED: Final = 6  # letters of a phrase that is found without its spaces
_EDGES: Final = frozenset("@$€£!§¢¥|")  # marks that stand for a letter also at a word's edge
_ARTICLES: Final = frozenset("aeiouyå")  # words of one letter beside letters that are spelled out
_ROMAN: Final = frozenset("ivxlcdm")
# What follows one star, point or line in `Leser*innen`, `jede_r` and `lecteur·e`.
_BEFORE_ENDINGS: Final = frozenset("*_:·/.|@")
_ENDINGS: Final = frozenset({"in", "innen", "r", "n", "e", "s", "es", "er", "en", "em", "x"})


class Matcher:
    """Decides whether candidates in the letters of one region are the keyword. Counts its steps."""

    def __init__(self, units: Units, foreign: frozenset[str]) -> None:
        self.units = units
        self.foreign = foreign  # scripts of which the text has letters that look like no Latin ones
        self.steps = 0

    def fits(self, shape: Shape, skeleton: Skeleton, first: int, last: int) -> bool:
        """Return whether a keyword fits the symbols from `first` up to `last` of a skeleton."""
        firsts = skeleton.firsts
        self.steps += 1
        starts = [
            at
            for at in range(firsts[first], firsts[first + 1])
            if self._can_be(at, shape.letters[0]) and self._begins(at, shape)
        ]
        if len(starts) > MAX_STARTS:
            starts = [*starts[: MAX_STARTS // 2], *starts[-MAX_STARTS // 2 :]]
        return any(
            self._ends(owners[-1][0] + 1, shape) and _Alignment(self, shape, owners).holds()
            for start in starts
            for owners in self._alignments(shape.letters, start, firsts[last])
        )

    def _alignments(self, word: str, start: int, end: int) -> Iterator[list[tuple[int, int]]]:
        """Yield ways to spell a word from a letter on: pairs of a letter and a place in the word.

        A letter may be the next of the word, or repeat the one before. Two v are a w.
        """
        letters = self.units.letters
        limit = self.steps + 64 + 4 * (end - start)
        path: list[tuple[int, int]] = []
        waiting: list[tuple[int, int, int]] = [(start, 0, 0)]
        while waiting and self.steps < limit:
            self.steps += 1
            at, place, depth = waiting.pop()
            del path[depth:]
            if at > start:
                path.append((at - 1, place - 1))
            if place == len(word):
                yield path
            if at >= end:
                continue
            readings, depth = letters[at], len(path)
            if place and word[place - 1] in readings:
                waiting.append((at + 1, place, depth))
            if place == len(word):
                continue
            if word[place] in readings:
                waiting.append((at + 1, place + 1, depth))
            elif self._can_be(at, word[place]):
                waiting.append((at + 2, place + 1, depth))

    def _can_be(self, at: int, letter: str) -> bool:
        """Return whether a letter of the text can be a letter, or is one of two v for a w."""
        readings = self.units.letters[at : at + 2]
        return letter in readings[0] or (letter == "w" and readings == ["v", "v"])

    def _begins(self, at: int, shape: Shape) -> bool:
        """Return whether a word can begin at a letter."""
        if at == 0 or (gap := self.units.gap(at)):
            return at == 0 or gap != BREAK or len(shape.letters) >= LONG
        if self.units.starts[at] == self.units.starts[at - 1]:
            return False
        return self._parts(at - 1, at, shape, outside=at - 1)

    def _ends(self, at: int, shape: Shape) -> bool:
        """Return whether a word can end before a letter."""
        last = at >= len(self.units.letters)
        if last or (gap := self.units.gap(at)):
            return last or gap != BREAK or len(shape.letters) >= LONG
        if self.units.starts[at] == self.units.starts[at - 1]:
            return False
        return self._parts(at - 1, at, shape, outside=at)

    def _parts(self, left: int, right: int, shape: Shape, outside: int) -> bool:
        """Return whether a word can end between two letters that stand side by side."""
        units, inside = self.units, left + right - outside
        if units.kinds[outside] == MARK:
            return True
        if units.kinds[outside] == DIGIT:
            return len(shape.letters) >= LONG and units.kinds[inside] != DIGIT
        before, after = units.character(left), units.character(right)
        if before.islower() and after.isupper():
            return len(shape.letters) > SPELLED and self._is_tag(units.starts[left])
        return is_unspaced(script(before)) != is_unspaced(script(after))

    def _is_tag(self, at: int) -> bool:
        """Return whether a character is in a hashtag, or among three words in CamelCase."""
        text = self.units.text
        token = text[text.rfind(" ", 0, at) + 1 :][:200].partition(" ")[0]
        capitals = sum(left.islower() and right.isupper() for left, right in pairwise(token))
        return "#" in token or capitals >= 2


class _Alignment:
    """A keyword spelled by letters of a region. `owners`: each letter, with its place in it."""

    def __init__(self, matcher: Matcher, shape: Shape, owners: Sequence[tuple[int, int]]) -> None:
        self.matcher, self.units, self.shape, self.owners = matcher, matcher.units, shape, owners
        self.length = len(shape.letters)

    def holds(self) -> bool:
        """Return whether this is the keyword in disguise, and no ordinary text."""
        return self._repeats() and self._disguises() and self._gaps() and self._is_latin()

    def _repeats(self) -> bool:
        """Return whether letters repeat as in the keyword, or as nobody would write them."""
        counts = [0] * self.length
        for _, place in self.owners:
            counts[place] += 1
        word, begins = self.shape
        runs = longer = doubled = at = 0
        while at < self.length:
            end = at + 1
            while end < self.length and word[end] == word[at] and end not in begins:
                end += 1
            written = sum(counts[at:end])
            runs += 1
            longer += written > end - at
            doubled += written == 2 and end - at == 1
            at = end
        if longer and set(word) <= _ROMAN:
            return False
        return not doubled or (longer >= runs - 1 and runs >= SHORT)

    def _disguises(self) -> bool:
        """Return whether enough letters are letters, and not digits or marks."""
        first, last = self.owners[0][0], self.owners[-1][0]
        odd = sorted({place for at, place in self.owners if self._is_disguised(at, place)})
        if not odd:
            return self.length >= JOINED or not self._is_other_latin(first, last)
        plain = self.length - len(odd)
        edges = [at for at in (first, last) if self.units.kinds[at] == MARK]
        if edges and self.length < LONG:
            return False
        if any(self.units.character(at) not in _EDGES for at in edges):
            return False
        if len(odd) > 1 and odd[0] == plain:
            return plain >= SHORT
        if len(odd) > 1:
            return plain >= (1 if self.length >= LONG else 2) and not self._is_number(odd)
        if odd[0] == 0:
            return plain >= SHORT
        if odd[0] == self.length - 1:
            return plain >= 5 - len(edges) and self.units.character(last) not in "!@"
        return plain >= 2 and not self._is_inclusive(odd[0])

    def _is_disguised(self, at: int, place: int) -> bool:
        """Return whether a digit or a mark stands for a letter."""
        kind = self.units.kinds[at]
        return kind == MARK or (kind == DIGIT and not self.shape.letters[place].isdigit())

    def _is_other_latin(self, first: int, last: int) -> bool:
        """Return whether a letter is one of another language, such as ø, or an I for an l."""
        units = self.units
        if units.character(first) == "I" and self.shape.letters[0] == "l":
            return True
        return any(
            units.kinds[at] == ALIKE
            and units.character(at) < "\u0250"
            and script(units.character(at)) == "LATIN"
            for at in range(first, last + 1)
        )

    def _is_number(self, odd: list[int]) -> bool:
        """Return whether all digits are a number before a short word, as in `14den`."""
        return odd[-1] == len(odd) - 1 and self.length < JOINED

    def _is_inclusive(self, place: int) -> bool:
        """Return whether the @ is that of `tod@s`."""
        at = next(at for at, other in self.owners if other == place)
        return self.units.character(at) == "@" and self.shape.letters[place + 1 :] == "s"

    def _gaps(self) -> bool:
        """Return whether what stands between the letters is a disguise, and no space or hyphen."""
        inside: list[list[str]] = [[]]
        places: list[int] = [0]
        after = 0
        for (before, last), (at, place) in zip(self.owners, self.owners[1:], strict=False):
            gap = self.units.gap(before + 1)
            if place in self.shape.begins and place != last:
                inside.append([])
                places.append(place)
                if not gap and not self._joins(at):
                    return False
            elif gap and gap != BREAK:
                inside[-1].append(gap)
                after = place
        sizes = [end - begin for begin, end in zip(places, [*places[1:], self.length], strict=True)]
        if self._is_ending([gap for gaps in inside for gap in gaps], after):
            return False
        return all(map(self._is_disguise, inside, sizes)) and self._stands_alone(inside, sizes)

    def _is_ending(self, gaps: list[str], after: int) -> bool:
        """Return whether the only gap is that of an inclusive ending, as in `Leser*innen`."""
        ending = len(gaps) == 1 and gaps[0] in _BEFORE_ENDINGS
        if not ending or self.shape.letters[after:] not in _ENDINGS:
            return False
        return not any(self._is_disguised(at, place) for at, place in self.owners)

    def _joins(self, at: int) -> bool:
        """Return whether the words of a phrase may stand without a space before this letter."""
        if self.length >= JOINED:
            return True
        text, start = self.units.text, self.units.starts[at]
        return text[start].isupper() and text[start - 1 : start].islower()

    def _is_disguise(self, gaps: list[str], size: int) -> bool:
        """Return whether gaps in a word of a size disguise it."""
        if not gaps:
            return True
        kinds = [{glyph(mark).kind for mark in gap} for gap in gaps]
        spelled = 2 if any(letter not in LETTERS for letter in self.shape.letters) else SPELLED
        single = len(gaps) + 1 >= size and self.length >= spelled
        if any(SPACE in found for found in kinds):
            return single or (size >= JOINED and 1.5 * (len(gaps) + 1) >= size)
        if all(found & {STRONG, MARK} for found in kinds) or single:
            return self.length >= spelled
        return len(gaps) > 1 and size > SHORT and 1.5 * (len(gaps) + 1) >= size

    def _stands_alone(self, inside: list[list[str]], sizes: list[int]) -> bool:
        """Return whether letters that are spelled out are the whole of what is spelled."""
        spelled = [
            gaps
            for gaps, size in zip(inside, sizes, strict=True)
            if size > 1 and len(gaps) + 1 >= size
        ]
        if not spelled:
            return True
        letters = [self.units.character(at) for at, _ in self.owners]
        apart = {gap for gaps in spelled for gap in gaps}
        dotted = any("." in gap for gap in apart)
        if dotted and self.length <= SPELLED:
            return False
        capitals = all(letter.isupper() for letter in letters)
        if capitals and self.length <= SHORT and (dotted or any(" " in gap for gap in apart)):
            return False
        first, last = self.owners[0][0], self.owners[-1][0]
        before = first > 0 and self._goes_on(first, first - 1, apart)
        return not before and not (
            last + 1 < len(self.units.letters) and self._goes_on(last + 1, last + 1, apart)
        )

    def _goes_on(self, gap_at: int, at: int, apart: set[str]) -> bool:
        """Return whether a letter beside is spelled out like those of the keyword."""
        units = self.units
        if units.gap(gap_at) not in apart:
            return False
        after = at + 1 < len(units.letters) and not units.gap(at + 1)
        if after or (at > 0 and not units.gap(at)):
            return False
        article = units.letters[at][0] in _ARTICLES and units.gap(gap_at) == " "
        return not (article and self.length >= LONG)

    def _is_latin(self) -> bool:
        """Return whether letters of another script stand for Latin ones, and not for themselves."""
        kinds, word = self.units.kinds, self.shape.letters
        if not all(letter in LETTERS or letter.isdigit() for letter in word):
            return True
        scripts = {script(self.units.character(at)) for at, _ in self.owners if kinds[at] == ALIKE}
        scripts -= {"LATIN"}
        mixed = any(kinds[at] == PLAIN for at, _ in self.owners)
        return not any(
            name in self.matcher.foreign and (not mixed or is_unspaced(name)) for name in scripts
        )
