"""The guides of the Safety Center: complete in every language, dated, and easy to read."""

import ast
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from kinward.portal.guides.catalogue import guides, text_of
from kinward.portal.guides.claims import FIXED, OF_PACK, claims_in
from kinward.portal.guides.search import MAX_FOUND, MAX_QUERY, search
from kinward.portal.helplines import SPOKEN, for_place
from tests.support.reading import Measured, sentences, syllables, words

TEXT = Path("src/kinward/portal/guides/text")
LANGUAGES = [code for code, _name in settings.LANGUAGES]
NAMES = sorted(guides())
# Up to where a guide that is also for 13 to 15 is easy enough, and any other one. The formulas and
# their units are in `tests/support/reading.py`: years of school, LIX, and three kinds of ease.
AT_MOST = {"en": (5.0, 7.0), "de": (5.0, 7.0), "sv": (25.0, 32.0)}
AT_LEAST = {"es": (80.0, 70.0), "fr": (85.0, 75.0), "nl": (80.0, 70.0)}
QUOTED = re.compile(
    r"[\u201c-\u201e\u00ab\u2018][^\u201c-\u201e\u00ab\u00bb]*?[\u201c\u201d\u00bb\u2019]"
)
LONGEST = 22  # words of a sentence
# How a text would speak of the product, of which only claims may speak.
OF_US = {
    "en": r"we|us|our|ours|this app|this platform|kinward",
    "de": r"wir|uns|unser\w*|diese app|diese plattform|kinward",
    "es": r"nosotros|nuestr\w+|esta app|esta plataforma|kinward",
    "fr": r"nous|notre|nos|cette appli|cette plateforme|kinward",
    "nl": r"wij|we|ons|onze|deze app|dit platform|kinward",
    "sv": r"vi|oss|vår|vårt|våra|den här appen|den här plattformen|kinward",
}

every_text = pytest.mark.parametrize("language", LANGUAGES)


def spoken(name: str, language: str) -> list[str]:
    """Every paragraph that somebody reads in a guide."""
    text = text_of(name, language)
    return [*text.prose(), *(saying.words for saying in text.say), *text.blanks]


def test_every_guide_is_written_in_every_language_and_no_other_file_is_there() -> None:
    written = {str(path.relative_to(TEXT)) for path in TEXT.rglob("*") if path.is_file()}
    assert written == {f"{name}/{language}.toml" for name in NAMES for language in LANGUAGES}


def test_the_facts_of_a_guide_hold_together() -> None:
    for name, guide in guides().items():
        assert guide.name == name
        assert guide.readers, name
        assert guide.sources, name
        assert guide.claims, name
        assert bool(guide.reviewer) == bool(guide.reviewed), f"{name}: who reviewed it, and when?"
        assert set(guide.see) <= set(guides()) - {name}, name
        assert set(guide.claims) <= set(claims_in("en")), name
        assert not guide.discreet or guide.help, name


def test_no_guide_is_from_the_future() -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    assert [name for name, guide in guides().items() if guide.day > tomorrow] == []


@every_text
def test_a_guide_has_the_same_parts_in_each_language(language: str) -> None:
    for name in NAMES:
        text, english = text_of(name, language), text_of(name, "en")
        for mine, other in ((text.first, english.first), (text.blanks, english.blanks)):
            assert len(mine) == len(other), (name, language)
        assert [saying.who for saying in text.say] == [saying.who for saying in english.say]
        assert [len(part.text) for part in text.more] == [len(part.text) for part in english.more]
        if language != "en":
            same = set(spoken(name, language)) & set(spoken(name, "en"))
            assert not [part for part in same if len(words(part)) > 1], (name, language)


@every_text
def test_a_guide_takes_about_three_minutes(language: str) -> None:
    for name in NAMES:
        text = text_of(name, language)
        length = len(Measured(spoken(name, language), language).words)
        assert 170 <= length <= 450, f"{name} in {language} has {length} words"
        assert 3 <= len(text.first) <= 6, name
        assert len(text.say) >= 1, name
        assert all(len(sentences(part)) == 1 for part in text.about), (name, language)
        assert len(words(text.title)) <= 9, (name, language)


@every_text
def test_a_guide_is_easy_enough_for_its_youngest_reader(language: str) -> None:
    for name, guide in guides().items():
        older = "13-15" not in guide.readers
        score = Measured(spoken(name, language), language).score
        if language in AT_MOST:
            assert score <= AT_MOST[language][older], f"{name} in {language}: {score:.1f}"
        else:
            assert score >= AT_LEAST[language][older], f"{name} in {language}: {score:.1f}"


@every_text
def test_no_sentence_of_a_guide_or_claim_is_long(language: str) -> None:
    texts = [part for name in NAMES for part in spoken(name, language)]
    for text in (*texts, *claims_in(language).values()):
        for sentence in sentences(text):
            assert len(words(sentence)) <= LONGEST, sentence
        assert ";" not in text, text


@every_text
def test_only_claims_speak_of_the_product(language: str) -> None:
    of_us = re.compile(rf"\b(?:{OF_US[language]})\b", re.IGNORECASE)
    for name in NAMES:
        text = text_of(name, language)
        for part in text.prose():
            assert "{" not in part, part
            if part != text.when:  # what the reader says, as what is in quotation marks
                own = QUOTED.sub("", part)
                assert not of_us.search(own), f"{name} in {language}: {part}"


def test_every_claim_is_made_in_every_language_and_some_guide() -> None:
    english = claims_in("en")
    for language in LANGUAGES:
        assert claims_in(language).keys() == english.keys(), language
        for name, sentence in claims_in(language).items():
            blanks = set(re.findall(r"{(\w+)}", sentence))
            assert blanks == set(re.findall(r"{(\w+)}", english[name])), (language, name)
            assert blanks <= {*FIXED, *OF_PACK, "appeal_days", "guidelines"}, (language, name)
    assert {claim for guide in guides().values() for claim in guide.claims} == set(english)


def test_every_claim_is_kept_by_tests_that_exist() -> None:
    """Who removes or renames such a test reads here which sentence it keeps."""
    kept = tomllib.loads(Path("tests/support/claims.toml").read_text())
    assert kept.keys() == claims_in("en").keys()
    names: dict[str, set[str]] = {}
    for claim, tests in kept.items():
        assert tests, claim
        for path, name in (test.split("::") for test in tests):
            if path not in names:
                tree = ast.parse(Path(path).read_text())
                names[path] = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
            assert name in names[path], f"{claim}: {path}::{name}"


@every_text
def test_a_guide_is_found_by_what_happened_and_by_its_title(language: str) -> None:
    for name in NAMES:
        text = text_of(name, language)
        for query in (text.when, text.title.upper()):
            found = [guide.name for guide in search(query, language)[:3]]
            assert name in found, (name, language, query, found)


def test_a_search_has_bounds_and_forgives_accents() -> None:
    assert search("", "en") == search("a of to", "en") == search("!" * 10_000, "en") == []
    assert search("xyzzy " * 100 + "blackmail", "en") == [], f"beyond {MAX_QUERY} characters"
    assert len(search("phone talk help picture", "en")) <= MAX_FOUND
    assert search("CHANTAJE", "es")[0] == search("chantáje", "es")[0]


def test_where_speaking_is_not_safe_the_silent_ways_come_first() -> None:
    for language, countries in SPOKEN.items():
        for place in ("", *countries):
            lines = for_place(place, ("talk", "home"), language=language, silent=True)
            silent = [bool(line.ways) for line in lines]
            assert silent[0], f"nobody can be reached without speaking in {place or language}"
            assert silent == sorted(silent, reverse=True)


@pytest.mark.parametrize(
    ("language", "word", "count"),
    [
        *(("en", "blackmail", 2), ("en", "pictures", 2), ("en", "asked", 1), ("en", "trusted", 2)),
        *(("de", "Erwachsene", 4), ("es", "ayuda", 3), ("es", "línea", 3), ("es", "bueno", 2)),
        *(("fr", "personne", 2), ("fr", "réglage", 2), ("nl", "telefoon", 3), ("sv", "mobilen", 3)),
    ],
)
def test_syllables_are_counted(language: str, word: str, count: int) -> None:
    assert syllables(word, language) == count
