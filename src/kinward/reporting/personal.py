"""What `reporting` holds of a person: reports to authorities. Nobody is told of one."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from kinward.casebook.api import Case, about_or_reported_by
from kinward.ground.config import config
from kinward.ground.personal import Delay, Holding, Person, delayed_by, holds, holds_nobody
from kinward.reporting.models import (
    SETTLED,
    Attempt,
    Call,
    Correction,
    Production,
    Report,
    ReportState,
)

SILENT = "nobody is told of a report to an authority"

holds(
    Holding(model=Report, whose=("case__account",), untold=SILENT),
    Holding(model=Attempt, whose=("report__case__account",), ids=(), untold=SILENT),
    Holding(model=Call, whose=("attempt__report__case__account",), ids=(), untold=SILENT),
    Holding(model=Correction, whose=("report__case__account",), untold=SILENT),
)
holds_nobody("what staff agreed to about an authority", Production)


@delayed_by
def _preservation(person: Person) -> Iterator[Delay]:
    """A report is preserved for a year after it was finished (18 USC 2258A(h)).

    So is what somebody wrote for it about another account.
    """
    cases = Case.objects.filter(about_or_reported_by(person))
    reports = Report.objects.filter(case__in=cases)
    if reports.exclude(state__in=SETTLED).exists():
        yield Delay("A report to an authority is not finished.")
    finished = reports.filter(state=ReportState.FINISHED).order_by("-finished_at").first()
    if finished is not None and finished.finished_at is not None:
        until = finished.finished_at + timedelta(days=config().preservation_days)
        if until > timezone.now():
            yield Delay("A report to an authority is preserved (18 USC 2258A(h)).", until)
    if Correction.objects.filter(report__case__in=cases, done_at=None).exists():
        yield Delay("An authority has not been told that a report was wrong.")
