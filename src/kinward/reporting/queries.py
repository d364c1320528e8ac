"""Queries about reports."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from kinward.reporting.models import Report, ReportState


def reports_of_case(case_id: UUID) -> QuerySet[Report]:
    """Return the reports of a case, one for each authority, oldest first."""
    return Report.objects.filter(case_id=case_id).order_by("created_at", "id")


def finished_numbers(*, authority: str, cases: Iterable[UUID]) -> list[str]:
    """Return an authority's numbers of the finished reports of some cases, oldest first."""
    finished = Report.objects.filter(
        authority=authority, case_id__in=list(cases), state=ReportState.FINISHED
    )
    return list(finished.order_by("finished_at").values_list("external_id", flat=True))


def waiting_reports() -> QuerySet[Report]:
    """Return the reports that are waiting or parked, oldest first."""
    unfinished = (ReportState.WAITING, ReportState.PARKED)
    return Report.objects.filter(state__in=unfinished).order_by("created_at")


def packaged() -> QuerySet[Report]:
    """Return the reports that a person has to deliver to their authority, oldest first."""
    return Report.objects.filter(state=ReportState.PACKAGED).order_by("created_at")


def parked_reports() -> QuerySet[Report]:
    """Return the parked reports, which wait for a person, oldest first."""
    return Report.objects.filter(state=ReportState.PARKED).order_by("created_at")
