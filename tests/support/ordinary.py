"""Ordinary text in the six languages of the catalogue, from packages that are installed anyway.

The sentences are the messages of Django (BSD), allauth (MIT) and Kinward, with the figures, quotes,
hyphens and abbreviations that they have. `lines` puts words of theirs beside what else is in
ordinary text: initials, rooms, dates, prices, units, versions, abbreviations.
"""

# ruff: noqa: RUF001  # letters that look alike are what this is about

import random
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from importlib.util import find_spec
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("en", "de", "es", "fr", "nl", "sv")
PACKAGES: Final = ("django", "allauth", "kinward")
_PLACE: Final = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|<[^>]*>")
_WORD: Final = re.compile(r"[^\W\d_]+")
LEAST: Final = 3  # letters of a keyword
LINES: Final = (
    "{A}. {B}. {B}. {Word}", "{A}. {B}. {Word}", "{A}.{B}. {Word}", "{A} {B} {B} {Word}",
    "{word} {n}{bb}", "{word} {n}{b}, {word}", "{B}{n}", "{Word} {n}{B}", "{bb}{n}", "{n}{b}{n}",
    "{n}.{n}.20{nn}", "{n}/{n}", "20{nn}-{nn}-{nn}", "{n}:{nn}", "{n}h{nn}", "{nn}%", "{nn} %",
    "{n},{nn} €", "${n}.{nn}", "{n}€", "{nn}$", "£{nn}", "{n}kg {word}", "{nn}cm", "{n}x{n} {word}",
    "{word} v{n}.{n}.{n}", "{word}-{n}", "{word} ({word})", "{word}/{word}", "{word}; {word}!",
    "({word}s)", "{word}(s)", "{word}!", "{word}!!!", "¡{word}!", "¿{word}?", "«{word}»",
    "{word}, {word}, {word}", "{n}. {word}", "a) {word} b) {word}", "{word}: {word} & {word}",
    "{b}.{b}. {word}", "{b}.{b}.{b}. {word}", "{B}.{B}. {word}", "{Word}, {B}. ({nn})",
    "{word}@{word}.example", "https://{word}.example/{word}?{b}={nn}", "@{word} {word}",
    "{n}st {word}", "{n}nd", "{n}rd", "{n}th {word}", "{n}e {word}", "{n}er {word}", "{n}:a {word}",
    "{word} {b} {word}", "{word} {B} {B}", "{word} #{n}", "no. {n}{b}", "{Word}{Word}",
    "{word}_{word}",
    "{word}... {word}", "{word} – {word}", "{B}&{B} {word}", "{B}/{B}", "{word}'{b} {word}",
    "+{nn} {nn} {nn}{nn}", "{word} {n}+", "{word} C++", "{B}{B}{nn} {n}{B}{B}", "{nn}{bb} {word}",
)  # fmt: skip


def messages_of_django(language: str) -> list[str]:
    """Return Django's messages in a language that Kinward's catalogues do not have."""
    spec = find_spec("django")
    assert spec is not None
    assert spec.submodule_search_locations
    texts: set[str] = set()
    for path in Path(spec.submodule_search_locations[0]).rglob(
        f"locale/{language}/LC_MESSAGES/*.mo"
    ):
        with path.open("rb") as file:
            messages = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        texts |= {_PLACE.sub("", said).strip() for id, said in messages.items() if id}
    return sorted(texts)


def words_and_marks(text: str) -> list[str]:
    """Return the words of a text in any script, each with its marks."""
    text = unicodedata.normalize("NFC", text).casefold()
    return "".join(one if unicodedata.category(one)[0] in "LM" else " " for one in text).split()


@cache
def sentences(language: str) -> tuple[str, ...]:
    """Return the messages of the packages in a language, each once."""
    texts: dict[str, None] = {}
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        root = Path(spec.submodule_search_locations[0])
        source = "de" if language == "en" else language
        for path in sorted(root.rglob(f"locale/{source}/LC_MESSAGES/*.mo")):
            with path.open("rb") as file:
                messages = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
            for id, said in messages.items():
                if not id:
                    continue  # what heads a catalogue
                text = (id[0] if isinstance(id, tuple) else id) if language == "en" else said
                texts[_PLACE.sub("", text).partition("\x04")[0].strip()] = None
    return tuple(text for text in texts if text)


@cache
def vocabulary(language: str) -> tuple[str, ...]:
    """Return the words of the sentences, in small letters and order. Each is a keyword to try."""
    words = {word for text in sentences(language) for word in _WORD.findall(text.lower())}
    return tuple(sorted(word for word in words if LEAST <= len(word) <= 20))


def lines(language: str, count: int, seed: int = 16) -> Iterator[str]:
    """Yield ordinary lines with figures, initials and abbreviations among words of a language."""
    dice, words = random.Random(seed), vocabulary(language)
    spelled = "".join(words)
    for number in range(count):
        letter = dice.choice(spelled)
        parts = {
            "word": dice.choice(words),
            "Word": dice.choice(words).capitalize(),
            "a": dice.choice(spelled),
            "b": letter,
            "bb": letter * 2 if dice.random() < 0.3 else letter + dice.choice(spelled),
            "n": str(dice.randint(1, 9)),
            "nn": str(dice.randint(10, 99)),
        }
        parts |= {"A": parts["a"].upper(), "B": letter.upper()}
        yield LINES[number % len(LINES)].format_map(parts)


def count_words(text: str) -> int:
    """Return the number of words of a text: what spaces separate."""
    return len(text.split())


def words_of(text: str) -> set[str]:
    """Return the words of a text as they stand there, regardless of case and accents."""
    bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(char for char in bare if unicodedata.category(char) not in ("Mn", "Cf"))
    return set(re.findall(r"[^\W_]+", plain.replace("œ", "oe").replace("æ", "ae")))


def literally(text: str) -> set[str]:
    """Return `words_of` a text, and the words between digits.

    A letter that repeats three times or more counts once, twice, and as it is.
    """
    words = words_of(text)
    words |= {part for word in words for part in _WORD.findall(word)}
    longer = re.compile(r"(.)\1{2,}")
    once = {longer.sub(r"\1", word) for word in words}
    return words | once | {longer.sub(r"\1\1", word) for word in words}
