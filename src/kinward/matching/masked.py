"""Words of which a mark hides a letter, as in `k*te`. Pure.

Each mark stands for one letter. A word is only read so if its first and last letters are there, and
at least twice as many letters as marks, since what is left would otherwise be anybody's guess.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from kinward.matching.glyphs import HIDDEN, STRONG, Glyph, glyph, is_unspaced, script

LEAST: Final = 4  # letters of the shortest word
SHOWN: Final = 2  # letters that are there for each one that is hidden
MAX_LENGTH: Final = 40
_MASKS: Final = frozenset("#%?")  # beside what no ordinary word has inside
# What may hide a letter stands inside a word. Most texts have none.
_INSIDE: Final = re.compile(r"\w[^\w\s.,:;!\"'\u2019()<>/=&-]|[^\W_]_")
# A line stands for a letter only beside one letter, as in `k_te`.
_BLANK: Final = re.compile(r"(?:^|_)[^\W_]_|_[^\W_](?:_|$)")
_TOKEN: Final = re.compile(r"[^\s.,:;!\"'\u2019()<>/=&]+")


class Masked(NamedTuple):
    """A masked word in a text: from where to where it stands, and a word that it can be."""

    begin: int
    end: int
    word: str


class MaskedWords:
    """Words, found where marks hide some of their letters."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        for word in sorted(set(words)):
            if LEAST <= len(word) <= MAX_LENGTH and all(map(_may_be_hidden, word)):
                self._words[word[0], word[-1], len(word)].append(word)

    def find(self, text: str) -> Iterator[Masked | None]:
        """Yield what masked words can be. Yields None for each further comparison that it took."""
        if not self._words or not _INSIDE.search(text):
            return
        for token in _TOKEN.finditer(text):
            # `join?d=37` is an address
            pattern = None if text[token.end() : token.end() + 1] == "=" else _pattern(token[0])
            if pattern is None:
                continue
            for first in pattern[0]:
                for last in pattern[-1]:
                    for word in self._words.get((first, last, len(pattern)), ()):
                        fits = all(
                            not readings or letter in readings
                            for letter, readings in zip(word, pattern, strict=True)
                        )
                        yield Masked(token.start(), token.end(), word) if fits else None


def _may_be_hidden(letter: str) -> bool:
    return letter.isalpha() and not is_unspaced(script(letter))


def _pattern(token: str) -> list[str] | None:
    """Return what each letter of a masked word can be, nothing for a mask; None if it is none."""
    if len(token) > 2 * MAX_LENGTH or token.isalnum():
        return None
    if "_" in token and not _BLANK.search(token):
        return None  # words joined by lines, as in `model_name`
    pattern: list[str] = []
    for character in token:
        read: Glyph = glyph(character)
        if character in _MASKS or read.kind == STRONG:
            pattern.append("")
        elif read.kind == HIDDEN:
            continue
        elif len(read.letters) == 1:
            pattern.append(read.letters[0])
        else:
            return None
    masks = pattern.count("")
    shown = len(pattern) - masks
    if not masks or len(pattern) < LEAST or shown < max(SHOWN * masks, LEAST - 1):
        return None
    return pattern if pattern[0] and pattern[-1] else None
