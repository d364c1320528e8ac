"""The differences between two packs, and whom they concern, in words."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import msgspec

from kinward.policy.ages import ASSURANCES, MAX_AGE
from kinward.policy.bounds import Bounds, applying, combine, settle
from kinward.policy.capabilities import RELATIONSHIPS, Capability
from kinward.policy.question import Asked
from kinward.policy.ruling import Ruling
from kinward.policy.values import ValueKind

MINOR: Final = (13, 18)
ADULT: Final = (18, MAX_AGE)
Change = tuple[str, str, bool | None]  # before, after, stricter


class Line(msgspec.Struct, frozen=True):
    """One difference: the people concerned, and the values before and after."""

    capability: str
    who: str
    before: str
    after: str
    stricter: bool | None  # None: neither more nor less protective

    def __str__(self) -> str:
        turn = {True: "stricter", False: "looser", None: "different"}[self.stricter]
        return f"{self.capability}, {self.who}: {self.before} -> {self.after} ({turn})"


def diff_packs(before: Ruling, after: Ruling) -> list[Line]:
    """Return every difference, with neighbouring ages in one line."""
    lines: list[Line] = []
    for name in sorted({*before.capabilities, *after.capabilities}):
        old, new = before.capabilities.get(name), after.capabilities.get(name)
        if old is None or new is None or old.kind != new.kind:
            words = ("not there", "new") if old is None else ("there", "gone or of another kind")
            lines.append(Line(name, "everybody", *words, None))
            continue
        lines += _diff_capability(before, after, old)
    return lines


def _diff_capability(before: Ruling, after: Ruling, capability: Capability) -> Iterator[Line]:
    edges = sorted({*before.edges, *after.edges})
    reported: dict[tuple[int, str, str], Change] = {}  # by age, place and circumstance
    for place in ("", *sorted(before.law_places | after.law_places)):
        spans: dict[tuple[int, int, Change], list[str]] = {}
        for words, relationship, others, assurance in _circumstances(before, after, capability):
            for lower, upper in pairwise(edges):
                asked = [
                    Asked(
                        capability=capability,
                        lower=lower,
                        upper=upper,
                        assurance=assurance,
                        places=ruling.places(place) or frozenset(),
                        other_lower=others[0],
                        other_upper=others[1],
                        relationship=relationship,
                    )
                    for ruling in (before, after)
                ]
                change = _change(before, after, *asked)
                if change is None:
                    continue
                # A change that holds everywhere, or towards everybody, is not repeated.
                known = ((lower, "", ""), (lower, "", words), (lower, place, ""))
                if change in map(reported.get, known):
                    continue
                reported[lower, place, words] = change
                spans.setdefault((lower, upper, change), []).append(words)
        yield from _lines(capability.name, place, spans)


def _lines(
    name: str, place: str, spans: dict[tuple[int, int, "Change"], list[str]]
) -> Iterator[Line]:
    """Join neighbouring ages with the same change in the same circumstances into one line."""
    rows = [(lower, upper, change, words) for (lower, upper, change), words in spans.items()]
    rows.sort(key=lambda row: (row[3], row[0]))
    joined: list[tuple[int, int, Change, list[str]]] = []
    for row in rows:
        if joined and joined[-1][1] == row[0] and joined[-1][2:] == row[2:]:
            joined[-1] = (joined[-1][0], row[1], *row[2:])
        else:
            joined.append(row)
    for lower, upper, (old, new, stricter), words in joined:
        towards = "; ".join(filter(None, words))
        who = _ages(lower, upper) + (f", in {place}" if place else "")
        yield Line(name, f"{who} ({towards})" if towards else who, old, new, stricter)


def _circumstances(
    before: Ruling, after: Ruling, capability: Capability
) -> Iterator[tuple[str, str | None, tuple[int, int], int]]:
    """Yield the circumstances that some rule of the capability tells apart."""
    rules = [*before.rules[capability.name], *after.rules[capability.name]]
    verified = len(ASSURANCES) - 1
    yield "", None, (0, MAX_AGE), verified
    for rank in sorted({rule.assurance_below for rule in rules} - {len(ASSURANCES)}):
        yield f"age known less surely than {ASSURANCES[rank]}", None, (0, MAX_AGE), rank - 1
    by_other = any((rule.other_lower, rule.other_upper) != (0, MAX_AGE) for rule in rules)
    if any(len(rule.relationships) < len(RELATIONSHIPS) for rule in rules) or by_other:
        for relationship in RELATIONSHIPS:
            for words, others in (("minor", MINOR), ("adult", ADULT)) if by_other else ():
                yield f"{relationship}, {words}", relationship, others, verified
            if not by_other:
                yield relationship, relationship, (0, MAX_AGE), verified


def _change(before: Ruling, after: Ruling, old: Asked, new: Asked) -> Change | None:
    kind = old.capability.kind
    was, now = combine(kind, applying(before, old)), combine(kind, applying(after, new))
    if was == now or (settle(old, was) == settle(new, now) and _bounds(was) == _bounds(now)):
        return None
    stricter: bool | None = None
    if was.default != now.default:
        strict = kind.strictest(was.default, now.default)
        stricter = True if strict == now.default else False if strict == was.default else None
    return _words(kind, was), _words(kind, now), stricter


def _bounds(bounds: Bounds) -> tuple[object, ...]:
    """Return how far guardian and self may move. Why one may not move makes no difference."""
    guardian = (bounds.guardian_floor, bounds.guardian_cap)
    moves = bounds.guardian_moves and guardian[0] != guardian[1]
    return guardian if moves else None, bounds.self_floor, bounds.self_cap


def _words(kind: ValueKind, bounds: Bounds) -> str:
    parts = [str(kind.value(bounds.default))]
    for who, moves, floor, cap in (
        ("guardian", bounds.guardian_moves, bounds.guardian_floor, bounds.guardian_cap),
        ("self", bounds.self_moves, bounds.self_floor, bounds.self_cap),
    ):
        if moves and floor != cap:
            parts.append(f"{who} {kind.value(floor)} to {kind.value(cap)}")
    return "; ".join(parts)


def _ages(lower: int, upper: int) -> str:
    if (lower, upper) == (0, MAX_AGE):
        return "all ages"
    if upper == MAX_AGE:
        return f"{lower} and over"
    if lower == 0:
        return f"under {upper}"
    return f"{lower}" if upper == lower + 1 else f"{lower} to {upper - 1}"
