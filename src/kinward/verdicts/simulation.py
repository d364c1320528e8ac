"""What other guidelines would have done to past cases: counted before anybody puts them in force.

Findings and verdicts stay as they were; only what follows from them is worked out again, with the
strikes of each account replayed in their order.
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
Follows = dict[str, str]  # from what is asked (`content at once`) to what it comes to


class Difference(msgspec.Struct, frozen=True):
    """A case that would have gone otherwise: what is asked, what was, what would have been."""

    case_id: UUID
    what: str
    before: str
    after: str


class Simulation(msgspec.Struct):
    """How many cases were looked at, how many would have gone otherwise, and how."""

    cases: int = 0
    changed: int = 0
    counts: dict[str, int] = {}  # from `what: before → after` to the number of cases
    sample: list[Difference] = []


def simulate_cases(before: Guidelines, after: Guidelines, progress: Progress) -> Simulation:
    """Work every case out by both guidelines, oldest first."""
    found, counts = Simulation(), Counter[str]()
    was, would = _Replay(before), _Replay(after)
    for case in _cases():
        found.cases += 1
        one, other = was.of(case), would.of(case)
        differences = [
            Difference(case.id, what, one.get(what, "nothing"), other.get(what, "nothing"))
            for what in sorted(one.keys() | other.keys())
            if one.get(what) != other.get(what)
        ]
        found.changed += bool(differences)
        counts.update(f"{each.what}: {each.before} → {each.after}" for each in differences)
        found.sample += differences[: SAMPLE - len(found.sample)]
        if found.cases % PART == 0:
            progress(found.cases)
    found.counts = dict(counts.most_common())
    return found


def simulate_edition(edition_id: UUID) -> None:
    """Simulate a proposed edition against what is in force, saying how far it is; repeatable."""
    edition = Edition.objects.get(pk=edition_id)
    Edition.objects.filter(pk=edition_id).update(total=Case.objects.count())

    def progress(counted: int) -> None:
        Edition.objects.filter(pk=edition_id).update(counted=counted)

    found = simulate_cases(guidelines_in_force(), decode(edition.text), progress)
    Edition.objects.filter(pk=edition_id).update(
        simulation=msgspec.to_builtins(found), counted=found.cases, total=found.cases
    )


def _cases() -> Iterator[Case]:
    """Every case with its findings and verdicts, in the order in which they were opened."""
    last: tuple[datetime, UUID] | None = None
    while True:
        found = Case.objects.order_by("opened_at", "id").prefetch_related(
            "findings__user_report", "verdicts"
        )
        if last is not None:
            found = found.filter(opened_at__gte=last[0]).exclude(opened_at=last[0], id__lte=last[1])
        part = list(found[:PART])
        if not part:
            return
        yield from part
        last = (part[-1].opened_at, part[-1].id)


class _Replay:
    """One document, applied to one case after the other."""

    def __init__(self, guidelines: Guidelines) -> None:
        self._guidelines = guidelines
        self._strikes = defaultdict[int, list[tuple[datetime, int]]](list)

    def of(self, case: Case) -> Follows:
        """What follows for a case."""
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
        return follows | _said(what)

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
        confirmed = [each for each in case.verdicts.all() if each.outcome == CaseState.CONFIRMED]
        return confirmed[-1] if confirmed else None

    def _counting(self, case: Case, at: datetime) -> int:
        return sum(count for until, count in self._strikes[case.account_id] if until > at)


def _said(what: Consequence) -> Follows:
    lasting = f" {what.days} days" if what.days else ""
    return {
        "account": f"{what.account}{lasting}",
        "content": "everywhere" if what.everywhere else "removed" if what.removes else "kept",
        "report": "yes" if what.reports else "no",
        "registration": "blocked" if what.blocks_registration else "open",
    }
