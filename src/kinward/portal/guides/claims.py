"""What guides say about the product: sentences with a name, one file for each language.

A test keeps each claim: `tests/support/claims.toml` names it. Numbers come from the rules in force.
"""

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from kinward.experience.api import live
from kinward.families.api import (
    CODE_HOURS,
    COOLING,
    MAX_GUARDIANS,
    MAX_TRUSTED,
    MINUTES_KEPT,
)
from kinward.guidelines.api import guidelines_in_force
from kinward.policy import Pack
from kinward.portal.guides.catalogue import FALLBACK

# What the pack in force fills in, by the name of the placeholder.
OF_PACK: Final[dict[str, Callable[[Pack], object]]] = {
    "notice_hours": lambda pack: pack.families.notice_hours,
    "alone_from": lambda pack: pack.families.alone_from,
    "until": lambda pack: pack.families.until,
    "pack": lambda pack: pack.label,
}
FIXED: Final[dict[str, object]] = {
    "code_hours": CODE_HOURS,
    "cooling_days": COOLING.days,
    "guardians": MAX_GUARDIANS,
    "trusted": MAX_TRUSTED,
    "minutes_days": MINUTES_KEPT.days,
}


@cache
def claims_in(language: str) -> dict[str, str]:
    """Return every claim in a language, or in English where there are none."""
    folder = files(__package__).joinpath("claims")
    path = folder.joinpath(f"{language}.toml")
    if not path.is_file():
        path = folder.joinpath(f"{FALLBACK}.toml")
    return msgspec.toml.decode(path.read_text(encoding="utf-8"), type=dict[str, str])


def say_claims(names: Iterable[str], language: str) -> list[str]:
    """Return the sentences of claims. One that needs a pack is left out while none can be read."""
    pack = live().in_force().for_account(None)
    guidelines = guidelines_in_force()
    values = dict(FIXED, appeal_days=guidelines.appeal_days, guidelines=guidelines.label)
    if pack is not None:
        values |= {name: value_of(pack) for name, value_of in OF_PACK.items()}
    sentences = claims_in(language)
    said = []
    for name in names:
        try:
            said.append(sentences[name].format_map(values))
        except KeyError:
            if pack is not None:
                raise
    return said
