"""One rule of a pack, and its reader from TOML, which locates every mistake by its line."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from kinward.policy.ages import ASSURANCES, MAX_AGE
from kinward.policy.capabilities import AUDIENCE_OF, RELATIONSHIPS, Capability
from kinward.policy.places import is_place
from kinward.policy.problems import Problem
from kinward.policy.proving import METHODS
from kinward.policy.values import ValueKind

STATUSES: Final = ("in force", "pending", "enjoined", "lapsed", "verify")
MOVERS: Final = ("guardian", "self")
ALL_RELATIONSHIPS: Final = frozenset(RELATIONSHIPS)

_KEYS: Final = {
    *("id", "capability", "age", "jurisdiction", "relationship", "other_age", "assurance_below"),
    *("joined_from", "default", "bounds", "may", "proof", "obligations"),
    *("source", "url", "from", "until", "status", "note", "scope", "checked", "read_at"),
}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One capability's value under some conditions, and how far guardian and self may move it.

    Values are codes of the capability's kind. `place` is empty for the platform's own rules.
    A missing condition always holds. Ages are years `[lower, upper)`. `joined_from` is for accounts
    that joined on that day or later. `by_date` means that a pending law holds from its day on.
    `proof` is the least of the `METHODS` with which a guardian loosens it.
    """

    id: str
    capability: str
    place: str = ""
    lower: int = 0
    upper: int = MAX_AGE
    relationships: frozenset[str] = ALL_RELATIONSHIPS
    other_lower: int = 0
    other_upper: int = MAX_AGE
    assurance_below: int = len(ASSURANCES)
    joined_from: date = date.min
    default: int
    floor: int
    cap: int
    guardian: bool = False
    self_: bool = False
    proof: str = ""
    obligations: tuple[str, ...] = ()
    status: str = "in force"
    starts: date = date.min
    ends: date = date.max
    by_date: bool = False
    source: str = ""
    url: str = ""
    note: str = ""
    scope: str = ""
    checked: date | None = None
    read_at: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    # The rule while the relationship is not known; see `in_general`.
    general: "Rule | None" = None

    @property
    def is_plain(self) -> bool:
        """Whether it holds for any other person, assurance of the age and day of joining."""
        return (
            self.relationships == ALL_RELATIONSHIPS
            and (self.other_lower, self.other_upper) == (0, MAX_AGE)
            and self.assurance_below == len(ASSURANCES)
            and self.joined_from == date.min
        )

    def in_force(self, day: date) -> bool:
        """Return whether it is in force on a day."""
        dated = self.by_date and self.status == "pending" and self.starts != date.min
        return (self.status == "in force" or dated) and self.starts <= day < self.ends

    def bounds(self, mover: str) -> tuple[int, int]:
        """Return a mover's most protective and loosest choice, or twice the default without one."""
        moves = self.guardian if mover == "guardian" else self.self_
        return (self.floor, self.cap) if moves else (self.default, self.default)


def in_general(rule: Rule) -> Rule:
    """Return a rule about an audience for a question that names no relationship.

    "Nobody" for strangers then means an audience without strangers. So the rule protects as much as
    with a known relationship, and takes nothing from the people it is not about.
    """
    widest = min(AUDIENCE_OF[name] for name in rule.relationships) - 1
    return msgspec.structs.replace(
        rule, default=max(rule.default, widest), cap=max(rule.cap, widest)
    )


class Place(msgspec.Struct, frozen=True):
    """The position of a rule in its file, with the line of each key."""

    file: str
    line: int
    keys: Mapping[str, int]

    def error(self, key: str, text: str) -> Problem:
        """Return an error at a key's line."""
        return Problem(self.file, self.keys.get(key, self.line), "error", text)


class RuleReader:
    """A reader of raw rules, which collects each mistake as a `Problem` and reads on.

    `problems` are errors of the form. `judged` are errors by today's rules and words. A stored pack
    is readable in spite of those, and the parts at fault count as the most protective they could
    mean.
    """

    def __init__(
        self, capabilities: Mapping[str, Capability], *, by_date: bool, proof: str = ""
    ) -> None:
        self._capabilities = capabilities
        self._by_date = by_date
        self._proof = proof  # of a rule that names none
        self.problems: list[Problem] = []
        self.judged: list[Problem] = []

    def read(self, raw: Mapping[str, Any], place: Place, law: Mapping[str, Any]) -> Iterator[Rule]:
        """Yield the rules of one table: one for each capability and jurisdiction."""
        if "proof" in raw and "guardian" not in _listed({**law, **raw}.get("may")):
            self._complain(place, "proof", "proof is for a rule that a guardian may move")
        raw = {**law, **raw}
        for key in sorted(set(raw) - _KEYS):
            self._complain(place, key, f"unknown key {key!r}; keys are {', '.join(sorted(_KEYS))}")
        shared = self._shared(raw, place)
        names = _listed(raw.get("capability"))
        if not names:
            self._complain(place, "capability", "a rule names its capability")
        for name in names:
            capability = self._capabilities.get(name) if isinstance(name, str) else None
            if capability is None:
                known = ", ".join(sorted(self._capabilities))
                what = f"unknown capability {name!r}; known are {known}"
                self.judged.append(place.error("capability", what))
                continue  # so a question about it is denied
            values = self._values(raw, place, capability.kind)
            if shared is None:
                continue
            for where in _listed(raw.get("jurisdiction", "")):
                if where and not (isinstance(where, str) and is_place(where)):
                    what = f"{where!r} is not an ISO 3166 code"
                    self.judged.append(place.error("jurisdiction", what))
                # A law forbids too little protection, never too much. So its floor is the bottom,
                # unless it says itself how far a guardian may go.
                bounds = dict(values)
                if where and "bounds" not in raw:
                    bounds["floor"] = capability.kind.strictest_code
                yield Rule(**shared, **bounds, capability=name, place=str(where))

    def _shared(self, raw: Mapping[str, Any], place: Place) -> dict[str, Any] | None:
        before = len(self.problems)
        name = raw.get("id")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self._complain(place, "id", f"a rule has an id of a-z, 0-9, '.', '-'; not {name!r}")
        lower, upper = self._ages(raw, place, "age")
        other_lower, other_upper = self._ages(raw, place, "other_age")
        starts, ends = raw.get("from", date.min), raw.get("until", date.max)
        if type(starts) is not date or type(ends) is not date or starts >= ends:
            self._complain(place, "from", "`from` and `until` are dates, the first before the last")
        joined_from = raw.get("joined_from", date.min)
        if type(joined_from) is not date:
            self._complain(place, "joined_from", "`joined_from` is a date, such as 2027-01-01")
        source = str(raw.get("source", ""))
        if not source:
            self._complain(place, "source", "a rule names its source: the law or the policy")
        may = self._words(raw, place, "may", MOVERS)
        return (
            {
                "id": name,
                "lower": lower,
                "upper": upper,
                "other_lower": other_lower,
                "other_upper": other_upper,
                "relationships": frozenset(
                    self._words(raw, place, "relationship", RELATIONSHIPS) or RELATIONSHIPS
                ),
                "assurance_below": self._assurance(raw, place),
                "joined_from": joined_from,
                "guardian": "guardian" in may,
                "self_": "self" in may,
                "proof": self._least_proof(raw, place) if "guardian" in may else "",
                "obligations": self._obligations(raw, place),
                "status": self._word(raw, place, "status", STATUSES, "in force"),
                "starts": starts,
                "ends": ends,
                "by_date": self._by_date,
                "source": source,
                "url": str(raw.get("url", "")),
                **read_words(raw),
                "file": place.file,
                "line": place.line,
            }
            if len(self.problems) == before
            else None
        )

    def _values(self, raw: Mapping[str, Any], place: Place, kind: ValueKind) -> dict[str, Any]:
        """Return default, floor and cap as codes, all most protective if any is wrong."""
        strictest = kind.strictest_code
        closed = {"default": strictest, "floor": strictest, "cap": strictest}
        key = "default"
        try:
            default = _code(kind, raw.get("default"))
            key = "bounds"
            if "bounds" in raw:
                floor, cap = (_code(kind, bound) for bound in _pair(raw["bounds"]))
            else:
                floor, cap = kind.strictest_code, kind.open_code if raw.get("may") else default
        except ValueError as error:
            self.judged.append(place.error(key, f"{raw.get('capability')}: {error}"))
            return closed
        if kind.strictest(floor, cap) != floor:
            what = "bounds go from the most protective to the loosest"
            self.judged.append(place.error("bounds", what))
            return closed
        if kind.clamp(default, floor, cap) != default:
            what = (
                f"the default {kind.value(default)!r} is outside its bounds, "
                f"{kind.value(floor)!r} to {kind.value(cap)!r}"
            )
            self.judged.append(place.error("default", what))
            return closed
        return {"default": default, "floor": floor, "cap": cap}

    def _ages(self, raw: Mapping[str, Any], place: Place, key: str) -> tuple[int, int]:
        ages = raw.get(key, [0, MAX_AGE])
        whole = isinstance(ages, list) and all(type(age) is int for age in ages)
        if not whole or len(ages) != 2 or not 0 <= ages[0] < ages[1] <= MAX_AGE:
            self._complain(
                place, key, f"{key} is [from, below] in years, 0 to {MAX_AGE}; not {ages!r}"
            )
            return 0, MAX_AGE
        return ages[0], ages[1]

    def _assurance(self, raw: Mapping[str, Any], place: Place) -> int:
        if "assurance_below" not in raw:
            return len(ASSURANCES)
        return ASSURANCES.index(
            self._word(raw, place, "assurance_below", ASSURANCES[1:], ASSURANCES[1])
        )

    def _least_proof(self, raw: Mapping[str, Any], place: Place) -> str:
        if "proof" not in raw:
            return self._proof
        return self._word(raw, place, "proof", METHODS, METHODS[-1])

    def _word(
        self, raw: Mapping[str, Any], place: Place, key: str, known: tuple[str, ...], default: str
    ) -> str:
        value = raw.get(key, default)
        if value not in known:
            self._complain(place, key, f"{key} is one of {', '.join(known)}; not {value!r}")
            return default
        return str(value)

    def _words(
        self, raw: Mapping[str, Any], place: Place, key: str, known: tuple[str, ...]
    ) -> list[str]:
        words = raw.get(key, [])
        if not isinstance(words, list) or any(word not in known for word in words):
            self._complain(place, key, f"{key} is a list of {', '.join(known)}; not {words!r}")
            return []
        return words

    def _obligations(self, raw: Mapping[str, Any], place: Place) -> tuple[str, ...]:
        words = raw.get("obligations", [])
        if not isinstance(words, list) or not all(
            isinstance(word, str) and _NAME.fullmatch(word) for word in words
        ):
            self._complain(place, "obligations", "obligations are a list of names such as 'blur'")
            return ()
        return tuple(words)

    def _complain(self, place: Place, key: str, text: str) -> None:
        self.problems.append(place.error(key, text))


def read_words(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a law says about itself: its note, its scope, and when and where it was read."""
    checked, read_at = raw.get("checked"), _listed(raw.get("read_at"))
    return {
        "note": str(raw.get("note", "")),
        "scope": str(raw.get("scope", "")),
        "checked": checked if type(checked) is date else None,
        "read_at": tuple(map(str, read_at)),
    }


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _code(kind: ValueKind, value: Any) -> int:
    """Return a value's code. Two words fit every kind, so that a rule can name many."""
    if value == "most protective":
        return kind.strictest_code
    return kind.open_code if value == "unrestricted" else kind.code(value)


def _pair(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("bounds are [most protective, loosest]")
    return value[0], value[1]
