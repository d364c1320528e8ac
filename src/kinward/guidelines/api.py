"""The face of `guidelines`: what other rooms may use."""

from kinward.guidelines.models import Edition
from kinward.guidelines.queries import (
    guidelines_in_force,
    guidelines_text_in_force,
    newer_guidelines,
    waiting_editions,
)
from kinward.guidelines.services import (
    EDITION_PROPOSED,
    decide_edition,
    get_edition,
    pin_guidelines,
    propose_edition,
)

__all__ = [
    "EDITION_PROPOSED",
    "Edition",
    "decide_edition",
    "get_edition",
    "guidelines_in_force",
    "guidelines_text_in_force",
    "newer_guidelines",
    "pin_guidelines",
    "propose_edition",
    "waiting_editions",
]
