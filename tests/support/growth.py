"""What a newer Kinward brings: a language, a category of reports, a capability."""

import io
from gettext import GNUTranslations
from typing import Final, Literal, get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from kinward.findings import user_reports
from kinward.guidelines import queries, rules
from kinward.policy import sentences
from kinward.policy.capabilities import CAPABILITIES, Capability
from tests.support.chimes import replace_everywhere

ANOTHER_LANGUAGE: Final = "eo"  # none that Kinward speaks or is likely to speak


def begin_language(patch: pytest.MonkeyPatch) -> None:
    """Begin a language as `scripts/messages` does, with a catalogue that says nothing yet."""
    code = ANOTHER_LANGUAGE
    assert code not in sentences.LANGUAGES, "choose another one for the tests"
    compiled = io.BytesIO()
    write_mo(compiled, Catalog(locale=code))
    compiled.seek(0)
    english = sentences._CATALOGUE["en"]
    words = sentences._translated(english, GNUTranslations(compiled))
    patch.setitem(sentences._CATALOGUE, code, words)
    replace_everywhere(patch, "LANGUAGES", sentences.LANGUAGES, (*sentences.LANGUAGES, code))
    forget_guidelines()


def begin_category(patch: pytest.MonkeyPatch, name: str) -> None:
    """Begin a category of reports by people."""
    replace_everywhere(patch, "CATEGORIES", rules.CATEGORIES, (*rules.CATEGORIES, name))
    patch.setitem(
        user_reports.USER_REPORT_CATEGORIES, name, user_reports.USER_REPORT_CATEGORIES["other"]
    )
    forget_guidelines()


def begin_confidence(patch: pytest.MonkeyPatch, word: str) -> None:
    """Begin a word for what a finding is, so that guidelines need a rule for it."""
    words = (*get_args(rules.Confidence), word)
    replace_everywhere(patch, "Confidence", rules.Confidence, Literal.__getitem__(words))
    forget_guidelines()


def begin_capability(patch: pytest.MonkeyPatch, capability: Capability) -> None:
    """Begin a built-in capability."""
    patch.setitem(CAPABILITIES, capability.name, capability)


def forget_guidelines() -> None:
    """Read the guidelines again, as a process does that starts with the newer Kinward."""
    queries.edition.cache_clear()
    queries._decoded.cache_clear()
