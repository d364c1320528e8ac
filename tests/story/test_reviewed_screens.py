"""A reviewer is shown what Chromium shows of a file."""

import os
from typing import Final

import pytest
from playwright.sync_api import Browser

from kinward.media import decoders
from tests.support.corpus import KINDS, make_corpus
from tests.support.corpus.comparison import nearest, screen_hashes
from tests.support.corpus.entry import Entry, is_among
from tests.support.corpus.looks import sample_of, shown_hashes

SEED: Final = int(os.environ.get("KINWARD_TEST_SEED", "20261126"))
EACH: Final = 3  # files of each kind


@pytest.fixture(scope="module")
def sample() -> list[Entry]:
    print(f"seed {SEED}; KINWARD_TEST_SEED sets another")
    sample = sample_of(make_corpus(SEED), SEED, EACH)
    assert len(sample) >= 30
    return sample


@pytest.fixture(scope="module")
def screens(browser: Browser, sample: list[Entry]) -> dict[str, list[bytes]]:
    return screen_hashes(browser, sample, SEED)


@pytest.mark.parametrize("kind", KINDS)
def test_each_screen_is_near_what_a_reviewer_is_shown(
    sample: list[Entry], screens: dict[str, list[bytes]], kind: str
) -> None:
    missed = []
    for entry in sample:
        if entry.kind != kind:
            continue
        shown = shown_hashes(decoders(), entry.data)
        far = [nearest(pdq, shown) for pdq in screens[entry.name] if not is_among(pdq, shown)]
        if far:
            missed.append(f"{entry.name} ({entry.disguise}): {far} bits")
    assert not missed, f"seed {SEED}\n" + "\n".join(missed)


def test_chromium_shows_the_sample(screens: dict[str, list[bytes]]) -> None:
    """The test above compares something."""
    assert sum(bool(hashes) for hashes in screens.values()) >= 25
