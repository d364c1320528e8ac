"""Quality: second readings, what each person's work looks like, and acts that were done alone."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.access.api import review_glass, reviewed_glasses, unreviewed_glasses
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError
from kinward.review.api import (
    open_alerts,
    read_alert,
    reader_agreement,
    record_second_reading,
    unread_verdicts,
    work_since,
)
from kinward.web.guards import StaffRequest, done, needs, posts

SHOWN: Final = 100
DAYS: Final = 90
REVIEWED: Final = 20


@require_GET
@needs(Permission.READ_VERDICTS, Permission.READ_LEDGER)
def quality(request: StaffRequest) -> HttpResponse:
    """Show what waits for another person, the last 90 days' agreement, and everybody's work."""
    return _page(request)


def _page(
    request: StaffRequest, *, problem: KinwardError | None = None, **_ids: UUID | int
) -> HttpResponse:
    watched = config().watch_days
    work = work_since(timezone.now() - timedelta(days=watched))
    context = {
        "problem": problem,
        "alerts": open_alerts()[:SHOWN],
        "work": sorted(work.values(), key=lambda work: work.person.lower()),
        "watch_days": watched,
        "watch_percent": round(100 * config().watch_share),  # where the meters turn
        "glasses": unreviewed_glasses()[:SHOWN],
        "reviewed_glasses": reviewed_glasses()[:REVIEWED],
        "unread": unread_verdicts()[:SHOWN],
        "agreement": reader_agreement(timezone.now() - timedelta(days=DAYS)),
        "days": DAYS,
        "may_read": request.user.may(Permission.READ_VERDICTS),
    }
    status = problem.status if problem else 200
    return render(request, "web/quality.html", context, status=status)


@posts(Permission.READ_VERDICTS)
def read(request: StaffRequest, verdict_id: UUID) -> HttpResponse:
    """Record a second reading: agreement, or disagreement with a note."""
    answer = request.POST.get("agrees", "")
    if answer not in ("yes", "no"):
        raise Invalid("Choose whether you agree.")
    note = request.POST.get("note", "")
    record_second_reading(
        verdict_id=verdict_id, agrees=answer == "yes", note=note, staff=request.user
    )
    return done(request, "Second reading recorded. Thank you.", "quality")


@posts(Permission.READ_VERDICTS, page=_page)
def look_into(request: StaffRequest, alert_id: int) -> HttpResponse:
    """Close an alert about a colleague's work with what was found."""
    read_alert(alert_id=alert_id, note=request.POST.get("note", ""), staff=request.user)
    return done(request, "Recorded. The alert is closed.", "quality")


@posts(Permission.REVIEW_GLASS, page=_page)
def answer_glass(request: StaffRequest, glass_id: UUID) -> HttpResponse:
    """Record the review of what an operator did alone."""
    answer = request.POST.get("justified", "")
    if answer not in ("yes", "no"):
        raise Invalid("Choose whether it was justified.")
    note = request.POST.get("note", "")
    review_glass(glass_id=glass_id, justified=answer == "yes", note=note, staff=request.user)
    return done(request, "Review recorded.", "quality")
