"""Keywords in texts: false hits in ordinary text, evasions that are found, and time.

    python -m bench.text [evasions]

Prints the tables of docs/benchmarks.md. *Before* is the search of commit 4803c6f. Two corpora are
ordinary text in six languages: the word lists of the package `wordfreq`, with how often each word
is in books, news, subtitles and the web, and the messages of Django, allauth and Kinward with lines
of dates, initials, rooms and prices (`tests/support/ordinary.py`). A hit is false if the keyword is
no word of the text. The evasions are those of `tests/support/evasions.py`.
"""

import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Final

import wordfreq

from kinward.matching.keywords import MAX_TEXT, Keywords, normal_form
from tests.support import ordinary
from tests.support.evasions import WORDS, evasions
from tests.support.words_before import KeywordsBefore, normal_form_before

KEYWORDS: Final = 5_000  # the most frequent words of a language, banked all at once
LISTED: Final = 300_000  # words of a list that are searched
LINES: Final = 20_000
DRAWS: Final = 20
ROUNDS: Final = 9
DIGITS: Final = re.compile(r"\d{2,}|\d*0\.\d+|0")

Search = Callable[[str], set[int]]


def searches(words: Iterable[str]) -> tuple[Search, Search]:
    """The search before, and the search after."""
    words = list(words)
    before = KeywordsBefore((number, normal_form_before(word)) for number, word in enumerate(words))
    after = Keywords((number, normal_form(word)) for number, word in enumerate(words))
    return before.find, lambda text: after.find(text).numbers


def listed(language: str) -> Iterator[tuple[str, float]]:
    """Words of a language, each with how often it is among a million words.

    A list has 0 for each digit of a longer number. Such a word stands for several with digits by
    chance.
    """
    dice = random.Random(language)
    rates = wordfreq.get_frequency_dict(language, "best")
    for word, rate in list(rates.items())[:LISTED]:
        draws = DRAWS if DIGITS.search(word) else 1
        for _ in range(draws):
            yield DIGITS.sub(lambda number: _digits(number[0], dice), word), rate * 1e6 / draws


def _digits(number: str, dice: random.Random) -> str:
    return "".join(dice.choice("0123456789") if digit == "0" else digit for digit in number)


def false_hits(search: Search, keys: list[str], texts: Iterable[tuple[str, float]]) -> float:
    """False hits, each as often as its text is."""
    return sum(
        rate * sum(keys[number] not in ordinary.literally(text) for number in numbers)
        for text, rate in texts
        if (numbers := search(text))
    )


def rates() -> None:
    print("| language | lists, before | after | messages and lines, before | after |")
    print("| --- | --- | --- | --- | --- |")
    for language in ordinary.LANGUAGES:
        texts = [*ordinary.sentences(language), *ordinary.lines(language, LINES)]
        each = 1e6 / sum(map(ordinary.count_words, texts))
        frequent = wordfreq.top_n_list(language, 4 * KEYWORDS)
        longer = [word for word in frequent if word.isalpha() and len(word) >= ordinary.LEAST]
        row = []
        for words, corpus in (
            (longer[:KEYWORDS], list(listed(language))),
            (ordinary.vocabulary(language), [(text, each) for text in texts]),
        ):
            keys = [normal_form(word) for word in words]
            row += [false_hits(search, keys, corpus) for search in searches(words)]
        print(f"| {language} |", " | ".join(f"{rate:.1f}" for rate in row), "|")


def recall(count: int) -> None:
    found, every = [Counter[str](), Counter[str]()], Counter[str]()
    both = searches(WORDS)
    for evasion in evasions(count):
        every[evasion.way] += 1
        for counter, search in zip(found, both, strict=True):
            counter[evasion.way] += WORDS.index(evasion.keyword) in search(evasion.text)
    before, after = found
    print("| evasion | of | before | after |\n| --- | --- | --- | --- |")
    for way, number in every.items():
        print(f"| {way} | {number} | {before[way]} | {after[way]} |")
    shares = [f"{100 * counter.total() / count:.1f} %" for counter in found]
    print(f"| all | {count} | {shares[0]} | {shares[1]} |")


def speed() -> None:
    words = [word for language in ordinary.LANGUAGES for word in ordinary.vocabulary(language)]
    both = searches(f"{word} {other}" for word, other in pairwise(words))
    messages = [
        text
        for language in ordinary.LANGUAGES
        for text in ordinary.sentences(language)
        if 20 < len(text) < 200
    ]
    hostile = ("\u0455\u0435\u0430\u0455h\u0435ll\u0455 " * MAX_TEXT)[:MAX_TEXT]
    for name, texts in (
        ("a message", messages),
        ("a page of 10,000 characters", [" ".join(messages)[:10_000]]),
        (f"a hostile text of {MAX_TEXT:,} look-alikes", [hostile]),
    ):
        times = [[_seconds(search, texts) for search in both] for _ in range(ROUNDS)]
        before, after = (min(each) / len(texts) * 1e6 for each in zip(*times, strict=True))
        print(f"{name}: {before:,.0f} µs before, {after:,.0f} µs after, {after / before:.2f} times")


def _seconds(search: Search, texts: list[str]) -> float:
    began = time.process_time()
    for text in texts:
        search(text)
    return time.process_time() - began


def main() -> None:
    print("False hits in a million words of ordinary text\n")
    rates()
    print("\nEvasions that are found\n")
    recall(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
    print("\nTime\n")
    speed()


if __name__ == "__main__":
    main()
