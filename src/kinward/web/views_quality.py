"""Quality: second readings of verdicts, and how often the second reader agreed."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.ground.errors import Invalid
from kinward.review.api import reader_agreement, record_second_reading, unread_verdicts
from kinward.web.guards import StaffRequest, done, needs, posts

SHOWN: Final = 100
DAYS: Final = 90


@require_GET
@needs(Permission.READ_VERDICTS, Permission.READ_LEDGER)
def quality(request: StaffRequest) -> HttpResponse:
    """Show the verdicts that wait for a second reading, and the agreement of the last 90 days."""
    context = {
        "unread": unread_verdicts()[:SHOWN],
        "agreement": reader_agreement(timezone.now() - timedelta(days=DAYS)),
        "days": DAYS,
        "may_read": request.user.may(Permission.READ_VERDICTS),
    }
    return render(request, "web/quality.html", context)


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
