"""A pack on a day, prepared for questions: rules by capability, bands of age and a memo."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from kinward.policy.ages import MAX_AGE, AgeRange
from kinward.policy.capabilities import Capability
from kinward.policy.places import is_place, within
from kinward.policy.rules import ALL_RELATIONSHIPS, Rule, in_general
from kinward.policy.values import AUDIENCE

if TYPE_CHECKING:
    from kinward.policy.decision import Decision


class Ruling:
    """The rules in force on the days before `until`."""

    def __init__(
        self,
        *,
        label: str,
        capabilities: Mapping[str, Capability],
        rules: Iterable[Rule],
        elsewhere: str,
        unknown_place: str,
        names: Mapping[str, Mapping[str, str]],
        until: date,
    ) -> None:
        self.label, self.until, self.names = label, until, names
        self.capabilities = capabilities
        self.elsewhere, self.unknown_place = elsewhere, unknown_place
        self.rules: dict[str, list[Rule]] = defaultdict(list)
        edges = {0, MAX_AGE}
        for rule in sorted(rules, key=lambda rule: (rule.place, rule.file, rule.line)):
            about_some = rule.relationships != ALL_RELATIONSHIPS
            if about_some and capabilities[rule.capability].kind is AUDIENCE:
                rule = replace(rule, general=in_general(rule))  # noqa: PLW2901
            self.rules[rule.capability].append(rule)
            edges |= {rule.lower, rule.upper, rule.other_lower, rule.other_upper}
        self.edges = sorted(edges)
        # The band of each whole year of age, so that a range of years becomes a range of bands.
        self.bands = [sum(edge <= year for edge in self.edges) - 1 for year in range(MAX_AGE + 1)]
        # The days of joining that the rules tell apart.
        self.joined_edges = sorted(
            {rule.joined_from for group in self.rules.values() for rule in group} - {date.min}
        )
        self.law_places = {rule.place for group in self.rules.values() for rule in group} - {""}
        self.uncovered = {name: self._uncovered(name) for name in capabilities}
        # Earlier answers: by the exact question, and by everything that the rules can tell apart.
        self.memo: dict[tuple[Any, ...], Decision] = {}
        self.by_bands: dict[tuple[Any, ...], Decision] = {}

    def band_range(self, age: AgeRange) -> tuple[int, int]:
        """Return the first and the last band of a range of ages."""
        return self.bands[age.lower], self.bands[age.upper - 1]

    def joined_band(self, joined: date | None) -> int:
        """Return how many of the `joined_edges` a day of joining has reached: all, if unknown."""
        if joined is None:
            return len(self.joined_edges)
        return bisect_right(self.joined_edges, joined)

    def words(self, name: str) -> dict[str, str] | None:
        """Return the words for a capability of the pack's own by language; None for any other."""
        return dict(self.names[name]) if name in self.names else None

    def places(self, jurisdiction: str) -> frozenset[str] | None:
        """Return the places whose law holds for a person; None if no overlay covers the place."""
        if not jurisdiction:
            everywhere = self.unknown_place == "strictest"
            return frozenset(self.law_places) if everywhere else frozenset()
        if not is_place(jurisdiction):
            return None
        places = within(jurisdiction)
        if self.elsewhere == "protective" and not places & self.law_places:
            return None
        return places

    def _uncovered(self, name: str) -> frozenset[int]:
        """Return the bands of age without an unconditional rule of the platform."""
        covered: set[int] = set()
        for rule in self.rules[name]:
            if not rule.place and rule.is_plain:
                covered.update(range(self.bands[rule.lower], self.bands[rule.upper - 1] + 1))
        return frozenset(range(len(self.edges) - 1)) - covered
