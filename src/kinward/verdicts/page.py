"""The page of one case: everything that it shows, gathered in one place."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from django.db.models import QuerySet

from kinward.access import Permission
from kinward.access.api import Staff
from kinward.casebook.api import (
    UNDECIDED,
    Case,
    Ground,
    PendingVerdict,
    Verdict,
    VerdictProposal,
)
from kinward.enforcement.api import (
    Action,
    CurrentStanding,
    actions_of_case,
    current_standing,
    strikes_of,
)
from kinward.evidence.api import Evidence, evidence_of_case, viewed_entirely
from kinward.families.api import Pairing
from kinward.guidelines import Clause
from kinward.guidelines.api import guidelines_in_force
from kinward.ledger.api import Entry, in_full
from kinward.people.api import Account, related_accounts
from kinward.redress.api import Appeal, Statement, statements_of_case, waiting_appeals
from kinward.reporting.api import PlaceKind, Report, Vocabulary, reports_of_case
from kinward.review.api import (
    Comment,
    Contact,
    Exposure,
    LeaseNeeded,
    Viewing,
    contacts_of_case,
    describe_files,
    exposure_of,
    grounds_of_case,
    preferences_of,
    prior_cases,
    require_lease,
    timeline_of_case,
)
from kinward.verdicts.decision import MAX_SILENCE
from kinward.verdicts.disputes import barred_pairings, disputed_pairings
from kinward.verdicts.draft import vocabulary_for
from kinward.verdicts.incidents import WHERE_KINDS
from kinward.verdicts.models import PairingOrder
from kinward.verdicts.orders import orders_of_case, pairings_of_case
from kinward.verdicts.proposals import open_proposal
from kinward.verdicts.words import (
    clause_in_words,
    clause_of,
    fitting_clauses,
    proposal_in_words,
)

log = structlog.get_logger(__name__)


class CaseFile(msgspec.Struct, frozen=True):
    """One file of a case: whether a person saw all of it, and what it matched, in words."""

    evidence: Evidence
    viewed: bool
    words: list[Ground]


class TimelineRow(msgspec.Struct, frozen=True):
    """One entry of the ledger, and the particulars of it that a reader of the case needs."""

    entry: Entry
    particulars: list[str]


class OfferedClause(msgspec.Struct, frozen=True):
    """A clause that fits the case, and its consequences in a few words."""

    clause: Clause
    consequences: str


class Choices(msgspec.Struct, frozen=True):
    """The choices that the verdict form offers."""

    clauses: Sequence[OfferedClause]
    classifications: Sequence[str]
    annotations: Mapping[str, str]
    places: Mapping[PlaceKind, str]


class CasePage(msgspec.Struct, frozen=True, kw_only=True):
    """A case, everything about it, and what one reader may do with it."""

    case: Case
    mine: bool  # this person holds the lease
    undecided: bool
    takeable: bool
    reviews: bool
    senior: bool
    stands: CurrentStanding
    strikes: int
    prior: QuerySet[Case]
    related: list[tuple[Account, list[str]]]
    contacts: list[Contact]
    grounds: list[Ground]
    disputes: list[Pairing]
    barred: list[Pairing]  # whose two people cannot pair again
    pairings: list[tuple[Pairing, str]]  # that live, of the case's account, each with its proof
    orders: QuerySet[PairingOrder]
    files: list[CaseFile]
    exposure: Exposure
    viewing: Viewing
    comments: QuerySet[Comment]
    appeal: Appeal | None
    choices: Choices
    verdicts: QuerySet[Verdict]
    reports: QuerySet[Report]
    statements: QuerySet[Statement]
    actions: QuerySet[Action]
    timeline: list[TimelineRow]
    pending: PendingVerdict | None  # a verdict in its minute
    dropped: PendingVerdict | None  # the latest verdict, if it could not be carried out
    proposal: VerdictProposal | None  # a verdict that waits for a second person
    proposed_clause: Clause | None
    why_two: str
    longest_silence: int = MAX_SILENCE

    @property
    def pictured(self) -> list[CaseFile]:
        """The files that can be classified: all but the excerpts of chats."""
        return [file for file in self.files if not file.evidence.is_excerpt]


def page_of(case: Case, staff: Staff) -> CasePage:
    """Gather the page of a case for one reader. It may be stale: services read under locks."""
    appeal = waiting_appeals().filter(statement__case_id=case.id).first()
    proposal = open_proposal(case)
    given = case.pending.select_related("given_by").order_by("-given_at").first()
    return CasePage(
        case=case,
        mine=_is_mine(case, staff),
        undecided=case.state in UNDECIDED,
        takeable=_is_takeable(case, staff, appeal, proposal),
        reviews=staff.may(Permission.WORK_ON_CASES),
        senior=staff.may(Permission.FREE_CASES),
        stands=current_standing(case.account),
        strikes=strikes_of(case.account),
        prior=prior_cases(case),
        related=related_accounts(case.account),
        contacts=contacts_of_case(case),
        grounds=grounds_of_case(case),
        disputes=disputed_pairings(case.id),
        barred=barred_pairings(case.id),
        pairings=pairings_of_case(case),
        orders=orders_of_case(case),
        files=_files(case),
        exposure=exposure_of(staff),
        viewing=preferences_of(staff),
        comments=case.comments.select_related("staff"),
        appeal=appeal,
        choices=_choices(case),
        verdicts=case.verdicts.select_related("given_by", "proposal__decided_by").order_by(
            "given_at"
        ),
        reports=reports_of_case(case.id),
        statements=statements_of_case(case.id),
        actions=actions_of_case(case.id),
        pending=given if given is not None and given.ended_at is None else None,
        dropped=given if given is not None and given.problem else None,
        proposal=proposal,
        proposed_clause=None if proposal is None else clause_of(proposal),
        why_two="" if proposal is None else proposal_in_words(proposal),
        timeline=[_timeline_row(*told) for told in in_full(timeline_of_case(case))],
    )


def _choices(case: Case) -> Choices:
    """Return the clauses in force, and the words of the authorities for the case's account.

    Where an authority's plug-in fails there are none: the case can be decided all the same.
    """
    try:
        words = vocabulary_for(case.account)
    except Exception:
        log.exception("authority.vocabulary_unavailable", case=str(case))
        words = Vocabulary()
    places = {kind: WHERE_KINDS[kind] for kind in WHERE_KINDS if kind in words.places}
    offered = [
        OfferedClause(clause, clause_in_words(clause))
        for clause in fitting_clauses(case, guidelines_in_force())
    ]
    return Choices(offered, words.classes, words.annotations, places)


def _files(case: Case) -> list[CaseFile]:
    words = describe_files(case)
    return [
        CaseFile(evidence, viewed_entirely(evidence), words.get(evidence.content_id, []))
        for evidence in evidence_of_case(case.id).select_related("check_made")
    ]


def _timeline_row(entry: Entry, data: Mapping[str, Any]) -> TimelineRow:
    names = ("content", "type", "clause", "reason", "why")
    particulars = [str(data[name]) for name in names if data.get(name)]
    numbers = [data["external_id"]] if data.get("external_id") else data.get("numbers", {}).values()
    particulars += [f"no. {number}" for number in numbers]
    return TimelineRow(entry, particulars)


def _is_takeable(
    case: Case, staff: Staff, appeal: Appeal | None, proposal: VerdictProposal | None
) -> bool:
    own = proposal is not None and proposal.asked_by_id == staff.pk
    return (case.state in UNDECIDED and not own) or appeal is not None


def _is_mine(case: Case, staff: Staff) -> bool:
    try:
        require_lease(case, staff)
    except LeaseNeeded:
        return False
    return True
