"""Reading reports."""

from uuid import UUID

from django.db.models import QuerySet

from kinward.reporting.models import Report, ReportState


def of_case(case_id: UUID) -> Report | None:
    """A case's report, if it has one."""
    return Report.objects.filter(case_id=case_id).first()


def parked() -> QuerySet[Report]:
    """Reports that wait for a person, oldest first."""
    return Report.objects.filter(state=ReportState.PARKED).order_by("created_at")
