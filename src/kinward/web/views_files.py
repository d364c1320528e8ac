"""Viewing files: the blur in place of a file, the file itself, and a person's preferences."""

from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.casebook.api import get_case
from kinward.evidence.api import Sight
from kinward.ground.errors import KinwardError
from kinward.review.api import (
    exposure_of,
    look_at_file,
    play_file,
    preferences_of,
    record_watched,
    set_preferences,
    veil_file,
)
from kinward.web.forms import LookSent, ViewingSent, fill
from kinward.web.guards import StaffRequest, done, needs, posts
from kinward.web.sections import sections_of

REASON: Final = "to decide this case"
MAX_TICKET: Final = 1000


@require_GET
@needs(Permission.OPEN_EVIDENCE)
def veil(request: StaffRequest, case_id: UUID, evidence_id: UUID) -> HttpResponse:
    """Return the tiny grey blur that is shown in place of a file."""
    data = veil_file(case_id=case_id, evidence_id=evidence_id, staff=request.user)
    return HttpResponse(data, content_type="image/jpeg")


@posts(Permission.OPEN_EVIDENCE)
def show(request: StaffRequest, case_id: UUID, evidence_id: UUID) -> HttpResponse:
    """Show a file, or one thing in it, inside the page: the browser has no address to cache."""
    sent, ticket = fill(LookSent, request.POST), ""
    if sent.moving and sent.strand is not None:
        sight, ticket = play_file(
            case_id=case_id,
            evidence_id=evidence_id,
            staff=request.user,
            reason=REASON,
            strand=sent.strand,
        )
    else:
        sight = look_at_file(
            case_id=case_id,
            evidence_id=evidence_id,
            staff=request.user,
            reason=REASON,
            strand=sent.strand,
            start=sent.start or 0,
        )
    context = _words_about(sight, evidence_id) | {
        "case": get_case(case_id),
        "sections": sections_of(sight, strand=sent.strand),
        "following": sight.following if sent.strand is None else None,
        "whole": sent.strand is None and not sent.start,
        "ticket": ticket,
        "viewing": preferences_of(request.user),
    }
    return render(request, "web/shown.html", context)


def _words_about(sight: Sight, evidence_id: UUID) -> dict[str, object]:
    return {
        "evidence_id": evidence_id,
        "excerpt": sight.excerpt,
        "several": len(sight.contents.strands) > 1,
        "readable": sight.contents.entire,
        "entire": sight.entire,
        "left": sight.left,
        "whole": False,
    }


@posts(Permission.OPEN_EVIDENCE)
def played(request: StaffRequest, case_id: UUID, evidence_id: UUID) -> HttpResponse:
    """Record that a person has played a film to its end."""
    sent = request.POST.get("ticket", "")[:MAX_TICKET]
    sight = record_watched(
        case_id=case_id, evidence_id=evidence_id, staff=request.user, ticket=sent
    )
    return render(request, "web/played.html", _words_about(sight, evidence_id))


@require_GET
@needs(Permission.CHOOSE_VIEWING)
def viewing(request: StaffRequest) -> HttpResponse:
    """Show this person's viewing preferences."""
    return _viewing_page(request)


def _viewing_page(request: StaffRequest, *, problem: KinwardError | None = None) -> HttpResponse:
    context = {
        "chosen": preferences_of(request.user),
        "exposure": exposure_of(request.user),
        "problem": problem,
    }
    return render(request, "web/viewing.html", context, status=problem.status if problem else 200)


@posts(Permission.CHOOSE_VIEWING, page=_viewing_page)
def choose_viewing(request: StaffRequest) -> HttpResponse:
    """Save this person's viewing preferences."""
    form = fill(ViewingSent, request.POST)
    set_preferences(
        staff=request.user,
        described=form.described,
        in_colour=form.in_colour,
        larger=form.larger,
        at_most=form.at_most,
    )
    return done(request, "Your viewing preferences are saved.", "viewing")
