"""Each effect says all that a new one needs: direction, words, the EU form, documents."""

import re
from pathlib import Path

import pytest

import kinward
from kinward.enforcement.effects import EFFECTS, WEBHOOK_TYPES, Direction
from kinward.enforcement.models import Effect, SanctionKind
from kinward.redress.dsa import DECISIONS

SRC = Path(kinward.__file__).parent
DOCS = Path(__file__).parents[3] / "docs"
TAKING = [effect for effect, kind in EFFECTS.items() if kind.direction is Direction.TAKES]


@pytest.mark.parametrize("effect", Effect)
def test_each_effect_says_what_it_does(effect: Effect) -> None:
    assert EFFECTS[effect].targets, "an effect is about something"


@pytest.mark.parametrize("effect", TAKING)
def test_whoever_loses_something_is_told_and_the_form_of_the_eu_has_it(effect: Effect) -> None:
    assert EFFECTS[effect].words
    assert str(effect) in DECISIONS


@pytest.mark.parametrize("kind", SanctionKind)
def test_a_sanction_that_ends_says_when(kind: SanctionKind) -> None:
    ends = kind != SanctionKind.TERMINATE
    assert bool(EFFECTS[Effect(kind)].words_until) == ends


def test_the_connected_app_knows_each_webhook() -> None:
    """It is a Django project of its own, so it is read and not imported."""
    received = re.findall(r'\("(\w+)", "(\w+)"\): ', (SRC / "demo" / "webhooks.py").read_text())
    assert {f"{target}.{effect}" for target, effect in received} == WEBHOOK_TYPES


@pytest.mark.parametrize("name", sorted(WEBHOOK_TYPES))
def test_the_documents_name_each_webhook(name: str) -> None:
    assert any(f"`{name}`" in page.read_text() for page in DOCS.rglob("*.md"))
