"""What Chromium shows of a file is among what Kinward sees of it."""

import os
from collections import Counter
from typing import Final

import pytest
from playwright.sync_api import Browser

from tests.support.corpus import KINDS, make_corpus
from tests.support.corpus.comparison import Sight, look, print_table

SEED: Final = int(os.environ.get("KINWARD_TEST_SEED", "20261126"))
# Chromium shows less of these than decoders get, and what it shows is not the picture.
LESS: Final = ("cut-by-", "no-end.jpg")
# Of these the screen as a whole has too little structure to compare with what was drawn: a picture
# on a large canvas, and a film that Chromium does not play. What is inside is compared as another
# viewer shows it.
PLAIN: Final = ("small.", "screen.gif", "later-2.webm", "told-709.mp4")


@pytest.fixture(scope="module")
def sights(browser: Browser) -> list[Sight]:
    print(f"seed {SEED}; KINWARD_TEST_SEED sets another")
    sights = look(make_corpus(SEED), browser, SEED)
    print_table(sights)
    return sights


@pytest.mark.parametrize("kind", KINDS)
def test_each_screen_is_near_one_of_the_views(sights: list[Sight], kind: str) -> None:
    missed = [
        f"{sight.entry.name} ({sight.entry.disguise}): {'; '.join(sight.missed_screens()[:4])}"
        for sight in sights
        if sight.entry.kind == kind and sight.missed_screens()
    ]
    assert not missed, f"seed {SEED}\n" + "\n".join(missed)


@pytest.mark.parametrize("kind", KINDS)
def test_each_picture_that_another_viewer_shows_is_a_view(sights: list[Sight], kind: str) -> None:
    missed = [
        f"{sight.entry.name} ({sight.entry.disguise}): {sight.missed_truths()} bits"
        for sight in sights
        if sight.entry.kind == kind and sight.missed_truths()
    ]
    assert not missed, f"seed {SEED}\n" + "\n".join(missed)


def test_each_file_has_a_name_of_its_own_and_each_kind_several() -> None:
    corpus = make_corpus(SEED)
    assert max(Counter(entry.name for entry in corpus).values()) == 1
    assert len(corpus) >= 450
    assert min(Counter(entry.kind for entry in corpus).values()) >= 10
    assert {entry.kind for entry in corpus} == set(KINDS)


def test_chromium_shows_the_corpus(sights: list[Sight]) -> None:
    """The files do what they are made for, or the tests above compare nothing."""
    shown = [sight for sight in sights if sight.entry.element and sight.entry.truth]
    expected = [sight for sight in shown if not sight.entry.name.startswith(PLAIN)]
    dark = [sight.entry.name for sight in expected if not sight.screens]
    assert not dark
    strange = [
        sight.entry.name
        for sight in expected
        if not sight.entry.name.startswith(LESS) and not sight.shows_a_truth()
    ]
    assert not strange
    assert len(expected) >= 300
    assert sum(len(sight.screens) for sight in sights) >= 1000
