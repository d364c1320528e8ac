"""Decisions over columns: millions of people at once, in NumPy.

This module does not build on `engine`, so that each checks the other: the tests compare them on a
million random cases.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from kinward.policy.ages import ASSURANCES
from kinward.policy.capabilities import AUDIENCE_OF, RELATIONSHIPS, Capability
from kinward.policy.rules import Rule
from kinward.policy.ruling import Ruling
from kinward.policy.values import AUDIENCE, HOURS, ValueKind

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int16]
Bools = npt.NDArray[np.bool_]

DENY, LIMIT, ALLOW = range(3)
PLATFORM, JURISDICTION, GUARDIAN, SELF = range(4)
NONE: Final = -1  # no relationship, no hour, no setting


class Side(msgspec.Struct, kw_only=True):
    """One person in each of N rows.

    Ages are in years `[lower, upper)`. `place` indexes the places of the `Columns`, and `assurance`
    indexes `ASSURANCES`. `guardian` and `self_` are settings as the capability's codes (-1 = none).
    `joined` is the day (proleptic ordinal) on which each account existed; without it nobody knows.
    `withdrawn` marks the accounts whose consent was withdrawn; without it nobody's was. `change`
    marks those without a guardian's consent to what a change brings.
    """

    lower: Small
    upper: Small
    place: Small
    assurance: Small
    guardian: Ints | None = None
    self_: Ints | None = None
    joined: Ints | None = None
    withdrawn: Bools | None = None
    change: Bools | None = None


class Columns(msgspec.Struct, kw_only=True):
    """One question in each of N rows. `places` are ISO codes, or empty for an unknown place.

    `relationship` indexes `RELATIONSHIPS`, and `slot` is a half hour of the day (-1 = none).
    `brings` are the capabilities that a change brings; without any, it brings everything.
    """

    places: Sequence[str]
    actor: Side
    target: Side | None = None
    relationship: Small | None = None
    slot: Small | None = None
    brings: frozenset[str] = frozenset()


class Decided(msgspec.Struct):
    """For each row: the effect (`DENY`, `LIMIT`, `ALLOW`), the value's code, the deciding layer."""

    effect: npt.NDArray[np.int8]
    code: Ints
    layer: npt.NDArray[np.int8]


def decide_columns(ruling: Ruling, name: str, columns: Columns) -> Decided:
    """Decide one capability for every row. Raises `KeyError` if the pack does not know it."""
    capability = ruling.capabilities[name]
    missing = _without_consent(ruling, capability, columns)
    return _with_consent(capability.kind, missing, _both_sides(ruling, capability, columns))


def _without_consent(ruling: Ruling, capability: Capability, columns: Columns) -> list[Bools]:
    """Return which rows of each side lack a consent that the capability needs."""
    sides = [side for side in (columns.actor, columns.target) if side is not None]
    both = {capability.name, capability.counterpart}
    brings, known = columns.brings, ruling.capabilities.keys()
    brought = not brings or bool(both & brings) or not brings <= known
    columns_of_both = [side.withdrawn for side in sides]
    if brought:
        columns_of_both += [side.change for side in sides]
    return [rows for rows in columns_of_both if rows is not None]


def _with_consent(kind: ValueKind, missing: list[Bools], decided: Decided) -> Decided:
    """Deny the rows in which the consent of either person is missing."""
    if not missing:
        return decided
    rows = np.logical_or.reduce(missing)
    return Decided(
        np.where(rows, DENY, decided.effect).astype(np.int8),
        np.where(rows, kind.strictest_code, decided.code),
        np.where(rows, PLATFORM, decided.layer).astype(np.int8),
    )


def _both_sides(ruling: Ruling, capability: Capability, columns: Columns) -> Decided:
    mine = _one_side(ruling, capability, columns)
    if columns.target is None or not capability.counterpart:
        return mine
    other = ruling.capabilities[capability.counterpart]
    turned = replace(columns, actor=columns.target, target=columns.actor, slot=None)
    theirs = _one_side(ruling, other, turned)
    code = _strictest(capability.kind, mine.code, theirs.code)
    refused = (mine.effect != DENY) & (theirs.effect == DENY)
    theirs_decide = (mine.effect != DENY) & ((theirs.effect == DENY) | (code != mine.code))
    code = np.where(refused, capability.kind.strictest_code, code)
    return Decided(
        np.where(theirs_decide, theirs.effect, mine.effect),
        np.where(theirs_decide, code, mine.code),
        np.where(theirs_decide, theirs.layer, mine.layer),
    )


def _one_side(ruling: Ruling, capability: Capability, columns: Columns) -> Decided:
    kind, actor = capability.kind, columns.actor
    bounds = _Bounds(ruling, capability, columns)
    value, layer = bounds.default, np.where(bounds.by_law, JURISDICTION, PLATFORM)
    self_cap = bounds.cap["self"]
    self_floor = np.full(len(actor.lower), kind.strictest_code, np.int64)
    if actor.guardian is not None:
        rows = (actor.guardian != NONE) & bounds.guardian_moves
        moved = _clamp(kind, actor.guardian, bounds.floor["guardian"], bounds.cap["guardian"])
        layer = np.where(rows & (moved != value), GUARDIAN, layer)
        value = np.where(rows, moved, value)
        self_cap = np.where(rows, moved, self_cap)
    if actor.self_ is not None:
        rows = actor.self_ != NONE
        moved = _clamp(kind, actor.self_, self_floor, self_cap)
        layer = np.where(rows & (moved != value), SELF, layer)
        value = np.where(rows, moved, value)
    effect = _effects(capability, columns, value, self_cap)
    covered = _covered(ruling, capability.name, columns)
    return Decided(
        np.where(covered, effect, DENY).astype(np.int8),
        np.where(covered, value, kind.strictest_code),
        np.where(covered, layer, PLATFORM).astype(np.int8),
    )


class _Bounds:
    """The strictest of every default and of every bound, row by row."""

    def __init__(self, ruling: Ruling, capability: Capability, columns: Columns) -> None:
        kind, size = capability.kind, len(columns.actor.lower)

        def unrestricted() -> Ints:
            return np.full(size, kind.open_code, np.int64)

        self.default, by_platform = unrestricted(), unrestricted()
        self.floor = {"guardian": unrestricted(), "self": unrestricted()}
        self.cap = {"guardian": unrestricted(), "self": unrestricted()}
        self.guardian_moves = np.zeros(size, bool)
        for rule, rows in _applying(ruling, capability.name, columns):
            _lower(kind, self.default, rows, rule.default)
            if not rule.place:
                _lower(kind, by_platform, rows, rule.default)
            for mover in ("guardian", "self"):
                floor, cap = rule.bounds(mover)
                _lower(kind, self.floor[mover], rows, floor)
                _lower(kind, self.cap[mover], rows, cap)
            if rule.guardian:
                self.guardian_moves |= rows
        self.by_law: Bools = self.default != by_platform


def _applying(ruling: Ruling, name: str, columns: Columns) -> Iterator[tuple[Rule, Bools]]:
    """Yield each rule with its rows, in general form for rows without a known relationship."""
    for rule in ruling.rules[name]:
        rows = _applies(ruling, rule, columns)
        if rule.general is None:
            yield rule, rows
        elif columns.relationship is None:
            yield rule.general, rows
        else:
            unknown = columns.relationship == NONE
            yield rule.general, rows & unknown
            yield rule, rows & ~unknown


def _applies(ruling: Ruling, rule: Rule, columns: Columns) -> Bools:
    actor, target = columns.actor, columns.target
    rows: Bools = (rule.lower < actor.upper) & (actor.lower < rule.upper)
    if rule.place:
        holds = [rule.place in (ruling.places(place) or ()) for place in columns.places]
        rows &= np.array(holds, bool)[actor.place]
    if rule.assurance_below < len(ASSURANCES):
        rows &= actor.assurance < rule.assurance_below
    if actor.joined is not None and rule.joined_from != date.min:
        rows &= actor.joined >= rule.joined_from.toordinal()
    if target is not None:
        rows &= (rule.other_lower < target.upper) & (target.lower < rule.other_upper)
    if columns.relationship is not None and len(rule.relationships) < len(RELATIONSHIPS):
        holds = [name in rule.relationships for name in RELATIONSHIPS]
        rows &= np.array([*holds, True], bool)[columns.relationship]  # -1 is the last: unknown
    return rows


def _covered(ruling: Ruling, name: str, columns: Columns) -> Bools:
    """Return the rows whose place and ages the pack covers."""
    actor = columns.actor
    known = np.array([ruling.places(place) is not None for place in columns.places], bool)
    rows: Bools = known[actor.place]
    if columns.target is not None:
        rows = rows & known[columns.target.place]
    for band in ruling.uncovered[name]:
        start, end = ruling.edges[band], ruling.edges[band + 1]
        rows = rows & ~((start < actor.upper) & (actor.lower < end))
    return rows


def _effects(
    capability: Capability, columns: Columns, value: Ints, self_cap: Ints
) -> npt.NDArray[np.int8]:
    kind = capability.kind
    effect = np.full(len(value), LIMIT, np.int8)
    if kind.name != "level" or kind.words[0] == "off":
        effect[value == kind.strictest_code] = DENY
    if kind is AUDIENCE:
        effect[(value == kind.strictest_code) & (self_cap != 0)] = LIMIT
    effect[value == kind.open_code] = ALLOW
    if kind is HOURS and columns.slot is not None:
        shut = (columns.slot != NONE) & ((value >> np.maximum(columns.slot, 0)) & 1 == 0)
        effect[shut] = DENY
    if columns.relationship is not None:
        if kind is AUDIENCE:
            smallest = np.array([*(AUDIENCE_OF[name] for name in RELATIONSHIPS), 0])
            inside = smallest[columns.relationship] <= value
            known = columns.relationship != NONE
            effect = np.where(known, np.where(inside, ALLOW, DENY), effect).astype(np.int8)
        if capability.between_people:
            effect[columns.relationship == RELATIONSHIPS.index("blocked")] = DENY
    return effect


def _lower(kind: ValueKind, column: Ints, rows: Bools, code: int) -> None:
    """Make the given rows of a column at least as strict as a code, in place."""
    strict: Any = np.bitwise_and if kind is HOURS else np.minimum
    strict(column, code, out=column, where=rows)


def _strictest(kind: ValueKind, a: Ints, b: Ints) -> Ints:
    return a & b if kind is HOURS else np.minimum(a, b)


def _clamp(kind: ValueKind, code: Ints, floor: Ints, cap: Ints) -> Ints:
    strict = _strictest(kind, code, cap)
    return strict | floor if kind is HOURS else np.maximum(strict, floor)
