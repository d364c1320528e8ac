"""How texts were searched for keywords at commit 4803c6f, to compare rates with."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

import ahocorasick_rs
from confusable_homoglyphs import confusables

_FIGURES: Final = str.maketrans("013457@$!|", "oieastasil")
_TOKEN: Final = re.compile(r"[^\W_]+")


@cache
def _look_alikes() -> dict[int, str]:
    letters: dict[int, str] = {}
    for character, others in confusables.confusables_data.items():
        if len(character) > 1 or character.isascii():
            continue
        alike = [str(other["c"]) for other in others]
        latin = [letter for letter in alike if letter.isascii() and letter.isalpha()]
        if latin:
            letters[ord(character)] = min(latin).lower()
    return letters


def normal_form_before(text: str) -> str:
    """Return the words of a text as they were compared."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    visible = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    bare = unicodedata.normalize("NFKD", visible.translate(_look_alikes()))
    plain = "".join(char for char in bare if unicodedata.category(char) != "Mn")
    words: list[str] = []
    spaced = ""
    for word in _TOKEN.findall(plain.translate(_FIGURES)):
        if len(word) == 1:
            spaced += word
            continue
        words += [spaced, word] if spaced else [word]
        spaced = ""
    return " ".join([*words, spaced] if spaced else words)


class KeywordsBefore:
    """The search for keywords in the normal form of that time."""

    def __init__(self, keywords: Iterable[tuple[int, str]]) -> None:
        self._numbers, patterns = [], []
        for number, keyword in keywords:
            self._numbers.append(number)
            patterns.append(f" {keyword} ")
        self._automaton = ahocorasick_rs.AhoCorasick(patterns)

    def find(self, text: str) -> set[int]:
        """Return the numbers of the keywords in a text."""
        words = f" {normal_form_before(text)} "
        hits = self._automaton.find_matches_as_indexes(words, overlapping=True)
        return {self._numbers[which] for which, _, _ in hits}
