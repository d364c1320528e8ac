"""The examples in docstrings run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "kinward.access.actor",
        "kinward.access.roles",
        "kinward.ground.addresses",
        "kinward.ground.config",
        "kinward.ground.names",
        "kinward.evidence.excerpts",
        "kinward.casebook.states",
        "kinward.experience.proposals",
        "kinward.families.screen_time.minutes",
        "kinward.ground.text",
        "kinward.families.settings.settlement",
        "kinward.matching.hamming",
        "kinward.matching.layout",
        "kinward.media.pdq",
        "kinward.people.identifiers",
        "kinward.policy",
        "kinward.policy.ages",
        "kinward.policy.decision",
        "kinward.policy.engine",
        "kinward.policy.places",
        "kinward.policy.signed",
        "kinward.policy.sources",
        "kinward.policy.values",
    ],
)
def test_examples(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0
