"""Quality: verdicts to be read again, and how often the second reader agreed."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from kinward.access.permissions import Permission
from kinward.cases.quality import agreement, unread
from kinward.cases.quality import read as read_again
from kinward.errors import Invalid
from kinward.web.guards import StaffRequest, needs

SHOWN: Final = 100
DAYS: Final = 90


@require_GET
@needs(Permission.READ_VERDICTS, Permission.READ_LEDGER)
def quality(request: StaffRequest) -> HttpResponse:
    """What waits for a second reader, and the agreement of late."""
    context = {
        "unread": unread()[:SHOWN],
        "agreement": agreement(timezone.now() - timedelta(days=DAYS)),
        "days": DAYS,
        "may_read": request.user.may(Permission.READ_VERDICTS),
    }
    return render(request, "web/quality.html", context)


@require_POST
@needs(Permission.READ_VERDICTS)
def read(request: StaffRequest, verdict_id: UUID) -> HttpResponse:
    """Agree, or say why not."""
    said = request.POST.get("agrees", "")
    if said not in ("yes", "no"):
        raise Invalid("Say whether you agree.")
    note = request.POST.get("note", "")
    read_again(verdict_id=verdict_id, agrees=said == "yes", note=note, staff=request.user)
    messages.success(request, "Thank you. It is written down.")
    return redirect("quality")
