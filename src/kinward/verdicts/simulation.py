"""Count what other guidelines would have done to past cases, before anybody puts them in force.

Findings and verdicts stay as they were. Only their consequences are worked out again, with the
strikes of each account replayed in order.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from kinward.casebook.api import Case, CaseState, Verdict, finding_kind
from kinward.guidelines import Consequence, Guidelines, consequence, decode
from kinward.guidelines.api import Edition, guidelines_in_force

PART: Final = 500
SAMPLE: Final = 20
WITHOUT: Final = "no such clause"  # what the other guidelines lack

Progress = Callable[[int], None]
Follows = dict[str, str]  # from an aspect (`content at once`) to its outcome


class Difference(msgspec.Struct, frozen=True):
    """A case with a different outcome: the aspect, and its outcome before and after."""

    case_id: UUID
    what: str
    before: str
    after: str


class Simulation(msgspec.Struct):
    """How many cases were counted, how many would differ, and how."""

    cases: int = 0
    changed: int = 0
    counts: dict[str, int] = {}  # from `what: before → after` to the number of cases
    sample: list[Difference] = []


def simulate_cases(before: Guidelines, after: Guidelines, progress: Progress) -> Simulation:
    """Compare the outcome of every case under both guidelines, oldest first."""
    simulation, counts = Simulation(), Counter[str]()
    was, would = _Replay(before), _Replay(after)
    for case in _cases():
        simulation.cases += 1
        one, other = was.of(case), would.of(case)
        differences = [
            Difference(case.id, what, one.get(what, "nothing"), other.get(what, "nothing"))
            for what in sorted(one.keys() | other.keys())
            if one.get(what) != other.get(what)
        ]
        simulation.changed += bool(differences)
        counts.update(
            f"{difference.what}: {difference.before} → {difference.after}"
            for difference in differences
        )
        simulation.sample += differences[: SAMPLE - len(simulation.sample)]
        if simulation.cases % PART == 0:
            progress(simulation.cases)
    simulation.counts = dict(counts.most_common())
    return simulation


def simulate_edition(edition_id: UUID) -> None:
    """Simulate a proposed edition against the one in force, and store the progress. Idempotent."""
    edition = Edition.objects.get(pk=edition_id)
    Edition.objects.filter(pk=edition_id).update(total=Case.objects.count())

    def progress(counted: int) -> None:
        Edition.objects.filter(pk=edition_id).update(counted=counted)

    simulation = simulate_cases(guidelines_in_force(), decode(edition.text), progress)
    Edition.objects.filter(pk=edition_id).update(
        simulation=msgspec.to_builtins(simulation),
        counted=simulation.cases,
        total=simulation.cases,
    )


def _cases() -> Iterator[Case]:
    """Yield every case with its findings and verdicts, oldest first."""
    last: tuple[datetime, UUID] | None = None
    while True:
        cases = Case.objects.order_by("opened_at", "id").prefetch_related(
            "findings__user_report", "verdicts"
        )
        if last is not None:
            cases = cases.filter(opened_at__gte=last[0]).exclude(opened_at=last[0], id__lte=last[1])
        part = list(cases[:PART])
        if not part:
            return
        yield from part
        last = (part[-1].opened_at, part[-1].id)


class _Replay:
    """One document of guidelines, applied to one case after another."""

    def __init__(self, guidelines: Guidelines) -> None:
        self._guidelines = guidelines
        self._strikes = defaultdict[int, list[tuple[datetime, int]]](list)

    def of(self, case: Case) -> Follows:
        """Return the outcome of a case. Cases come oldest first, because strikes add up."""
        follows = self._at_once(case)
        verdict = self._confirmed(case)
        if verdict is None:
            return follows
        clause = self._guidelines.clauses.get(verdict.clause)
        if clause is None:
            return follows | {"verdict": f"{verdict.clause}: {WITHOUT}"}
        what = consequence(self._guidelines, clause, self._counting(case, verdict.given_at))
        if case.state != CaseState.OVERTURNED:
            expires = verdict.given_at + timedelta(days=self._guidelines.strikes.decay_days)
            self._strikes[case.account_id].append((expires, what.strikes))
        return follows | _outcome(what)

    def _at_once(self, case: Case) -> Follows:
        follows = Follows()
        for finding in case.findings.all():
            rule = finding_kind(finding.kind).rule(self._guidelines, finding)
            if rule.content != "keep":
                follows["content at once"] = rule.content
            if rule.account != "keep":
                follows["account at once"] = rule.account
            if rule.verdict:
                follows["verdict by a rule"] = rule.verdict
            follows.setdefault("priority", rule.priority)
        return follows

    def _confirmed(self, case: Case) -> Verdict | None:
        confirmed = [
            verdict for verdict in case.verdicts.all() if verdict.outcome == CaseState.CONFIRMED
        ]
        return confirmed[-1] if confirmed else None

    def _counting(self, case: Case, at: datetime) -> int:
        return sum(count for until, count in self._strikes[case.account_id] if until > at)


def _outcome(what: Consequence) -> Follows:
    lasting = f" {what.days} days" if what.days else ""
    return {
        "account": f"{what.account}{lasting}",
        "content": "everywhere" if what.everywhere else "removed" if what.removes else "kept",
        "report": "yes" if what.reports else "no",
        "registration": "blocked" if what.blocks_registration else "open",
    }
