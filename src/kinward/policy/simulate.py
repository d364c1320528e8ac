"""Whom another pack would affect: two packs compared over a population.

Accounts that no rule can tell apart (the same bands of age, place and assurance) are one *cell*.
Accounts without consent have cells of their own, since every pack denies what needs it.
One pass over the population counts the cells, and then each cell is decided once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final, Literal

import msgspec
import numpy as np
from msgspec.structs import replace

from kinward.policy.ages import ASSURANCES, MAX_AGE, is_unknown
from kinward.policy.decision import EFFECTS
from kinward.policy.population import Ints, People, Settings
from kinward.policy.ruling import Ruling
from kinward.policy.values import Value, ValueKind
from kinward.policy.vector import NONE, Columns, Side, decide_columns

EXAMPLES: Final = 3
GROUPS: Final = ("unknown", "under 13", "13 to 15", "16 and 17", "18 and over", "uncertain")
Direction = Literal["loses", "gains", "changes"]


class Change(msgspec.Struct, frozen=True):
    """A loss or a gain of one group of accounts. `before` and `after` are values in words."""

    capability: str
    direction: Direction
    group: str
    place: str
    before: Value
    after: Value
    before_effect: str
    after_effect: str
    accounts: int
    examples: tuple[str, ...] = ()


class Simulation(msgspec.Struct, frozen=True):
    """The outcome: the accounts counted, the accounts with any change, and the changes."""

    before: str
    after: str
    accounts: int
    touched: int
    changes: list[Change]

    def by_group(self) -> dict[str, dict[str, int]]:
        """Count changes by group of age and direction, over all capabilities, for the chart."""
        totals = {group: {"loses": 0, "gains": 0, "changes": 0} for group in GROUPS}
        for change in self.changes:
            totals[change.group][change.direction] += change.accounts
        return {group: counts for group, counts in totals.items() if any(counts.values())}


class Cells:
    """A counted population: the accounts in each cell, and those with settings."""

    def __init__(self, edges: Iterable[int], joined: Iterable[date] = ()) -> None:
        self.edges = sorted({0, MAX_AGE, *edges})
        # The days of joining that some rule tells apart, as ordinals.
        self.joined = np.array(sorted({day.toordinal() for day in joined}), np.int64)
        self._bands = len(self.edges) - 1
        years = np.arange(MAX_AGE + 1)
        self._band_of = (np.searchsorted(self.edges, years, side="right") - 1).astype(np.int32)
        self.places: list[str] = []
        self._place_codes: dict[str, int] = {}
        self.counts = np.zeros(0, np.int64)
        self.settings: Counter[tuple[int, Settings]] = Counter()
        self.examples: dict[int, list[str]] = {}
        self.accounts = 0
        self.brings = frozenset[str]()

    def add(self, people: People) -> None:
        """Count one part of the population."""
        cell = self._cells_of(people)
        self.brings = people.brings
        self._count(cell, None)
        self.accounts += len(people)
        for row, settings in people.settings.items():
            self.settings[int(cell[row]), settings] += 1
        if people.ids is not None:
            first = np.unique(cell, return_index=True)
            for number, row in zip(first[0].tolist(), first[1].tolist(), strict=True):
                kept = self.examples.setdefault(number, [])
                if len(kept) < EXAMPLES:
                    kept.append(people.ids[row])

    def add_counted(self, part: Mapping[str, Any]) -> None:
        """Add cells that were counted elsewhere, one in each row, with their `count`."""
        words, place = np.unique(np.asarray(part["place"], str), return_inverse=True)
        people = People(
            places=[str(word) for word in words],
            lower=np.asarray(part["lower"], np.int16),
            upper=np.asarray(part["upper"], np.int16),
            place=place.astype(np.int16),
            assurance=np.asarray(part["assurance"], np.int16),
            joined=np.asarray(part["joined"], np.int64) if len(self.joined) else None,
        )
        counts = np.asarray(part["count"], np.int64)
        self._count(self._cells_of(people), counts)
        self.accounts += int(counts.sum())

    def _cells_of(self, people: People) -> Ints:
        for place in people.places:
            if place not in self._place_codes:
                self._place_codes[place] = len(self.places)
                self.places.append(place)
        to_global = np.array([self._place_codes[place] for place in people.places], np.int64)
        cell = to_global[people.place]
        for digit, base in (
            (self._band_of[people.lower], self._bands),
            (self._band_of[people.upper - 1], self._bands),
            (people.assurance, len(ASSURANCES)),
            (self._joined_band(people), len(self.joined) + 1),
            (0 if people.withdrawn is None else people.withdrawn, 2),
            (0 if people.change is None else people.change, 2),
        ):
            cell *= base
            cell += digit
        return cell

    def _joined_band(self, people: People) -> Ints:
        """Return how many of the days of joining each account has reached: all, if unknown."""
        if people.joined is None:
            return np.full(len(people), len(self.joined), np.int64)
        return np.searchsorted(self.joined, people.joined, side="right")

    def _count(self, cell: Ints, weights: Ints | None) -> None:
        size = len(self.places) * self._bands**2 * len(ASSURANCES) * (len(self.joined) + 1) * 4
        counts = np.zeros(size, np.int64)
        if weights is None:
            counts += np.bincount(cell, minlength=size)
        else:
            np.add.at(counts, cell, weights)
        counts[: len(self.counts)] += self.counts
        self.counts = counts

    def columns(self, cells: Ints) -> Columns:
        """Return the cells as questions."""
        rest, change = np.divmod(cells, 2)
        rest, withdrawn = np.divmod(rest, 2)
        rest, joined = np.divmod(rest, len(self.joined) + 1)
        rest, assurance = np.divmod(rest, len(ASSURANCES))
        rest, high = np.divmod(rest, self._bands)
        place, low = np.divmod(rest, self._bands)
        edges = np.array(self.edges, np.int16)
        actor = Side(
            lower=edges[low],
            upper=edges[high + 1],
            place=place.astype(np.int16),
            assurance=assurance.astype(np.int16),
            joined=np.concatenate([[0], self.joined])[joined] if len(self.joined) else None,
            withdrawn=withdrawn.astype(bool),
            change=change.astype(bool),
        )
        return Columns(places=self.places, actor=actor, brings=self.brings)


def simulate_change(
    before: Ruling,
    after: Ruling,
    people: Iterable[People],
    progress: Callable[[int], None] = lambda done: None,
) -> Simulation:
    """Compare two packs over a population; `progress` is called with the count of accounts."""
    cells = Cells({*before.edges, *after.edges}, {*before.joined_edges, *after.joined_edges})
    for part in people:
        cells.add(part)
        progress(cells.accounts)
    return compare(before, after, cells)


def compare(before: Ruling, after: Ruling, cells: Cells) -> Simulation:
    """Decide each counted cell by both packs, for every capability that both have."""
    questions = _Questions(cells)
    touched = np.zeros(len(questions.counts), bool)
    changes: list[Change] = []
    for name, capability in before.capabilities.items():
        other = after.capabilities.get(name)
        if other is None or other.kind != capability.kind:
            continue
        columns = questions.about(name)
        people = columns.actor
        old, new = decide_columns(before, name, columns), decide_columns(after, name, columns)
        differ = ((old.code != new.code) | (old.effect != new.effect)) & (questions.counts > 0)
        touched |= differ
        counts: Counter[tuple[str, str, int, int, int, int]] = Counter()
        examples: dict[tuple[str, str, int, int, int, int], list[str]] = {}
        for row in np.flatnonzero(differ).tolist():
            key = (
                group_of(int(people.lower[row]), int(people.upper[row])),
                cells.places[int(people.place[row])],
                *(int(old.code[row]), int(new.code[row])),
                *(int(old.effect[row]), int(new.effect[row])),
            )
            counts[key] += int(questions.counts[row])
            examples.setdefault(key, []).extend(questions.examples(row))
        for key, accounts in counts.items():
            changes.append(_change(name, capability.kind, key, accounts, examples[key]))
    changes.sort(key=lambda change: (-change.accounts, change.capability, change.group))
    count = int(questions.counts[touched].sum())
    return Simulation(before.label, after.label, cells.accounts, count, changes)


class _Questions:
    """The rows to decide: cells without settings, then cells with each combination of settings."""

    def __init__(self, cells: Cells) -> None:
        live = np.flatnonzero(cells.counts)
        special = list(cells.settings)
        amounts = np.array(list(cells.settings.values()), np.int64)
        owners = np.array([cell for cell, _ in special], np.int64)
        counts = cells.counts[live].copy()
        np.subtract.at(counts, np.searchsorted(live, owners), amounts)
        self._cells, self._special, self._plain = cells, special, len(live)
        self._rows = np.concatenate([live, owners])
        self._columns = cells.columns(self._rows)
        self.counts = np.concatenate([counts, amounts])

    def about(self, name: str) -> Columns:
        """Return the questions about one capability, with its settings."""
        if not self._special:
            return self._columns
        codes_of_name = [
            next((codes for other, *codes in settings if other == name), [NONE, NONE])
            for _, settings in self._special
        ]
        both = np.full((len(self._rows), 2), NONE, np.int64)
        both[self._plain :] = codes_of_name
        actor = replace(self._columns.actor, guardian=both[:, 0], self_=both[:, 1])
        return replace(self._columns, actor=actor)

    def examples(self, row: int) -> list[str]:
        """Return some account ids of a row, if ids are known and the row has no settings."""
        return self._cells.examples.get(int(self._rows[row]), []) if row < self._plain else []


def _change(
    name: str,
    kind: ValueKind,
    key: tuple[str, str, int, int, int, int],
    accounts: int,
    examples: list[str],
) -> Change:
    group, place, old, new, old_effect, new_effect = key
    return Change(
        capability=name,
        direction=direction(kind, (old_effect, old), (new_effect, new)),
        group=group,
        place=place,
        before=kind.value(old),
        after=kind.value(new),
        before_effect=EFFECTS[old_effect],
        after_effect=EFFECTS[new_effect],
        accounts=accounts,
        examples=tuple(examples[:EXAMPLES]),
    )


def direction(kind: ValueKind, old: tuple[int, int], new: tuple[int, int]) -> Direction:
    """Say whether a change of (effect, code) is a loss, a gain, or both."""
    if old[1] == new[1]:
        return "loses" if new[0] < old[0] else "gains"
    strict = kind.strictest(old[1], new[1])
    if strict == new[1]:
        return "loses"
    return "gains" if strict == old[1] else "changes"


def group_of(lower: int, upper: int) -> str:
    """Return the group of `GROUPS` for a range of ages."""
    if is_unknown(lower, upper):
        return "unknown"
    for group, (start, end) in zip(
        GROUPS[1:5], ((0, 13), (13, 16), (16, 18), (18, MAX_AGE)), strict=True
    ):
        if start <= lower and upper <= end:
            return group
    return "uncertain"
