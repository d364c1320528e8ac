"""The guidelines: the edition in force, proposed editions with their effect, and the decision."""

from difflib import unified_diff
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.ground.errors import KinwardError
from kinward.guidelines import guidelines_notices
from kinward.guidelines.api import (
    Edition,
    decide_edition,
    get_edition,
    guidelines_in_force,
    guidelines_text_in_force,
    propose_edition,
)
from kinward.ledger.api import entries_about
from kinward.web.guards import StaffRequest, done, needs, posts

SHOWN: Final = 200  # lines of a difference


@require_GET
@needs(Permission.CHANGE_GUIDELINES, Permission.READ_LEDGER)
def guidelines(request: StaffRequest) -> HttpResponse:
    """Show the edition in force, all other editions, and a form to propose one."""
    return _page(request)


def _page(request: StaffRequest, *, problem: KinwardError | None = None) -> HttpResponse:
    context = {
        "now": guidelines_in_force(),
        "notices": guidelines_notices(guidelines_text_in_force()),
        "editions": Edition.objects.select_related("asked_by", "decided_by", "glass")[:20],
        "may_change": request.user.may(Permission.CHANGE_GUIDELINES),
        "text": _sent_text(request) if problem else guidelines_text_in_force(),
        "why": request.POST.get("why", ""),
        "problem": problem,
    }
    status = problem.status if problem else 200
    return render(request, "web/guidelines.html", context, status=status)


def _sent_text(request: StaffRequest) -> str:
    return request.POST.get("text", "").replace("\r\n", "\n")


@posts(Permission.CHANGE_GUIDELINES, page=_page)
def propose(request: StaffRequest) -> HttpResponse:
    """Propose an edition. If it has faults, the page shows them above the text that was sent."""
    why = request.POST.get("why", "")
    edition = propose_edition(text=_sent_text(request), why=why, staff=request.user)
    return done(request, "Edition proposed. Another person must approve it.", "edition", edition.id)


@require_GET
@needs(Permission.CHANGE_GUIDELINES, Permission.READ_LEDGER)
def edition(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """Show one edition: its changes, its effect on past cases, and the decision."""
    shown = get_edition(edition_id)
    lines = list(
        unified_diff(
            guidelines_text_in_force().splitlines(),
            shown.text.splitlines(),
            guidelines_in_force().label,
            str(shown),
            lineterm="",
        )
    )
    context = {
        **_counted(shown),
        "lines": lines[:SHOWN],
        "more_lines": max(0, len(lines) - SHOWN),
        "notices": guidelines_notices(shown.text),
        "may_decide": request.user.may(Permission.CHANGE_GUIDELINES) and shown.state == "asked",
        "mine": shown.asked_by_id == request.user.pk,
        "timeline": entries_about(f"guidelines:{shown}"),
    }
    return render(request, "web/edition.html", context)


@require_GET
@needs(Permission.CHANGE_GUIDELINES, Permission.READ_LEDGER)
def counted(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """Render the progress or the result of the count. The page polls this."""
    return render(request, "web/counted.html", _counted(get_edition(edition_id)))


def _counted(edition: Edition) -> dict[str, Any]:
    return {"edition": edition, "simulation": edition.simulation}


@posts(Permission.CHANGE_GUIDELINES)
def decide(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """Approve or reject an edition. The proposer withdraws it by rejecting it."""
    approve = request.POST.get("decision") == "approve"
    edition = decide_edition(edition_id=edition_id, approve=approve, staff=request.user)
    if approve:
        return done(request, f"{edition} is in force.", "guidelines")
    return done(request, f"{edition} was rejected.", "edition", edition_id)
