"""The differences between two packs, and whom they concern, in words."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Final

import msgspec

from kinward.policy.ages import ASSURANCES, MAX_AGE
from kinward.policy.bounds import Bounds, applying, combine, settle
from kinward.policy.capabilities import RELATIONSHIPS, Capability
from kinward.policy.pack import Pack
from kinward.policy.question import Asked
from kinward.policy.ruling import Ruling
from kinward.policy.values import ValueKind

MINOR: Final = (13, 18)
ADULT: Final = (18, MAX_AGE)
Change = tuple[str, str, bool | None]  # before, after, stricter


class Line(msgspec.Struct, frozen=True):
    """One difference: the people concerned, the values before and after, and on which days.

    Without `starts` it holds today already, and without `ends` for good.
    """

    capability: str
    who: str
    before: str
    after: str
    stricter: bool | None  # None: neither more nor less protective
    starts: date | None = None
    ends: date | None = None

    def __str__(self) -> str:
        turn = {True: "stricter", False: "looser", None: "different"}[self.stricter]
        when = "" if self.starts is None else f", from {self.starts}"
        when += "" if self.ends is None else f", before {self.ends}"
        return f"{self.capability}, {self.who}: {self.before} -> {self.after} ({turn}){when}"


def diff_over_time(before: Pack, after: Pack, today: date) -> list[Line]:
    """Return every difference from a day on: what differs then, and what laws change later.

    Today's differences come first, and later ones by the day from which they hold.
    """
    days = sorted({today, *before.edges_after(today), *after.edges_after(today)})
    running: dict[Line, Line] = {}  # without days -> with the day from which it holds
    lines: list[Line] = []
    for day in days:
        now = diff_packs(before.ruling_on(day), after.ruling_on(day))
        ended = [line for line in running if line not in now]
        lines += [msgspec.structs.replace(running.pop(line), ends=day) for line in ended]
        for line in now:
            starts = None if day == today else day
            running.setdefault(line, msgspec.structs.replace(line, starts=starts))
    lines += running.values()
    return sorted(lines, key=lambda line: (line.starts or date.min, line.capability))


def diff_packs(before: Ruling, after: Ruling) -> list[Line]:
    """Return every difference on one day, with neighbouring ages in one line."""
    lines: list[Line] = []
    for name in sorted({*before.capabilities, *after.capabilities}):
        old, new = before.capabilities.get(name), after.capabilities.get(name)
        if new is None or (old is not None and old.kind != new.kind):
            lines.append(Line(name, "everybody", "there", "gone or of another kind", None))
            continue
        lines += _diff_capability(before, after, new)
    return lines


def _diff_capability(before: Ruling, after: Ruling, capability: Capability) -> Iterator[Line]:
    edges = sorted({*before.edges, *after.edges})
    reported: dict[tuple[int, str, str], Change] = {}  # by age, place and circumstance
    combined: dict[tuple[int, ...], Bounds] = {}  # few sets of rules apply to many people
    for place in ("", *sorted(before.law_places | after.law_places)):
        spans: dict[tuple[int, int, Change], list[str]] = {}
        for circumstance in _circumstances(before, after, capability):
            words = circumstance.words
            for lower, upper in pairwise(edges):
                asked = [
                    Asked(
                        capability=capability,
                        lower=lower,
                        upper=upper,
                        assurance=circumstance.assurance,
                        places=ruling.places(place) or frozenset(),
                        other_lower=circumstance.others[0],
                        other_upper=circumstance.others[1],
                        relationship=circumstance.relationship,
                        joined=circumstance.joined,
                    )
                    for ruling in (before, after)
                ]
                change = _change(before, after, asked[0], asked[1], combined)
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


class _Circumstance(msgspec.Struct, frozen=True):
    """What some rule tells apart beside age and place, in words and as a question's parts."""

    words: str = ""
    relationship: str | None = None
    others: tuple[int, int] = (0, MAX_AGE)
    assurance: int = len(ASSURANCES) - 1
    joined: date = date.min  # an old account, which the fewest rules are about


def _circumstances(
    before: Ruling, after: Ruling, capability: Capability
) -> Iterator[_Circumstance]:
    """Yield the circumstances that some rule of the capability tells apart."""
    rules = [*before.rules[capability.name], *after.rules[capability.name]]
    yield _Circumstance()
    for rank in sorted({rule.assurance_below for rule in rules} - {len(ASSURANCES)}):
        words = f"age known less surely than {ASSURANCES[rank]}"
        yield _Circumstance(words, assurance=rank - 1)
    for day in sorted({rule.joined_from for rule in rules} - {date.min}):
        yield _Circumstance(f"accounts that joined on {day} or later", joined=day)
    by_other = any((rule.other_lower, rule.other_upper) != (0, MAX_AGE) for rule in rules)
    if any(len(rule.relationships) < len(RELATIONSHIPS) for rule in rules) or by_other:
        for relationship in RELATIONSHIPS:
            for words, others in (("minor", MINOR), ("adult", ADULT)) if by_other else ():
                yield _Circumstance(f"{relationship}, {words}", relationship, others)
            if not by_other:
                yield _Circumstance(relationship, relationship)


def _combine(ruling: Ruling, asked: Asked, known: dict[tuple[int, ...], Bounds]) -> Bounds:
    """Return the applying rules combined, from `known` if these very rules were met before."""
    rules = applying(ruling, asked)
    key = tuple(map(id, rules))  # the ruling keeps them alive
    if key not in known:
        known[key] = combine(asked.capability.kind, rules)
    return known[key]


def _change(
    before: Ruling,
    after: Ruling,
    old: Asked,
    new: Asked,
    combined: dict[tuple[int, ...], Bounds],
) -> Change | None:
    kind = old.capability.kind
    was, now = _combine(before, old, combined), _combine(after, new, combined)
    if old.capability.name not in before.capabilities:
        return "not there", _words(kind, now), None
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
