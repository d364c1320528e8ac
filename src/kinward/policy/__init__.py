"""Policy: what each person may do or be shown. Pure: no database, no Django, no clock of its own.

>>> from kinward.policy import AgeRange, Person, decide, load_pack
>>> decide(load_pack("tiktok-2021"), "live.host", Person(AgeRange(16, 18))).effect
'allow'
"""

from kinward.policy.ages import (
    UNKNOWN,
    AgeRange,
    from_apple,
    from_birth_date,
    from_estimate,
    from_google,
    from_guardian,
    from_openid4vp,
)
from kinward.policy.decision import Decision, Reason
from kinward.policy.engine import decide
from kinward.policy.pack import Pack
from kinward.policy.problems import PackExpired, PackInvalid, Problem, SignatureRefused
from kinward.policy.question import Person
from kinward.policy.signed import export_pack, load_pack
from kinward.policy.sources import shipped_overlays, shipped_packs

__all__ = [
    "UNKNOWN",
    "AgeRange",
    "Decision",
    "Pack",
    "PackExpired",
    "PackInvalid",
    "Person",
    "Problem",
    "Reason",
    "SignatureRefused",
    "decide",
    "export_pack",
    "from_apple",
    "from_birth_date",
    "from_estimate",
    "from_google",
    "from_guardian",
    "from_openid4vp",
    "load_pack",
    "shipped_overlays",
    "shipped_packs",
]
