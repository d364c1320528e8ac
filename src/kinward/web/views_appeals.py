"""Appeals: the waiting ones, and the answer of a person who gave no verdict in the case."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.casebook.api import get_case
from kinward.ground.errors import Invalid, KinwardError
from kinward.redress.api import appeal_figures, get_appeal, waiting_appeals
from kinward.review.api import take_case
from kinward.verdicts.api import decide_appeal
from kinward.web.guards import StaffRequest, done, needs, posts
from kinward.web.views_case import case_page

SHOWN: Final = 100
DAYS: Final = 90


@require_GET
@needs(Permission.DECIDE_APPEALS, Permission.READ_LEDGER)
def appeals(request: StaffRequest) -> HttpResponse:
    """Show the waiting appeals, earliest due first, and the figures of the last 90 days."""
    now = timezone.now()
    context = {
        "waiting": waiting_appeals()[:SHOWN],
        "figures": appeal_figures(now - timedelta(days=DAYS)),
        "days": DAYS,
        "now": now,
    }
    return render(request, "web/appeals.html", context)


@posts(Permission.DECIDE_APPEALS)
def take(request: StaffRequest, appeal_id: UUID) -> HttpResponse:
    """Take the case of an appeal."""
    case = get_case(_case_id(appeal_id))
    take_case(case=case, staff=request.user)
    return redirect("case", case.id)


def _case_id(appeal_id: UUID) -> UUID:
    return get_appeal(appeal_id).statement.case_id


def _case_page(
    request: StaffRequest, appeal_id: UUID, *, problem: KinwardError | None = None
) -> HttpResponse:
    """Show the case of an appeal."""
    return case_page(request, _case_id(appeal_id), problem=problem)


@posts(Permission.DECIDE_APPEALS, page=_case_page)
def decide(request: StaffRequest, appeal_id: UUID) -> HttpResponse:
    """Answer an appeal: uphold or overturn the verdict."""
    case_id = _case_id(appeal_id)
    outcome = request.POST.get("outcome", "")
    if outcome not in ("upheld", "overturned"):
        raise Invalid("Choose an answer.")
    decide_appeal(
        appeal_id=appeal_id,
        overturn=outcome == "overturned",
        note=request.POST.get("note", ""),
        staff=request.user,
    )
    return done(request, f"Answer recorded: {outcome}.", "case", case_id)
