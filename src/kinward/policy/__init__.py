"""Policy: what each person may do or see. Pure: no database, no Django and no clock of its own.

>>> from kinward.policy import AgeRange, Person, decide, load_pack
>>> decide(load_pack("tiktok-2021"), "live.host", Person(AgeRange(16, 18))).effect
'allow'
"""

import importlib
from typing import TYPE_CHECKING, Final

from kinward.policy.ages import (
    UNKNOWN,
    AgeRange,
    Assurance,
    from_apple,
    from_birth_date,
    from_estimate,
    from_google,
    from_guardian,
    from_openid4vp,
)
from kinward.policy.bounds import Bounds, bounds_in_general
from kinward.policy.capabilities import CAPABILITIES, Capability
from kinward.policy.check import check_pack, pack_failures, require_sound
from kinward.policy.decision import (
    EFFECTS,
    Decision,
    Effect,
    Layer,
    Reason,
    known_language,
    protective,
    stricter,
)
from kinward.policy.diff import diff_packs
from kinward.policy.engine import decide
from kinward.policy.explain import bounds_of, explain_decision
from kinward.policy.families import FamilyRules
from kinward.policy.pack import Pack, decode_pack, pack_digest, read_pack
from kinward.policy.places import is_place
from kinward.policy.problems import PackExpired, PackInvalid, Problem, SignatureRefused
from kinward.policy.question import Person
from kinward.policy.request import (
    About,
    Request,
    State,
    answer_request,
    closed,
    ids_of,
    language_of,
    state_of,
)
from kinward.policy.rules import MOVERS
from kinward.policy.sentences import (
    LANGUAGES,
    capability_words,
    effect_words,
    reason_words,
    value_words,
)
from kinward.policy.signed import export_pack, load_pack, new_signing_key, public_key
from kinward.policy.sources import (
    check_size,
    line_of,
    parse,
    read_files,
    shipped_overlays,
    shipped_packs,
    tables,
)
from kinward.policy.values import (
    ALWAYS,
    DAY_MINUTES,
    HOURS,
    MINUTES,
    SLOTS,
    WEEK,
    Value,
    ValueKind,
    Weekly,
    clock,
)

if TYPE_CHECKING:
    from kinward.policy.over_ray import simulate_over_ray
    from kinward.policy.picture import bars, svg
    from kinward.policy.population import (
        People,
        Settings,
        count_parquet,
        from_parquet,
        generate_people,
        people_of,
    )
    from kinward.policy.simulate import Change, Simulation, direction, group_of, simulate_change
    from kinward.policy.vector import NONE

# Simulations need NumPy. A platform that only decides in its own process does not, so these load
# on demand.
_ON_DEMAND: Final = {
    "simulate_over_ray": "over_ray",
    "bars": "picture",
    "svg": "picture",
    "People": "population",
    "Settings": "population",
    "count_parquet": "population",
    "from_parquet": "population",
    "generate_people": "population",
    "people_of": "population",
    "Change": "simulate",
    "Simulation": "simulate",
    "direction": "simulate",
    "group_of": "simulate",
    "simulate_change": "simulate",
    "NONE": "vector",
}

__all__ = [
    "ALWAYS",
    "CAPABILITIES",
    "DAY_MINUTES",
    "EFFECTS",
    "HOURS",
    "LANGUAGES",
    "MINUTES",
    "MOVERS",
    "NONE",
    "SLOTS",
    "UNKNOWN",
    "WEEK",
    "About",
    "AgeRange",
    "Assurance",
    "Bounds",
    "Capability",
    "Change",
    "Decision",
    "Effect",
    "FamilyRules",
    "Layer",
    "Pack",
    "PackExpired",
    "PackInvalid",
    "People",
    "Person",
    "Problem",
    "Reason",
    "Request",
    "Settings",
    "SignatureRefused",
    "Simulation",
    "State",
    "Value",
    "ValueKind",
    "Weekly",
    "answer_request",
    "bars",
    "bounds_in_general",
    "bounds_of",
    "capability_words",
    "check_pack",
    "check_size",
    "clock",
    "closed",
    "count_parquet",
    "decide",
    "decode_pack",
    "diff_packs",
    "direction",
    "effect_words",
    "explain_decision",
    "export_pack",
    "from_apple",
    "from_birth_date",
    "from_estimate",
    "from_google",
    "from_guardian",
    "from_openid4vp",
    "from_parquet",
    "generate_people",
    "group_of",
    "ids_of",
    "is_place",
    "known_language",
    "language_of",
    "line_of",
    "load_pack",
    "new_signing_key",
    "pack_digest",
    "pack_failures",
    "parse",
    "people_of",
    "protective",
    "public_key",
    "read_files",
    "read_pack",
    "reason_words",
    "require_sound",
    "shipped_overlays",
    "shipped_packs",
    "simulate_change",
    "simulate_over_ray",
    "state_of",
    "stricter",
    "svg",
    "tables",
    "value_words",
]


if not TYPE_CHECKING:  # or the type checker would accept any name

    def __getattr__(name: str) -> object:
        """Import a name of a simulation. Raises `AttributeError`."""
        if name not in _ON_DEMAND:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_ON_DEMAND[name]}"), name)
