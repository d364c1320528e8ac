"""Keywords as they are searched for: case, width, look-alikes and spacing do not matter. Pure.

Text is folded (NFKC, case, marks), invisible characters go, letters that look like Latin ones are
taken for them (Unicode's confusables, and figures as they stand for letters), and letters that are
spaced out are put together again. Then whole words are compared.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

import ahocorasick_rs
from confusable_homoglyphs import confusables

MAX_KEYWORD: Final = 200
FIGURES: Final = str.maketrans("013457@$!|", "oieastasil")
_TOKEN: Final = re.compile(r"[^\W_]+")
# Scripts that are written without spaces: there a keyword may stand anywhere.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)


@cache
def _look_alikes() -> dict[int, str]:
    """Characters that look like a Latin letter, and which."""
    found: dict[int, str] = {}
    for character, others in confusables.confusables_data.items():
        if len(character) > 1 or character.isascii():
            continue
        latin = [each["c"] for each in others if each["c"].isascii() and each["c"].isalpha()]
        if latin:
            found[ord(character)] = min(latin).lower()
    return found


def normal_form(text: str) -> str:
    r"""The words of a text as they are compared, with a space between.

    >>> normal_form("SEA   \N{CYRILLIC SMALL LETTER DZE}hell")
    'sea shell'
    >>> normal_form("s e a - s.h.e.l.l, 5hell")
    'seashell shell'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    visible = "".join(each for each in folded if unicodedata.category(each) != "Cf")
    bare = unicodedata.normalize("NFKD", visible.translate(_look_alikes()))
    plain = "".join(each for each in bare if unicodedata.category(each) != "Mn")
    words: list[str] = []
    spaced = ""
    for word in _TOKEN.findall(plain.translate(FIGURES)):
        if len(word) == 1:
            spaced += word
            continue
        words += [spaced, word] if spaced else [word]
        spaced = ""
    return " ".join([*words, spaced] if spaced else words)


class Keywords:
    """Many keywords in normal form, each with a number; finds in one pass which are in a text."""

    def __init__(self, keywords: Iterable[tuple[int, str]]) -> None:
        self._numbers: list[int] = []
        patterns = []
        for number, keyword in keywords:
            self._numbers.append(number)
            patterns.append(keyword if _UNSPACED.search(keyword) else f" {keyword} ")
        self._automaton = ahocorasick_rs.AhoCorasick(patterns) if patterns else None

    def find(self, text: str) -> set[int]:
        """The numbers of the keywords that are in a text, as it was written."""
        if self._automaton is None:
            return set()
        hits = self._automaton.find_matches_as_indexes(f" {normal_form(text)} ", overlapping=True)
        return {self._numbers[which] for which, _, _ in hits}
