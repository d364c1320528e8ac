"""From a confirmed verdict to a closed case, as one durable job."""

from uuid import UUID

from kinward.cases import services
from kinward.jobs import task
from kinward.reporting.models import ReportState
from kinward.reporting.services import file_report


@task(services.FILE_REPORT)
def file_and_close(report_id: str) -> None:
    """File the report of a case, then close the case. A parked report leaves it confirmed."""
    report = file_report(UUID(report_id))
    if report.state == ReportState.FINISHED:
        services.close_reported(case_id=report.case_id, external_id=report.external_id)
