"""Every language is complete: what a person can read is there in each, with what it is to name."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

from kinward.policy.sentences import LANGUAGES
from kinward.portal.helplines import helplines

OURS = {"en", "de", "sv", "nl", "fr", "es"}
LOCALE = Path("src/kinward/locale")
MARKS = {"_", "gettext", "gettext_noop"}
CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))


def test_nothing_is_missing_stale_or_not_compiled() -> None:
    found = subprocess.run(
        [sys.executable, "scripts/messages", "--check"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr


def test_every_sentence_that_is_marked_reaches_the_catalogues() -> None:
    catalogue = read_po((LOCALE / "de/LC_MESSAGES/django.po").open("rb"))
    for path in sorted(Path("src/kinward").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MARKS:
                for sentence in node.args:
                    if isinstance(sentence, ast.Constant) and isinstance(sentence.value, str):
                        assert sentence.value in catalogue, f"{path}: {sentence.value}"


def test_pages_and_decisions_speak_the_same_languages() -> None:
    assert set(LANGUAGES) == set(dict(settings.LANGUAGES)) == OURS


@pytest.mark.parametrize("path", CATALOGUES, ids=str)
def test_what_is_to_be_filled_in_is_kept(path: Path) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file)
    assert not [each.id for each in catalogue if each.fuzzy and each.id]
    for each in catalogue:
        if each.id:
            texts = (str(each.id), str(each.string))
            names = [set(re.findall(r"%\(\w+\)s|\{\w+\}", text)) for text in texts]
            assert names[0] == names[1], each.id


def test_each_helpline_has_a_source_and_a_way_to_reach_it() -> None:
    places = {place for each in helplines() for place in each.places}
    assert {"DE", "SE", "NL", "FR", "ES", "GB", "*"} <= places
    for each in helplines():
        assert each.source.startswith("https://"), each.name
        assert each.phone or each.web, each.name
        assert set(each.for_) <= {"talk", "image", "home"}, each.name
        assert each.ways_source.startswith("https://") if each.ways else not each.ways_source
