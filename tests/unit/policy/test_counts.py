"""One is said as one, in each language."""

import pytest

from kinward.policy.ages import AgeRange
from kinward.policy.explain import explain_decision
from kinward.policy.question import Person
from kinward.policy.sentences import LANGUAGES, minutes_words, value_words
from kinward.policy.signed import load_pack
from kinward.policy.values import MINUTES

ONE = {
    "en": "1 minute",
    "de": "1 Minute",
    "es": "1 minuto",
    "fr": "1 minute",
    "nl": "1 minuut",
    "sv": "1 minut",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_minute_is_no_minutes(language: str) -> None:
    one = ONE[language]
    assert value_words(MINUTES, 1, language) == one
    assert value_words(MINUTES, 2, language) != one.replace("1", "2")
    for code in ("time.left", "time.break", "time.more"):
        said = minutes_words(code, 1, language)
        assert one in said or "1 more minute" in said or one.split()[1] in said
        assert "{" not in said
        assert minutes_words(code, 2, language) != said.replace("1", "2")


def test_one_rule_is_not_called_the_strictest_of_one() -> None:
    found = explain_decision(load_pack("teen-accounts"), "session.time", Person(AgeRange(15, 16)))
    why = [str(layer["why"]) for layer in found["layers"]]
    assert "the one rule that applies" in why
    assert not any("of 1 rule" in one for one in why)
