"""Which rows of `review` stand for which entries: looks, comments, second readings, alerts."""

from collections.abc import Iterable
from typing import Any

from kinward.ledger.api import (
    Counterpart,
    Entry,
    Mark,
    declare,
    kinds,
    named,
    unrecorded,
    valid_ids,
)
from kinward.review.models import Comment, Look, SecondReading, StaffAlert, Viewing


def _viewed(entry: Entry) -> str:
    """A file and the person who looked. That a film was played to its end is no new look."""
    return "" if "seconds" in entry.data else f"{entry.subject} {entry.actor}"


def _look(row: Any) -> str:
    return f"evidence:{row.evidence_id} {row.staff.actor}"


def _looks(row: Any) -> Iterable[Look]:
    looks = Look.objects.filter(evidence=row.evidence_id, staff=row.staff_id)
    return looks.select_related("staff")


def _looked(keys: Iterable[str]) -> set[str]:
    files = valid_ids(key.partition(" ")[0].removeprefix("evidence:") for key in keys)
    rows = Look.objects.filter(evidence__in=files).select_related("staff")
    return {_look(row) for row in rows.iterator(chunk_size=1000)}


declare(
    Counterpart(
        name="look",
        model=Look,
        subject=lambda row: f"evidence:{row.evidence_id}",
        key=_look,
        entry_key=_viewed,
        find=_looked,
        related=("staff",),
        group=_looks,
        # A look that came to nothing is counted all the same, so only one that was shown must
        # have an entry.
        marks=(Mark(facts=(kinds.EvidenceViewed,), happened=lambda row: row.shown or None),),
        made="at",
    ),
    Counterpart(
        name="comment",
        model=Comment,
        subject=lambda row: f"case:{row.case_id}",
        key=lambda row: str(row.pk),
        entry_key=named("comment"),
        related=("staff",),
        defer=("text",),
        marks=(Mark(facts=(kinds.CaseCommented,), by=lambda row: str(row.staff.actor)),),
        made="at",
    ),
    Counterpart(
        name="second reading",
        model=SecondReading,
        subject=lambda row: f"case:{row.verdict.case_id}",
        key=lambda row: str(row.verdict_id),
        entry_key=named("verdict"),
        field="verdict",
        related=("verdict", "read_by"),
        marks=(
            Mark(
                facts=(kinds.VerdictRead,),
                happened=lambda row: row.read_at is not None,
                by=lambda row: str(row.read_by.actor),
                same={"agrees": lambda row: row.agrees},
            ),
        ),
        made="drawn_at",
    ),
    Counterpart(
        name="alert about work",
        model=StaffAlert,
        subject=lambda row: str(row.staff.actor),
        key=lambda row: f"{row.staff.actor} {row.measure}",
        entry_key=lambda entry: f"{entry.subject} {entry.data['measure']}",
        field="",
        related=("staff", "read_by"),
        group=lambda row: StaffAlert.objects.filter(
            staff=row.staff_id, measure=row.measure
        ).select_related("staff", "read_by"),
        marks=(
            Mark(
                facts=(kinds.StaffAlertRaised,),
                same={"count": lambda row: row.count, "among": lambda row: row.among},
            ),
            Mark(
                facts=(kinds.StaffAlertRead,),
                happened=lambda row: row.read_at is not None,
                by=lambda row: str(row.read_by.actor),
                same={"alert": lambda row: row.pk},
                at=lambda row: row.read_at,
            ),
        ),
        made="opened_at",
    ),
)
unrecorded("how a person wants files to be shown", Viewing)
