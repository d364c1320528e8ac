"""Which rows of the casebook stand for which entries: cases, findings, verdicts, proposals."""

from collections.abc import Iterator
from typing import Any, Final

from kinward.access.api import PEOPLE, marks_of_agreement
from kinward.casebook.models import (
    Case,
    Finding,
    PendingVerdict,
    UserReport,
    Verdict,
    VerdictProposal,
)
from kinward.casebook.states import CaseState
from kinward.ledger.api import Counterpart, Mark, Told, declare, kinds, named, unrecorded

MOVES: Final = {
    kinds.CaseEscalated.kind: CaseState.ESCALATED,
    kinds.CaseConfirmed.kind: CaseState.CONFIRMED,
    kinds.CaseDismissed.kind: CaseState.DISMISSED,
    kinds.CaseEnforced.kind: CaseState.ENFORCED,
    kinds.CaseReported.kind: CaseState.REPORTED,
    kinds.CaseOverturned.kind: CaseState.OVERTURNED,
}
HOLDS: Final = (CaseState.CONFIRMED, CaseState.REPORTED, CaseState.ENFORCED)
VERDICTS: Final = {
    "escalated": kinds.CaseEscalated,
    "confirmed": kinds.CaseConfirmed,
    "dismissed": kinds.CaseDismissed,
}


def _state(row: Case, told: Told) -> Iterator[str]:
    """The state is the one to which the newest entry moved the case."""
    moved = [told[kind].newest for kind in MOVES if kind in told]
    newest = max(moved, key=lambda entry: entry.pk, default=None)
    said = {CaseState.OPEN if newest is None else MOVES[newest.kind]}
    voided = told.get(kinds.CaseVoided.kind)
    if voided is not None and newest is not None and voided.newest.pk > newest.pk:
        said |= {CaseState.OVERTURNED} if said & set(HOLDS) else set()
    if row.state not in said:
        words = " or ".join(sorted(said))
        yield f"It is {row.state}, and the ledger says {words}."


def _of_case(row: Any) -> str:
    return f"case:{row.case_id}"


def _outcome(outcome: str) -> Mark:
    return Mark(
        facts=(VERDICTS[outcome],),
        happened=lambda row: row.outcome == outcome,
        by=lambda row: str(row.actor),
        same={
            "clause": lambda row: row.clause,
            "guidelines": lambda row: row.guidelines,
        },
    )


declare(
    Counterpart(
        name="case",
        model=Case,
        related=("account",),
        marks=(
            Mark(
                facts=(kinds.CaseOpened,),
                same={"account": lambda row: row.account.platform_id},
            ),
        ),
        also=(
            kinds.CaseEscalated,
            kinds.CaseConfirmed,
            kinds.CaseDismissed,
            kinds.CaseEnforced,
            kinds.CaseReported,
            kinds.CaseOverturned,
            kinds.CaseVoided,
            kinds.CaseTaken,
            kinds.CaseGivenUp,
            kinds.CaseFreed,
            kinds.EvidenceHeld,
            kinds.EvidenceTermSet,
        ),
        checks=(_state,),
        made="opened_at",
    ),
    Counterpart(
        name="finding",
        model=Finding,
        subject=_of_case,
        key=lambda row: str(row.id),
        entry_key=named("finding"),
        defer=("grounds",),
        marks=(
            Mark(
                facts=(kinds.CaseFindingAdded,),
                same={
                    "content": lambda row: row.content_id,
                    "confidence": lambda row: row.confidence,
                },
            ),
        ),
        made="created_at",
    ),
    Counterpart(
        name="verdict",
        model=Verdict,
        subject=_of_case,
        key=lambda row: str(row.id),
        entry_key=named("verdict"),
        related=("given_by",),
        defer=("details", "annotations", "classifications"),
        marks=tuple(_outcome(outcome) for outcome in VERDICTS),
        made="given_at",
    ),
    Counterpart(
        name="proposed verdict",
        model=VerdictProposal,
        subject=_of_case,
        key=lambda row: str(row.id),
        entry_key=named("proposal"),
        related=(*PEOPLE, "second_by"),
        marks=(
            *marks_of_agreement(
                asked=kinds.VerdictProposed,
                approved=kinds.VerdictAgreed,
                refused=kinds.VerdictNotAgreed,
                ahead=kinds.VerdictWentAhead,
                same={"urgent": lambda row: row.urgent, "reasons": lambda row: row.reasons},
            ),
            Mark(
                facts=(kinds.VerdictSecondWord,),
                happened=lambda row: row.second_by is not None,
                by=lambda row: str(row.second_by.actor),
                once=False,
            ),
        ),
        made="asked_at",
    ),
    Counterpart(
        name="verdict in its minute",
        model=PendingVerdict,
        subject=_of_case,
        field="",
        related=("given_by",),
        group=lambda row: PendingVerdict.objects.filter(case=row.case_id).select_related(
            "given_by"
        ),
        marks=(
            Mark(
                facts=(kinds.VerdictPending,),
                by=lambda row: str(row.given_by.actor),
                same={
                    "outcome": lambda row: row.outcome,
                    "due": lambda row: row.due_at.isoformat(),
                },
                at=lambda row: row.given_at,
            ),
            Mark(
                facts=(kinds.VerdictDropped,),
                happened=lambda row: bool(row.problem),
                at=lambda row: row.ended_at,
            ),
            Mark(
                facts=(kinds.VerdictTakenBack,),
                happened=lambda row: None if row.ended_at else False,
            ),
        ),
        made="given_at",
    ),
)
unrecorded("what a person reported is compared as a finding", UserReport)
