"""Search for keywords in a text as written, and in disguise. Pure.

A text is read in two ways. As written: its words regardless of case, width, accents and what is
not shown. In disguise: the parts that ordinary text does not have, such as digits among letters,
are read as all that they look like, and each keyword that could be in them is then compared with
what stands there (`disguise`). `docs/concepts/text.md` has the rules.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import combinations
from typing import Final, NamedTuple

import ahocorasick_rs

from kinward.matching.disguise import JOINED, SPELLED, Matcher
from kinward.matching.glyphs import ALIKE, OTHER, fold, glyph, script
from kinward.matching.letters import Shape, read, shape_of, skeleton_of, skeletons
from kinward.matching.masked import MaskedWords
from kinward.matching.oddities import odd_regions
from kinward.matching.scripts import (
    LETTER_MARKS,
    UNSPACED,
    closed_up,
    without_gaps,
    without_strays,
)
from kinward.matching.turned import from_other_side, in_shown_order

MAX_KEYWORD: Final = 200
MAX_TEXT: Final = 20_000  # characters of a text that is searched
MAX_JOINTS: Final = 4  # of a phrase, for each of which the words may stand together
MAX_NEAR: Final = 40  # words on each side that are read with one that is odd
MAX_STEPS: Final = 300_000  # of comparing candidates in one text
MAX_MASKED: Final = 60_000  # steps of comparing words of which a mark hides a letter …
PHRASE_STEPS: Final = 20  # … and how many it takes to see whether one is in a phrase
LONG: Final = 4  # letters of a keyword without spaces that a space inside does not hide
_TOKEN: Final = re.compile(rf"(?:[^\W_]|[{LETTER_MARKS}])+")
_MARKUP: Final = re.compile(
    r"</?(?:a|abbr|b|big|br|code|del|div|em|font|h[1-6]|i|img|ins|kbd|li|mark|ol|p|pre|q|s|samp|"
    r"small|span|strike|strong|sub|sup|tt|u|ul|var|wbr)(?:\s[^<>]{0,300})?/?>|<!--[^<>]{0,300}-->"
    r"|\[/?(?:b|i|u|s|color|size|font|url|quote|code|spoiler|center)(?:=[^\[\]]{0,100})?\]",
    re.IGNORECASE,
)
_ENTITY: Final = re.compile(r"&(?:#|[A-Za-z])")
_MARK: Final = re.compile(r"[^\w\s]")
# What separates words of ASCII, and capitals made small.
_SPACED: Final = {
    point: chr(point).lower() if chr(point).isalnum() else " " for point in range(128)
}
REMOVED: Final = "\ufffc"  # stands where markup was


class Found(NamedTuple):
    """The numbers of keywords in a text. `entire`: whether the text was read to its end."""

    numbers: set[int]
    entire: bool


def normal_form(text: str) -> str:
    r"""Return the words of a text as they are compared, with spaces between.

    A word with letters of several scripts is disguised, so its look-alikes become Latin.

    >>> normal_form("SEA   \N{CYRILLIC SMALL LETTER DZE}hells!")
    'sea shells'
    >>> normal_form("C4T")
    'c4t'
    """
    return " ".join(map(_unmixed, _TOKEN.findall(fold(text))))


def _unmixed(word: str) -> str:
    """Replace what looks like Latin letters in a word that has Latin letters, too."""
    if (
        len(word) < SPELLED
        or word.isascii()
        or not word.isalpha()
        or not any("a" <= letter <= "z" for letter in word)
    ):
        return word
    glyphs = [glyph(letter) for letter in word]
    if any(kind == OTHER for kind, _ in glyphs):
        return word
    return "".join(
        letters[0][1] if kind == ALIKE and script(own) != "LATIN" else own
        for own, (kind, letters) in zip(word, glyphs, strict=True)
    )


class _Patterns:
    """Patterns, each with the numbers of its keywords. One pass finds all that are in a text."""

    def __init__(self, patterns: dict[str, set[int]]) -> None:
        self._automaton = ahocorasick_rs.AhoCorasick([*patterns]) if patterns else None
        self._numbers = [*patterns.values()]

    def find(self, text: str) -> list[tuple[set[int], int, int]]:
        """Return the numbers, the beginning and the end of each pattern in a text."""
        if self._automaton is None:
            return []
        hits = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return [(self._numbers[which], begin, end) for which, begin, end in hits]


class Keywords:
    """Keywords in normal form, each with a number, and a search for all of them at once."""

    def __init__(self, keywords: Iterable[tuple[int, str]]) -> None:
        words: dict[str, set[int]] = {}
        symbols: dict[str, set[int]] = {}
        self._shapes: dict[int, Shape] = {}
        self._near = 0
        self._long: set[int] = set()
        for number, banked in keywords:
            keyword = normal_form(banked)  # an earlier version may have banked another form
            if len(keyword) >= LONG and UNSPACED.search(keyword):
                self._long.add(number)
            for pattern in _patterns(keyword):
                words.setdefault(pattern, set()).add(number)
            whole = keyword.replace(" ", "") if _is_spelled_out(keyword) else keyword
            self._near = max(self._near, min(MAX_NEAR, whole.count(" ")))
            shape = self._shapes[number] = shape_of(whole)
            skeleton = skeleton_of(shape)
            long = len(shape.letters) >= SPELLED or UNSPACED.search(keyword) is not None
            if long and len(skeleton) > 1:
                symbols.setdefault(skeleton, set()).add(number)
        self._words, self._skeletons = _Patterns(words), _Patterns(symbols)
        self._masked = MaskedWords(word for pattern in words for word in pattern.split())
        bare = {pattern.strip(): numbers for pattern, numbers in words.items()}
        self._alone = {word: numbers for word, numbers in bare.items() if " " not in word}
        self._in_phrases = {word for each in bare if " " in each for word in each.split()}

    def find(self, text: str) -> Found:
        """Return the keywords in a text. `text`: as written, not in normal form."""
        if not self._shapes:
            return Found(set(), True)
        shown = _shown(text)
        found = self._written(text)
        if shown != text:
            found |= self._written(shown)
        if (close := without_gaps(shown)) != shown:
            found |= self._written(close) & self._long
        for reading in from_other_side(shown):
            found |= self._written(reading)
        entire = self._add_masked(shown, found)
        return Found(found, self._add_disguised(shown, found) and entire)

    def _written(self, text: str) -> set[int]:
        found: set[int] = set()
        for numbers, _, _ in self._words.find(_words(text)):
            found |= numbers
        return found

    def _add_masked(self, text: str, found: set[int]) -> bool:
        """Add the keywords of which a mark hides a letter. Returns whether all of it was read."""
        steps = 0
        for masked in self._masked.find(text):
            steps += 1
            if steps > MAX_MASKED:
                return False
            if masked is None:
                continue
            found |= self._alone.get(masked.word, set())
            if masked.word in self._in_phrases:
                steps += PHRASE_STEPS
                before = text[max(0, masked.begin - MAX_KEYWORD) : masked.begin]
                after = text[masked.end : masked.end + MAX_KEYWORD]
                found |= self._written(f"{before}{masked.word}{after}")
        return True

    def _add_disguised(self, text: str, found: set[int]) -> bool:
        """Add the disguised keywords to those found. Returns whether all of the text was read."""
        steps = 0
        regions = odd_regions(text, self._near)
        foreign = _foreign(text) if regions else frozenset()
        for region in regions:
            for marks in (True, False) if _MARK.search(region) else (False,):
                matcher = Matcher(read(region, marks=marks), foreign)
                for numbers, fit in self._candidates(matcher):
                    found |= {number for number in numbers - found if fit(self._shapes[number])}
                    if steps + matcher.steps > MAX_STEPS:
                        return False
                steps += matcher.steps
        return True

    def _candidates(self, matcher: Matcher) -> Iterator[tuple[set[int], Callable[[Shape], bool]]]:
        """Yield keywords that letters may spell, and what says whether one of them does."""
        for skeleton in skeletons(matcher.units):
            for numbers, first, last in self._skeletons.find(skeleton.symbols):
                yield numbers, partial(matcher.fits, skeleton=skeleton, first=first, last=last)


def _words(text: str) -> str:
    """Return the words of a text, with a space around each."""
    if text.isascii():
        return f" {' '.join(text.translate(_SPACED).split())} "
    return f" {normal_form(text)} "


def _patterns(keyword: str) -> list[str]:
    """Return what is searched in the words of a text: a keyword, and its words joined."""
    if UNSPACED.search(keyword):
        return [keyword]
    words = keyword.split(" ")
    joints = range(1, len(words))
    patterns = [keyword]
    if _is_spelled_out(keyword) or len(keyword) + 1 - len(words) >= JOINED:
        chosen = (
            [gone for size in joints for gone in combinations(joints, size)]
            if len(joints) <= MAX_JOINTS
            else [tuple(joints)]
        )
        for gone in chosen:
            parts = [("" if at in gone or at == 0 else " ") + word for at, word in enumerate(words)]
            patterns.append("".join(parts))
    return [f" {pattern} " for pattern in patterns]


def _is_spelled_out(keyword: str) -> bool:
    """Return whether a keyword was written letter by letter: `s e a` for `S.E.A.`."""
    return len(keyword) >= 2 * SPELLED - 1 and all(len(word) == 1 for word in keyword.split(" "))


def _shown(text: str) -> str:
    """Return a text as it is shown: entities read, markup removed, what runs backwards turned.

    Letters that stand apart, of scripts without spaces, come together.
    """
    if "&" in text and _ENTITY.search(text):
        text = html.unescape(text)
    text = in_shown_order(text)
    if "<" in text or "[" in text:
        text = _MARKUP.sub(REMOVED, text)
    return closed_up(without_strays(text))


def _foreign(text: str) -> frozenset[str]:
    """Return the scripts of the letters that look like no Latin ones."""
    if text.isascii():
        return frozenset()
    return frozenset(script(letter) for letter in set(text) if glyph(letter).kind == OTHER)
