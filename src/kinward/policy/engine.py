"""Deciding: every rule that may apply does, the strictest wins, and what moved it is told.

All of it rests on one idea: what is not known counts as whatever protects most. A rule applies when
its conditions *could* hold for the range of ages, the relationship, the other person. The applying
rules are then combined by taking the strictest of each of their defaults and bounds, which gives
the same answer in whatever order they come, and a stricter one the less is known.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from kinward.policy.ages import ASSURANCES, UNKNOWN, AgeRange
from kinward.policy.capabilities import AUDIENCE_OF, RELATIONSHIPS, Capability
from kinward.policy.decision import Decision, Effect, Layer, Reason, protective
from kinward.policy.pack import Pack
from kinward.policy.rules import Rule
from kinward.policy.ruling import Ruling
from kinward.policy.values import AUDIENCE, HOURS, Kind, Value, clock

MEMO_SIZE: Final = 200_000
UNAVAILABLE: Final = "state.unavailable"
LAST_OPENING: Final = 25  # years; nothing opens later
_RANK: Final = {assurance: rank for rank, assurance in enumerate(ASSURANCES)}


class Person(msgspec.Struct, frozen=True):
    """Who a question is about: an age range and a jurisdiction (ISO 3166; empty = not known).

    Keep a person while you ask about them: `token`, by which answers are remembered, is made once.
    """

    age: AgeRange = UNKNOWN
    jurisdiction: str = ""
    token: str = ""

    def __post_init__(self) -> None:
        age = self.age
        token = f"{age.lower} {age.upper} {age.assurance} {self.jurisdiction}"
        msgspec.structs.force_setattr(self, "token", token)


class Asked(msgspec.Struct, frozen=True):
    """A question with its ages as `[lower, upper)`, its settings as codes, its time as a slot."""

    capability: Capability
    lower: int
    upper: int
    assurance: int
    places: frozenset[str]
    other_lower: int = 0
    other_upper: int = 150
    relationship: str | None = None
    slot: int | None = None
    guardian: int | None = None
    self_: int | None = None


class Bounds(msgspec.Struct, frozen=True):
    """What the applying rules say together, as codes; `by_platform` leaves the law aside."""

    default: int
    by_platform: int
    guardian_floor: int
    guardian_cap: int
    self_floor: int
    self_cap: int
    guardian_moves: bool
    self_moves: bool


class Settled(msgspec.Struct, frozen=True):
    """A value after each layer, and the bounds that are left to the person."""

    value: int
    layer: Layer
    after_guardian: int
    self_cap: int
    effect: Effect
    guardian_bounded: bool = False
    self_bounded: bool = False


def decide(
    pack: Pack,
    capability: str,
    actor: Person,
    *,
    target: Person | None = None,
    relationship: str | None = None,
    at: datetime | None = None,
    guardian: Value | None = None,
    self_: Value | None = None,
    target_guardian: Value | None = None,
    target_self: Value | None = None,
) -> Decision:
    """What `actor` may do or be shown. Never raises: what cannot be read is answered protectively.

    `at` is the actor's local time; without it the pack's day holds (`Pack.on`), at no hour.
    `guardian` and `self_` are the settings these two made for the capability, in its own words;
    the target's two are for its counterpart. `relationship` is one of `RELATIONSHIPS`.

    >>> from kinward.policy import load_pack
    >>> decide(load_pack("tiktok-2021"), "dm.send", Person(AgeRange(13, 16)))
    <dm.send: deny 'nobody' by platform (platform.rule, age.opens)>
    """
    ruling, slot = pack.ruling, None
    if at is not None:
        ruling, slot = pack.ruling_on(at.date()), at.hour * 2 + (at.minute >= 30)
    other = None if target is None else target.token
    # fmt: off
    key = (capability, actor.token, other, relationship, slot,
           guardian, self_, target_guardian, target_self)
    # fmt: on
    try:
        known = ruling.memo.get(key)
    except TypeError:  # a setting that is a list or a table
        return _unreadable(ruling, capability, "setting.invalid")
    if known is None:
        question = Question(
            actor=actor,
            target=target,
            relationship=relationship,
            slot=slot,
            guardian=guardian,
            self_=self_,
            target_guardian=target_guardian,
            target_self=target_self,
        )
        known = _remembered(ruling, capability, question)
        if known.reasons[0].code != UNAVAILABLE:  # what strangers make up is not worth memory
            if len(ruling.memo) >= MEMO_SIZE:
                ruling.memo.clear()
            ruling.memo[key] = known
    return known


def _remembered(ruling: Ruling, name: str, question: "Question") -> Decision:
    """The decision, shared by all ages between the same two edges of the rules."""
    sides = tuple(
        None
        if side is None
        else (*ruling.band_range(side.age), side.age.assurance, side.jurisdiction)
        for side in (question.actor, question.target)
    )
    key = (name, sides, *msgspec.structs.astuple(question)[2:])
    known = ruling.by_bands.get(key)
    if known is None:
        known = _decide(ruling, name, question)
        if known.reasons[0].code == UNAVAILABLE:
            return known
        if len(ruling.by_bands) >= MEMO_SIZE:
            ruling.by_bands.clear()
        ruling.by_bands[key] = known
    return known


def _unreadable(ruling: Ruling, name: str, *codes: str) -> Decision:
    capability = ruling.capabilities.get(name)
    return protective(
        name[:80],
        ruling.label,
        UNAVAILABLE,
        *codes,
        kind=capability.kind if capability else None,
        names=dict(ruling.names.get(name, {})) or None,
    )


def _decide(ruling: Ruling, name: str, question: "Question") -> Decision:
    read = read_question(ruling, name, question)
    if isinstance(read, str):
        return _unreadable(ruling, name, read)
    mine, theirs = read
    answer = _answer(ruling, mine)
    return answer if theirs is None else _both(answer, _answer(ruling, theirs))


class Question(msgspec.Struct, frozen=True):
    """What `decide` was asked beside the capability."""

    actor: Person
    target: Person | None = None
    relationship: str | None = None
    slot: int | None = None
    guardian: Value | None = None
    self_: Value | None = None
    target_guardian: Value | None = None
    target_self: Value | None = None


def read_question(
    ruling: Ruling, name: str, question: Question
) -> tuple[Asked, Asked | None] | str:
    """The question in codes, and the same contact asked of the other side; or why it is not one."""
    capability = ruling.capabilities.get(name)
    if capability is None:
        return "capability.unknown"
    if question.relationship is not None and question.relationship not in RELATIONSHIPS:
        return "relationship.unknown"
    there = question.target
    places = ruling.places(question.actor.jurisdiction)
    their_places = frozenset[str]() if there is None else ruling.places(there.jurisdiction)
    if places is None or their_places is None:
        return "jurisdiction.uncovered"
    other = ruling.capabilities.get(capability.counterpart)
    try:
        guardian, self_ = _codes(capability, question.guardian, question.self_)
        theirs = _codes(other or capability, question.target_guardian, question.target_self)
    except ValueError:
        return "setting.invalid"
    age = question.actor.age
    there_age = UNKNOWN if there is None else there.age
    mine = Asked(
        capability=capability,
        lower=age.lower,
        upper=age.upper,
        assurance=_RANK[age.assurance],
        places=places,
        other_lower=there_age.lower,
        other_upper=there_age.upper,
        relationship=question.relationship,
        slot=question.slot,
        guardian=guardian,
        self_=self_,
    )
    if there is None or other is None:
        return mine, None
    return mine, Asked(
        capability=other,
        lower=there_age.lower,
        upper=there_age.upper,
        assurance=_RANK[there_age.assurance],
        places=their_places,
        other_lower=age.lower,
        other_upper=age.upper,
        relationship=question.relationship,
        guardian=theirs[0],
        self_=theirs[1],
    )


def _codes(
    capability: Capability, guardian: Value | None, self_: Value | None
) -> tuple[int | None, int | None]:
    code = capability.kind.code
    return (
        None if guardian is None else code(guardian),
        None if self_ is None else code(self_),
    )


def applying(ruling: Ruling, asked: Asked) -> list[Rule]:
    """The rules whose conditions could hold, each as it is while no relationship is known."""
    found = [rule for rule in ruling.rules[asked.capability.name] if applies(rule, asked)]
    if asked.relationship is None:
        return [rule.general or rule for rule in found]
    return found


def applies(rule: Rule, asked: Asked) -> bool:
    """Whether a rule's conditions could hold for what is known."""
    return (
        rule.lower < asked.upper
        and asked.lower < rule.upper
        and (not rule.place or rule.place in asked.places)
        and asked.assurance < rule.assurance_below
        and rule.other_lower < asked.other_upper
        and asked.other_lower < rule.other_upper
        and (asked.relationship is None or asked.relationship in rule.relationships)
    )


def combine(kind: Kind, rules: Iterable[Rule]) -> Bounds:
    """The strictest of every default and of every bound."""
    default = by_platform = kind.open_code
    floors, caps = [kind.open_code] * 2, [kind.open_code] * 2
    moves = [False, False]
    for rule in rules:
        default = kind.strictest(default, rule.default)
        if not rule.place:
            by_platform = kind.strictest(by_platform, rule.default)
        for number, mover in enumerate(("guardian", "self")):
            floor, cap = rule.bounds(mover)
            floors[number] = kind.strictest(floors[number], floor)
            caps[number] = kind.strictest(caps[number], cap)
        moves = [moves[0] or rule.guardian, moves[1] or rule.self_]
    return Bounds(default, by_platform, floors[0], caps[0], floors[1], caps[1], *moves)


def settle(asked: Asked, bounds: Bounds) -> Settled:
    """Let guardian and self move the value, inside their bounds; a guardian's value bounds self.

    A guardian's setting counts while there is an age in the range at which some rule lets a
    guardian move; so it ends by itself, and never earlier because less is known.
    """
    kind = asked.capability.kind
    value, layer = bounds.default, "platform"
    if bounds.default != bounds.by_platform:
        layer = "jurisdiction"
    floor, cap = bounds.self_floor, bounds.self_cap
    guardian_bounded = self_bounded = False
    if asked.guardian is not None and bounds.guardian_moves:
        moved = kind.clamp(asked.guardian, bounds.guardian_floor, bounds.guardian_cap)
        guardian_bounded = moved != asked.guardian
        layer = "guardian" if moved != value else layer
        value = cap = moved
        floor = kind.strictest(floor, cap)
    after_guardian = value
    if asked.self_ is not None:
        moved = kind.clamp(asked.self_, floor, cap)
        self_bounded = moved != asked.self_
        layer = "self" if moved != value else layer
        value = moved
    effect = _effect(asked, value, cap)
    return Settled(
        value,
        layer,  # type: ignore[arg-type]
        after_guardian,
        cap,
        effect,
        guardian_bounded,
        self_bounded,
    )


def _effect(asked: Asked, value: int, self_cap: int) -> Effect:
    """What a value means, given who the other person is and what time it is."""
    kind = asked.capability.kind
    if asked.relationship == "blocked" and asked.capability.between_people:
        return "deny"
    if kind is AUDIENCE and asked.relationship is not None:
        return "allow" if AUDIENCE_OF[asked.relationship] <= value else "deny"
    if kind is HOURS and asked.slot is not None and not value >> asked.slot & 1:
        return "deny"
    if value == kind.open_code:
        return "allow"
    if kind is AUDIENCE and value == 0:
        # Nobody, until the person chooses: a limit that is theirs to move, not a refusal.
        return "limit" if self_cap != 0 else "deny"
    closed = value == kind.strictest_code and (kind.name != "level" or kind.words[0] == "off")
    return "deny" if closed else "limit"


def _answer(ruling: Ruling, asked: Asked) -> Decision:
    capability, kind = asked.capability, asked.capability.kind
    bands = range(ruling.bands[asked.lower], ruling.bands[asked.upper - 1] + 1)
    if not ruling.uncovered[capability.name].isdisjoint(bands):
        names = dict(ruling.names.get(capability.name, {})) or None
        return protective(capability.name, ruling.label, "pack.invalid", kind=kind, names=names)
    rules = applying(ruling, asked)
    bounds = combine(kind, rules)
    settled = settle(asked, bounds)
    reasons, derived = _reasons(ruling, asked, bounds, settled)
    obligations = {each for rule in rules for each in rule.obligations} | derived
    return Decision(
        capability=capability.name,
        effect=settled.effect,
        layer=settled.layer,
        reasons=tuple(reasons),
        obligations=tuple(sorted(obligations)),
        pack=ruling.label,
        rules=tuple(rule.id for rule in rules if rule.default == bounds.default),
        code=settled.value,
        kind=kind,
        names=dict(ruling.names.get(capability.name, {})) or None,
    )


def _reasons(
    ruling: Ruling, asked: Asked, bounds: Bounds, settled: Settled
) -> tuple[list[Reason], set[str]]:
    """Why, the most telling first, and the obligations that follow from it."""
    kind, found, derived = asked.capability.kind, list[Reason](), set[str]()
    if asked.relationship == "blocked" and asked.capability.between_people:
        return [Reason("relationship.blocked")], derived
    if settled.value == kind.open_code and settled.effect == "allow":
        return [Reason("open")], derived
    if kind is HOURS and asked.slot is not None and settled.effect == "deny" and settled.value:
        opens = next(
            slot % 48
            for slot in range(asked.slot, asked.slot + 48)
            if settled.value >> slot % 48 & 1
        )
        found.append(Reason("hours.closed", (("time", clock(opens)),)))
    elif kind is AUDIENCE and asked.relationship is not None and settled.effect == "deny":
        found.append(Reason("relationship.outside"))
    found.append(Reason(_LAYER_REASON[settled.layer]))
    if settled.guardian_bounded:
        found.append(Reason("guardian.bounded"))
    if settled.self_bounded:
        found.append(Reason("self.bounded"))
    found += _of_age(ruling, asked, settled, derived)
    if bounds.guardian_moves and kind.loosest(bounds.guardian_cap, settled.value) != settled.value:
        derived.add("guardian.ask")
    elif kind.loosest(settled.self_cap, settled.value) != settled.value:
        derived.add("self.choose")
    return found, derived


_LAYER_REASON: Final = {
    "platform": "platform.rule",
    "jurisdiction": "law.rule",
    "guardian": "guardian.set",
    "self": "self.set",
}


def _of_age(ruling: Ruling, asked: Asked, settled: Settled, derived: set[str]) -> list[Reason]:
    """Whether a surer age, or a higher one, would open more."""
    if settled.layer in ("guardian", "self"):
        return []
    found = []
    oldest = _with_age(ruling, asked, asked.upper - 1, asked.upper)
    if asked.upper - asked.lower > 1 and _looser(asked, oldest, settled):
        unknown = asked.lower == 0 and asked.upper >= 100
        derived.add("age.establish")
        found.append(Reason("age.unknown" if unknown else "age.uncertain"))
    elif asked.assurance < len(ASSURANCES) - 1:
        surer = msgspec.structs.replace(asked, assurance=len(ASSURANCES) - 1)
        if _looser(asked, _settled(ruling, surer), settled):
            derived.add("age.verify")
            found.append(Reason("assurance.low"))
    if not found:
        for age in ruling.edges:
            if asked.upper <= age <= LAST_OPENING and _looser(
                asked, _with_age(ruling, asked, age, age + 1), settled
            ):
                found.append(Reason("age.opens", (("age", age),)))
                break
    return found


def _with_age(ruling: Ruling, asked: Asked, lower: int, upper: int) -> Settled:
    return _settled(ruling, msgspec.structs.replace(asked, lower=lower, upper=upper))


def _settled(ruling: Ruling, asked: Asked) -> Settled:
    return settle(asked, combine(asked.capability.kind, applying(ruling, asked)))


def _looser(asked: Asked, a: Settled, b: Settled) -> bool:
    if a.value == b.value:
        return a.effect != b.effect and b.effect == "deny"
    return asked.capability.kind.loosest(a.value, b.value) == a.value


def _both(mine: Decision, theirs: Decision) -> Decision:
    """A contact needs both sides; that the other refuses is said, and nothing else about them."""
    if mine.effect == "deny" or mine.kind is None:
        return mine
    code = mine.kind.strictest(mine.code, theirs.code)
    if theirs.effect != "deny" and code == mine.code:
        return mine
    return Decision(
        capability=mine.capability,
        effect=theirs.effect,
        layer=theirs.layer,
        reasons=(Reason("target.closed"),),
        obligations=mine.obligations,
        pack=mine.pack,
        rules=theirs.rules,
        code=mine.kind.strictest_code if theirs.effect == "deny" else code,
        kind=mine.kind,
        names=mine.names,
    )
