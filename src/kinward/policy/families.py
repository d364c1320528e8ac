"""A pack's rules for families: who may be a guardian, what guardians see, how pairings end."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from kinward.policy.ages import ASSURANCES, MAX_AGE, AgeRange
from kinward.policy.problems import Problem
from kinward.policy.proving import METHODS

# The most that a guardian may see: numbers and settings. There is no word for content.
MAY_BE_SEEN: Final = (
    *("minutes", "settings", "asks"),
    *("posts", "comments", "messages", "searches", "new_followers"),
)
ALWAYS_SEEN: Final = {"settings", "asks"}  # a guardian acts on them
MAX_NOTICE_HOURS: Final = 14 * 24


class FamilyRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `[families]` of a pack. Ages in years, the notice in hours.

    A pairing that the teen ends lasts for another `notice_hours`, unless the teen is certainly
    `alone_from` or older. Nobody who is certainly `until` or older has a guardian.
    `guardian_proof` is the least of the `METHODS` by which somebody proves to be the guardian,
    before they loosen anything or consent to it. A pack that names none asks for none.
    """

    guardian_age: int = 18
    guardian_assurance: str = "declared"
    guardian_proof: str = ""
    until: int = 18
    notice_hours: int = 48
    alone_from: int = 16
    guardian_sees: tuple[str, ...] = ("minutes", "settings", "asks")

    @property
    def assurances(self) -> tuple[str, ...]:
        """How surely the age of a guardian may be known."""
        return tuple(ASSURANCES[ASSURANCES.index(self.guardian_assurance) :])

    @property
    def least_proof(self) -> str:
        """The method for rules that name none: the strongest in place of one that is unknown."""
        return self.guardian_proof if self.guardian_proof in ("", *METHODS) else METHODS[-1]

    def may_guard(self, age: AgeRange) -> bool:
        """Return whether somebody of this age, with this assurance, may be a guardian."""
        return age.assurance in self.assurances and age.lower >= self.guardian_age

    def may_be_guarded(self, age: AgeRange) -> bool:
        """Return whether somebody of this age may have a guardian: unless certainly too old."""
        return age.lower < self.until

    def leaves_at_once(self, age: AgeRange) -> bool:
        """Return whether somebody of this age ends a pairing without notice."""
        return age.lower >= self.alone_from


def read_family_rules(
    raw: object, error: Callable[[str, str], Problem]
) -> tuple[FamilyRules | None, list[Problem]]:
    """Read the table, and judge it by today's rules. Returns None for an unreadable table.

    `error` makes a problem from a key and a text.
    """
    if not isinstance(raw, Mapping):
        return None, [error("families", "[families] is a table")]
    try:
        rules = msgspec.convert(raw, FamilyRules)
    except msgspec.ValidationError as invalid:
        return None, [error("families", f"[families]: {invalid}")]
    return rules, [error(key, text) for key, good, text in _checks(rules) if not good]


def _checks(rules: FamilyRules) -> list[tuple[str, bool, Any]]:
    return [
        (
            "guardian_age",
            18 <= rules.guardian_age < MAX_AGE,
            f"a guardian is an adult: guardian_age is 18 or more; not {rules.guardian_age}",
        ),
        (
            "guardian_assurance",
            rules.guardian_assurance in ASSURANCES[1:],
            f"guardian_assurance is one of {', '.join(ASSURANCES[1:])}",
        ),
        (
            "guardian_proof",
            rules.guardian_proof in ("", *METHODS),
            f"guardian_proof is one of {', '.join(METHODS)}",
        ),
        (
            "until",
            0 < rules.until <= rules.guardian_age,
            "until is the age from which nobody has a guardian, at most guardian_age",
        ),
        (
            "notice_hours",
            0 <= rules.notice_hours <= MAX_NOTICE_HOURS,
            f"notice_hours is 0 to {MAX_NOTICE_HOURS}",
        ),
        ("alone_from", 0 < rules.alone_from <= MAX_AGE, "alone_from is an age in years"),
        (
            "guardian_sees",
            ALWAYS_SEEN <= set(rules.guardian_sees) <= set(MAY_BE_SEEN),
            f"guardian_sees is settings, asks, and of {', '.join(MAY_BE_SEEN)}; never content",
        ),
    ]
