"""Everything that the page of one case shows, gathered in one place."""

from collections.abc import Mapping, Sequence

import msgspec
from django.db.models import QuerySet

from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.cases import queries, services
from kinward.cases.contacts import Contact, contacts
from kinward.cases.disputes import disputes
from kinward.cases.drafting import vocabulary_for
from kinward.cases.exposure import Exposure, exposure_of
from kinward.cases.models import Case, Comment, Verdict, Viewing
from kinward.cases.states import UNDECIDED
from kinward.cases.viewing import viewing_of
from kinward.cases.where import KINDS
from kinward.enforcement.models import Action
from kinward.enforcement.queries import of_case as actions_of
from kinward.enforcement.sanctions import Stands, stands
from kinward.enforcement.strikes import strikes_of
from kinward.evidence.models import Evidence
from kinward.evidence.queries import of_case as evidence_of
from kinward.evidence.queries import viewed_entirely
from kinward.families.models import Pairing
from kinward.guidelines.queries import in_force
from kinward.guidelines.rules import Clause
from kinward.ledger.models import Entry
from kinward.people.models import Account
from kinward.people.services import related_accounts
from kinward.redress.models import Appeal, Statement
from kinward.redress.queries import of_case as statements_of
from kinward.redress.queries import waiting
from kinward.reporting.models import Report
from kinward.reporting.queries import reports_of_case
from kinward.reporting.vocabulary import PlaceKind


class CaseFile(msgspec.Struct, frozen=True):
    """One file of a case: whether a person saw all of it, and what it matched, in words."""

    evidence: Evidence
    viewed: bool
    words: list[queries.Ground]


class TimelineRow(msgspec.Struct, frozen=True):
    """One entry of the ledger, and the particulars of it that a reader of the case needs."""

    entry: Entry
    particulars: list[str]


class Choices(msgspec.Struct, frozen=True):
    """What the form for a verdict offers."""

    clauses: Sequence[Clause]
    classifications: Sequence[str]
    annotations: Mapping[str, str]
    places: Mapping[PlaceKind, str]


class CasePage(msgspec.Struct, frozen=True, kw_only=True):
    """A case, what belongs to it, and what one person may do with it."""

    case: Case
    mine: bool  # this person holds the lease
    undecided: bool
    takeable: bool
    reviews: bool
    senior: bool
    stands: Stands
    strikes: int
    prior: QuerySet[Case]
    related: list[tuple[Account, list[str]]]
    contacts: list[Contact]
    grounds: list[queries.Ground]
    disputes: list[Pairing]
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
    longest_silence: int = services.MAX_SILENCE

    @property
    def pictured(self) -> list[CaseFile]:
        """The files that can be classified: all but the excerpts of chats."""
        return [file for file in self.files if not file.evidence.is_excerpt]


def page_of(case: Case, staff: Staff) -> CasePage:
    """Gather the page of a case for one reader. May be stale: services read again under locks."""
    appeal = waiting().filter(statement__case_id=case.id).first()
    return CasePage(
        case=case,
        mine=_is_mine(case, staff),
        undecided=case.state in UNDECIDED,
        takeable=case.state in UNDECIDED or appeal is not None,
        reviews=staff.may(Permission.WORK_ON_CASES),
        senior=staff.may(Permission.FREE_CASES),
        stands=stands(case.account),
        strikes=strikes_of(case.account),
        prior=queries.prior(case),
        related=related_accounts(case.account),
        contacts=contacts(case),
        grounds=queries.grounds(case),
        disputes=disputes(case.id),
        files=_files(case),
        exposure=exposure_of(staff),
        viewing=viewing_of(staff),
        comments=case.comments.select_related("staff"),
        appeal=appeal,
        choices=_choices(case),
        verdicts=case.verdicts.select_related("given_by").order_by("given_at"),
        reports=reports_of_case(case.id),
        statements=statements_of(case.id),
        actions=actions_of(case.id),
        timeline=[_timeline_row(entry) for entry in queries.timeline(case)],
    )


def _choices(case: Case) -> Choices:
    """What the authorities of the case's account can take."""
    words = vocabulary_for(case.account)
    places = {kind: KINDS[kind] for kind in KINDS if kind in words.places}
    return Choices(in_force().clause, words.classes, words.annotations, places)


def _files(case: Case) -> list[CaseFile]:
    words = queries.described(case)
    return [
        CaseFile(evidence, viewed_entirely(evidence), words.get(evidence.content_id, []))
        for evidence in evidence_of(case.id)
    ]


def _timeline_row(entry: Entry) -> TimelineRow:
    data = entry.data
    names = ("content", "type", "clause", "reason", "why")
    particulars = [str(data[name]) for name in names if data.get(name)]
    if number := data.get("external_id"):
        particulars.append(f"no. {number}")
    return TimelineRow(entry, particulars)


def _is_mine(case: Case, staff: Staff) -> bool:
    try:
        services.require_lease(case, staff)
    except services.LeaseNeeded:
        return False
    return True
