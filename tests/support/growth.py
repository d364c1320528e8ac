"""What a newer Kinward brings: a language, a category of reports, a capability."""

import io
import sys
from gettext import GNUTranslations

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from kinward.findings import user_reports
from kinward.guidelines import queries, rules
from kinward.policy import sentences
from kinward.policy.capabilities import CAPABILITIES, Capability


def begin_language(patch: pytest.MonkeyPatch, code: str) -> None:
    """Begin a language as `scripts/messages` does, with a catalogue that says nothing yet."""
    compiled = io.BytesIO()
    write_mo(compiled, Catalog(locale=code))
    compiled.seek(0)
    english = sentences._CATALOGUE["en"]
    words = sentences._translated(english, GNUTranslations(compiled))
    patch.setitem(sentences._CATALOGUE, code, words)
    _replace(patch, "LANGUAGES", sentences.LANGUAGES, (*sentences.LANGUAGES, code))
    forget_guidelines()


def begin_category(patch: pytest.MonkeyPatch, name: str) -> None:
    """Begin a category of reports by people."""
    _replace(patch, "CATEGORIES", rules.CATEGORIES, (*rules.CATEGORIES, name))
    patch.setitem(
        user_reports.USER_REPORT_CATEGORIES, name, user_reports.USER_REPORT_CATEGORIES["other"]
    )
    forget_guidelines()


def begin_capability(patch: pytest.MonkeyPatch, capability: Capability) -> None:
    """Begin a built-in capability."""
    patch.setitem(CAPABILITIES, capability.name, capability)


def forget_guidelines() -> None:
    """Read the guidelines again, as a process does that starts with the newer Kinward."""
    queries.edition.cache_clear()
    queries._shipped.cache_clear()


def _replace(patch: pytest.MonkeyPatch, name: str, old: object, new: object) -> None:
    """Replace a list of the code in every module that has it."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("kinward.") and vars(module).get(name) is old:
            patch.setattr(module, name, new)
