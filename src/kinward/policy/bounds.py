"""The value of a capability: the strictest of the applying rules, then guardian's and own choice.

It all rests on one idea: the unknown counts as whatever protects most. A rule applies when its
conditions *could* hold for the range of ages, the relationship and the other person. The applying
rules combine to the strictest of their defaults and of their bounds. So their order does not
matter, and the answer is the stricter the less is known.
"""

from collections.abc import Iterable

import msgspec

from kinward.policy.capabilities import AUDIENCE_OF
from kinward.policy.decision import Effect, Layer
from kinward.policy.proving import stronger_proof
from kinward.policy.question import Asked, Person, Question, read_question
from kinward.policy.rules import Rule
from kinward.policy.ruling import Ruling
from kinward.policy.values import AUDIENCE, HOURS, ValueKind


class Bounds(msgspec.Struct, frozen=True):
    """The applying rules combined, as codes. `by_platform` is the default without the law.

    `proof` is the least method by which a guardian has to be proven before they loosen it.
    """

    default: int
    by_platform: int
    guardian_floor: int
    guardian_cap: int
    self_floor: int
    self_cap: int
    guardian_moves: bool
    self_moves: bool
    proof: str = ""


class Settled(msgspec.Struct, frozen=True):
    """The value after each layer, and the bound that is left to the person."""

    value: int
    layer: Layer
    after_guardian: int
    self_cap: int
    effect: Effect
    guardian_bounded: bool = False
    self_bounded: bool = False


def applying(ruling: Ruling, asked: Asked) -> list[Rule]:
    """Return the rules whose conditions could hold, in general form if no relationship is known."""
    rules = [rule for rule in ruling.rules[asked.capability.name] if applies(rule, asked)]
    if asked.relationship is None:
        return [rule.general or rule for rule in rules]
    return rules


def applies(rule: Rule, asked: Asked) -> bool:
    """Return whether a rule's conditions could hold, given what is known."""
    return (
        rule.lower < asked.upper
        and asked.lower < rule.upper
        and (not rule.place or rule.place in asked.places)
        and asked.assurance < rule.assurance_below
        and rule.joined_from <= asked.joined
        and rule.other_lower < asked.other_upper
        and asked.other_lower < rule.other_upper
        and (asked.relationship is None or asked.relationship in rule.relationships)
    )


def combine(kind: ValueKind, rules: Iterable[Rule]) -> Bounds:
    """Return the strictest of all defaults and of each bound.

    `may` restricts loosening only: everybody may protect themselves as much as they like.
    """
    default = by_platform = kind.open_code
    floors, caps = [kind.open_code] * 2, [kind.open_code] * 2
    moves = [False, False]
    proof = ""
    for rule in rules:
        default = kind.strictest(default, rule.default)
        if not rule.place:
            by_platform = kind.strictest(by_platform, rule.default)
        for number, mover in enumerate(("guardian", "self")):
            floor, cap = rule.bounds(mover)
            floors[number] = kind.strictest(floors[number], floor)
            caps[number] = kind.strictest(caps[number], cap)
        moves = [moves[0] or rule.guardian, moves[1] or rule.self_]
        if rule.proof != proof:
            proof = stronger_proof(rule.proof, proof)
    own_floor = kind.strictest_code
    return Bounds(
        default, by_platform, floors[0], caps[0], own_floor, caps[1], moves[0], moves[1], proof
    )


def bounds_in_general(ruling: Ruling, name: str, person: Person) -> Bounds | None:
    """Return how far guardian and self may move a person's capability; None if it is unreadable."""
    sides = read_question(ruling, name, Question(actor=person))
    if isinstance(sides, str):
        return None
    asked = sides[0]
    return combine(asked.capability.kind, applying(ruling, asked))


def settle(asked: Asked, bounds: Bounds) -> Settled:
    """Move the value as guardian and self set it, within their bounds. The guardian's bounds self.

    A guardian's setting counts as long as some rule lets a guardian move at some age in the range.
    So the setting ends by itself, and never earlier because less is known.
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
    """Return the effect of a value for the other person and the time in question."""
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
        # Nobody, until the person chooses otherwise. So this is a limit and not a refusal.
        return "limit" if self_cap != 0 else "deny"
    closed = value == kind.strictest_code and (kind.name != "level" or kind.words[0] == "off")
    return "deny" if closed else "limit"
