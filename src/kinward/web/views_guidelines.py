"""The guidelines: what is in force, an edition proposed, what it would have done, the decision."""

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
    """What is in force, what was, what is proposed, and a form for the next edition."""
    return _page(request)


def _page(request: StaffRequest, *, problem: KinwardError | None = None) -> HttpResponse:
    context = {
        "now": guidelines_in_force(),
        "notices": guidelines_notices(guidelines_text_in_force()),
        "editions": Edition.objects.select_related("asked_by", "decided_by")[:20],
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
    """Propose an edition. What is wrong with it is shown beside what was sent."""
    why = request.POST.get("why", "")
    edition = propose_edition(text=_sent_text(request), why=why, staff=request.user)
    return done(request, "It is proposed. Another person decides.", "edition", edition.id)


@require_GET
@needs(Permission.CHANGE_GUIDELINES, Permission.READ_LEDGER)
def edition(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """One edition: what changes in the document, what it would have done, and the decision."""
    found = get_edition(edition_id)
    lines = list(
        unified_diff(
            guidelines_text_in_force().splitlines(),
            found.text.splitlines(),
            guidelines_in_force().label,
            str(found),
            lineterm="",
        )
    )
    context = {
        **_counted(found),
        "lines": lines[:SHOWN],
        "more_lines": max(0, len(lines) - SHOWN),
        "notices": guidelines_notices(found.text),
        "may_decide": request.user.may(Permission.CHANGE_GUIDELINES) and found.state == "asked",
        "mine": found.asked_by_id == request.user.pk,
        "timeline": entries_about(f"guidelines:{found}"),
    }
    return render(request, "web/edition.html", context)


@require_GET
@needs(Permission.CHANGE_GUIDELINES, Permission.READ_LEDGER)
def counted(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """How far the count is, or what came of it: the part of the page that renews itself."""
    return render(request, "web/counted.html", _counted(get_edition(edition_id)))


def _counted(found: Edition) -> dict[str, Any]:
    return {"edition": found, "simulation": found.simulation}


@posts(Permission.CHANGE_GUIDELINES)
def decide(request: StaffRequest, edition_id: UUID) -> HttpResponse:
    """Approve or reject."""
    approve = request.POST.get("decision") == "approve"
    edition = decide_edition(edition_id=edition_id, approve=approve, staff=request.user)
    if approve:
        return done(request, f"{edition} is in force.", "guidelines")
    return done(request, f"{edition} is rejected.", "edition", edition_id)
