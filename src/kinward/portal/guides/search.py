"""The search of the guides: a few words, compared with what the guides say in one language."""

import re
import unicodedata
from functools import cache
from typing import Final

from kinward.portal.guides.catalogue import Guide, guides, text_of

MAX_QUERY: Final = 80  # characters
MAX_WORDS: Final = 8
MAX_FOUND: Final = 8
SHORTEST: Final = 3  # characters of a word that is searched for


def search(query: str, language: str) -> list[Guide]:
    """Return the guides that fit a query best, the best first. Reads the first 80 characters.

    A word counts for more in a title or among the keywords, and the fewer guides have it.
    """
    wanted = [word for word in _words(query[:MAX_QUERY]) if len(word) >= SHORTEST][:MAX_WORDS]
    scores: dict[str, float] = {}
    for word in dict.fromkeys(wanted):
        found = {name: _weight(word, name, language) for name in guides()}
        having = sum(weight > 0 for weight in found.values())
        for name, weight in found.items():
            if weight:
                scores[name] = scores.get(name, 0.0) + weight / having
    best = sorted(scores, key=lambda name: -scores[name])[:MAX_FOUND]
    return [guides()[name] for name in best]


def _weight(word: str, name: str, language: str) -> int:
    top, rest = _haystack(name, language)
    if any(having.startswith(word) for having in top):
        return 4
    return int(any(having.startswith(word) for having in rest))


@cache
def _haystack(name: str, language: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words of a guide: of title, occasion and keywords, and of the rest."""
    text = text_of(name, language)
    top = _words(f"{text.title} {text.when} {text.keywords}")
    rest = _words(" ".join([*text.prose(), *(saying.words for saying in text.say)]))
    return frozenset(top), frozenset(rest)


def _words(text: str) -> list[str]:
    """Return the words of a text without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"\w+", "".join(mark for mark in plain if not unicodedata.combining(mark)))
