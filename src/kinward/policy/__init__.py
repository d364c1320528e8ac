"""Policy: what each person may do or be shown. Pure: no database, no Django, no clock of its own.

>>> from kinward.policy import AgeRange, Person, decide, load_pack
>>> decide(load_pack("tiktok-2021"), "live.host", Person(AgeRange(16, 18))).effect
'allow'
"""

from kinward.policy.ages import (
    UNKNOWN,
    AgeRange,
    Assurance,
    from_birth_date,
    from_estimate,
    from_guardian,
    is_unknown,
)
from kinward.policy.borders import crossed, only_lowers, outweighs, stronger
from kinward.policy.bounds import Bounds, bounds_in_general
from kinward.policy.capabilities import CAPABILITIES, Capability
from kinward.policy.check import check_pack, pack_failures, require_sound
from kinward.policy.consent import (
    ChangeState,
    ConsentWord,
    change_from_apple,
    consent_from_google,
)
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
from kinward.policy.diff import diff_over_time, diff_packs
from kinward.policy.engine import decide
from kinward.policy.explain import bounds_of, explain_decision
from kinward.policy.families import FamilyRules
from kinward.policy.law import (
    READ_AGAIN_DAYS,
    reading_problems,
    stale_readings,
    unread_laws,
    unverified,
    unverified_problems,
)
from kinward.policy.listing import list_places, places_page, titles_of
from kinward.policy.opening import ALWAYS_OPEN, CLOSES_THE_APP
from kinward.policy.pack import Pack, decode_pack, pack_digest, read_pack
from kinward.policy.places import is_place
from kinward.policy.problems import PackExpired, PackInvalid, Problem, SignatureRefused
from kinward.policy.proofs import settled
from kinward.policy.proving import METHODS as PROOF_METHODS
from kinward.policy.proving import Method as ProofMethod
from kinward.policy.proving import proves, stronger_proof
from kinward.policy.question import Person
from kinward.policy.request import (
    About,
    Request,
    State,
    answer_request,
    closed,
    decide_in_state,
    ids_of,
    language_of,
    state_of,
)
from kinward.policy.rules import MOVERS
from kinward.policy.sentences import (
    LANGUAGES,
    capability_words,
    effect_words,
    minutes_words,
    reason_words,
    value_words,
)
from kinward.policy.signals import CHECKED as SIGNALS_CHECKED
from kinward.policy.signals import (
    PROVEN_HERE,
    from_agekey,
    from_apple,
    from_eu_wallet,
    from_google,
    from_openid4vp,
)
from kinward.policy.signals import STALE_DAYS as SIGNALS_STALE_DAYS
from kinward.policy.signed import export_pack, load_pack, new_signing_key, public_key
from kinward.policy.sources import (
    check_size,
    line_of,
    parse,
    read_files,
    shipped_editions,
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

__all__ = [
    "ALWAYS",
    "ALWAYS_OPEN",
    "CAPABILITIES",
    "CLOSES_THE_APP",
    "DAY_MINUTES",
    "EFFECTS",
    "HOURS",
    "LANGUAGES",
    "MINUTES",
    "MOVERS",
    "PROOF_METHODS",
    "PROVEN_HERE",
    "READ_AGAIN_DAYS",
    "SIGNALS_CHECKED",
    "SIGNALS_STALE_DAYS",
    "SLOTS",
    "UNKNOWN",
    "WEEK",
    "About",
    "AgeRange",
    "Assurance",
    "Bounds",
    "Capability",
    "ChangeState",
    "ConsentWord",
    "Decision",
    "Effect",
    "FamilyRules",
    "Layer",
    "Pack",
    "PackExpired",
    "PackInvalid",
    "Person",
    "Problem",
    "ProofMethod",
    "Reason",
    "Request",
    "SignatureRefused",
    "State",
    "Value",
    "ValueKind",
    "Weekly",
    "answer_request",
    "bounds_in_general",
    "bounds_of",
    "capability_words",
    "change_from_apple",
    "check_pack",
    "check_size",
    "clock",
    "closed",
    "consent_from_google",
    "crossed",
    "decide",
    "decide_in_state",
    "decode_pack",
    "diff_over_time",
    "diff_packs",
    "effect_words",
    "explain_decision",
    "export_pack",
    "from_agekey",
    "from_apple",
    "from_birth_date",
    "from_estimate",
    "from_eu_wallet",
    "from_google",
    "from_guardian",
    "from_openid4vp",
    "ids_of",
    "is_place",
    "is_unknown",
    "known_language",
    "language_of",
    "line_of",
    "list_places",
    "load_pack",
    "minutes_words",
    "new_signing_key",
    "only_lowers",
    "outweighs",
    "pack_digest",
    "pack_failures",
    "parse",
    "places_page",
    "protective",
    "proves",
    "public_key",
    "read_files",
    "read_pack",
    "reading_problems",
    "reason_words",
    "require_sound",
    "settled",
    "shipped_editions",
    "shipped_overlays",
    "shipped_packs",
    "stale_readings",
    "state_of",
    "stricter",
    "stronger",
    "stronger_proof",
    "tables",
    "titles_of",
    "unread_laws",
    "unverified",
    "unverified_problems",
    "value_words",
]
