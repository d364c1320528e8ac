"""Reading reports."""

from uuid import UUID

from django.db.models import QuerySet

from kinward.reporting.models import Report, ReportState


def of_case(case_id: UUID) -> Report | None:
    """A case's report, if it has one."""
    return Report.objects.filter(case_id=case_id).first()


def waiting() -> QuerySet[Report]:
    """Reports that are not finished yet, oldest first."""
    open_ones = (ReportState.WAITING, ReportState.PARKED)
    return Report.objects.filter(state__in=open_ones).order_by("created_at")


def packaged() -> QuerySet[Report]:
    """Reports that wait for a person to bring them to their authority, oldest first."""
    return Report.objects.filter(state=ReportState.PACKAGED).order_by("created_at")


def parked() -> QuerySet[Report]:
    """Reports that wait for a person, oldest first."""
    return Report.objects.filter(state=ReportState.PARKED).order_by("created_at")
