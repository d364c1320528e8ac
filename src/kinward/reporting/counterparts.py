"""Which rows of `reporting` stand for which entries: reports, corrections and productions."""

from kinward.access.api import ANYWHERE, marks_of_agreement
from kinward.ledger.api import Counterpart, Mark, declare, kinds, unrecorded
from kinward.reporting.models import (
    ENDED,
    Attempt,
    Call,
    Correction,
    Production,
    Report,
    ReportState,
)


def _case(row: Report) -> str:
    return str(row.case_id)


def _stopped(row: Production) -> bool:
    """Refused, withdrawn, or ended after two people had agreed."""
    return row.state in ("refused", ENDED)


def _stopper(row: Production) -> str:
    if row.ended_by is not None:
        return str(row.ended_by.actor)
    return str(row.decided_by.actor) if row.decided_by is not None else row.second_operator


declare(
    Counterpart(
        name="report",
        model=Report,
        defer=("draft", "receipt"),
        marks=(
            Mark(
                facts=(kinds.ReportOpened,),
                same={"case": _case, "authority": lambda row: row.authority},
            ),
            Mark(
                facts=(kinds.ReportFinished,),
                happened=lambda row: row.state == ReportState.FINISHED,
                same={"case": _case, "external_id": lambda row: row.external_id},
            ),
            Mark(
                facts=(kinds.ReportWithdrawn,),
                happened=lambda row: row.state == ReportState.WITHDRAWN,
                same={"case": _case},
            ),
            Mark(
                facts=(kinds.ReportPackaged,),
                happened=lambda row: row.state == ReportState.PACKAGED or None,
                once=False,
            ),
            Mark(
                facts=(kinds.ReportParked,),
                happened=lambda row: row.state == ReportState.PARKED or None,
                once=False,
            ),
            Mark(
                facts=(kinds.ReportWithdrawing,),
                happened=lambda row: row.state == ReportState.WITHDRAWING or None,
            ),
        ),
        also=(kinds.ReportUnparked, kinds.ReportHandedOver),
        made="created_at",
    ),
    Counterpart(
        name="correction",
        model=Correction,
        subject=lambda row: f"report:{row.report_id}",
        field="report",
        related=("done_by",),
        marks=(
            Mark(facts=(kinds.ReportCorrectionDue,)),
            Mark(
                facts=(kinds.ReportCorrected,),
                happened=lambda row: row.done_at is not None,
                by=lambda row: str(row.done_by.actor),
            ),
        ),
        made="asked_at",
    ),
    Counterpart(
        name="agreement to report",
        model=Production,
        related=(*ANYWHERE, "ended_by"),
        marks=(
            *marks_of_agreement(
                asked=kinds.ProductionAsked,
                approved=kinds.ProductionAgreed,
                same={
                    "authority": lambda row: row.authority,
                    "address": lambda row: row.address,
                },
            ),
            Mark(facts=(kinds.ProductionEnded,), happened=_stopped, by=_stopper),
        ),
        made="asked_at",
    ),
)
unrecorded("the calls to an authority, of which the report's entries say what came", Attempt, Call)
