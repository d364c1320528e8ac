"""Search for keywords regardless of case, width, look-alikes and spacing. Pure.

Text is folded (NFKC, case, marks) and invisible characters are dropped. Characters that look like
Latin letters are replaced by them: Unicode's confusables, and digits that stand for letters.
Letters that are spaced out are joined. Then whole words are compared.
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
# Scripts written without spaces, where a keyword may stand anywhere.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)


@cache
def _look_alikes() -> dict[int, str]:
    """Return the characters that look like a Latin letter, each with that letter."""
    letters: dict[int, str] = {}
    for character, others in confusables.confusables_data.items():
        if len(character) > 1 or character.isascii():
            continue
        alike = [other["c"] for other in others]
        latin = [letter for letter in alike if letter.isascii() and letter.isalpha()]
        if latin:
            letters[ord(character)] = min(latin).lower()
    return letters


def normal_form(text: str) -> str:
    r"""Return the words of a text as they are compared, with spaces between.

    >>> normal_form("SEA   \N{CYRILLIC SMALL LETTER DZE}hell")
    'sea shell'
    >>> normal_form("s e a - s.h.e.l.l, 5hell")
    'seashell shell'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    visible = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    bare = unicodedata.normalize("NFKD", visible.translate(_look_alikes()))
    plain = "".join(char for char in bare if unicodedata.category(char) != "Mn")
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
    """Keywords in normal form, each with a number. One pass finds all that are in a text."""

    def __init__(self, keywords: Iterable[tuple[int, str]]) -> None:
        self._numbers: list[int] = []
        patterns = []
        for number, keyword in keywords:
            self._numbers.append(number)
            patterns.append(keyword if _UNSPACED.search(keyword) else f" {keyword} ")
        self._automaton = ahocorasick_rs.AhoCorasick(patterns) if patterns else None

    def find(self, text: str) -> set[int]:
        """Return the numbers of the keywords in a text. `text`: as written, not in normal form."""
        if self._automaton is None:
            return set()
        hits = self._automaton.find_matches_as_indexes(f" {normal_form(text)} ", overlapping=True)
        return {self._numbers[which] for which, _, _ in hits}
