"""Which rows of `redress` stand for which entries: statements, appeals and long silences."""

from collections.abc import Iterator

from kinward.access.api import PEOPLE, marks_of_agreement
from kinward.ledger.api import Counterpart, Mark, Told, declare, kinds
from kinward.redress.models import Appeal, AppealState, LongSilence, Statement


def _silence(row: Statement, told: Told) -> Iterator[str]:
    """It is kept silent until the moment of the newest entry that names one."""
    said = [told[kind].newest for kind in ("statement.silenced", "statement.made") if kind in told]
    newest = max(said, key=lambda entry: entry.pk, default=None)
    if newest is None:
        return
    until = newest.data["until" if newest.kind == "statement.silenced" else "silent_until"]
    if until != (row.silent_until and row.silent_until.isoformat()):
        yield "It is kept silent until another moment than the newest entry says."


def _statement(row: Appeal) -> str:
    return f"statement:{row.statement_id}"


declare(
    Counterpart(
        name="statement",
        model=Statement,
        defer=("decisions", "dsa", "export_problem"),
        marks=(
            Mark(
                facts=(kinds.StatementMade,),
                same={
                    "case": lambda row: str(row.case_id),
                    "stage": lambda row: row.stage,
                    "clause": lambda row: row.clause,
                },
            ),
            Mark(facts=(kinds.StatementTold,), happened=lambda row: row.told_at is not None),
        ),
        also=(kinds.StatementSilenced,),
        checks=(_silence,),
        made="made_at",
    ),
    Counterpart(
        name="appeal",
        model=Appeal,
        related=("decided_by",),
        marks=(
            Mark(facts=(kinds.AppealMade,), same={"statement": _statement}),
            Mark(
                facts=(kinds.AppealUpheld,),
                happened=lambda row: row.state == AppealState.UPHELD,
                by=lambda row: str(row.decided_by.actor),
                same={"statement": _statement},
            ),
            Mark(
                facts=(kinds.AppealOverturned,),
                happened=lambda row: row.state == AppealState.OVERTURNED,
                by=lambda row: str(row.decided_by.actor),
                same={"statement": _statement},
            ),
        ),
        made="made_at",
    ),
    Counterpart(
        name="long silence",
        model=LongSilence,
        subject=lambda row: f"statement:{row.statement_id}",
        field="statement",
        related=PEOPLE,
        group=lambda row: LongSilence.objects.filter(statement=row.statement_id).select_related(
            *PEOPLE
        ),
        marks=marks_of_agreement(
            asked=kinds.StatementLongSilenceAsked,
            refused=kinds.StatementLongSilenceRefused,
        ),
        made="asked_at",
    ),
)
