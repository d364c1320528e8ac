"""Viewing files: the blur in place of a file, the file itself, and a person's preferences."""

import base64
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.casebook.api import get_case
from kinward.ground.errors import KinwardError
from kinward.review.api import (
    exposure_of,
    look_at_file,
    player_ticket,
    preferences_of,
    record_watched,
    set_preferences,
    veil_file,
)
from kinward.web.forms import ViewingSent, fill
from kinward.web.guards import StaffRequest, done, needs, posts

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
    """Show the file once, inside the page, so that the browser has no address to cache."""
    moving = request.POST.get("moving") == "yes"
    view = look_at_file(
        case_id=case_id, evidence_id=evidence_id, staff=request.user, reason=REASON, moving=moving
    )
    is_text = view.media_type == "text/plain"
    encoded = "" if is_text else base64.b64encode(view.data).decode()
    context = {
        "case": get_case(case_id),
        "evidence_id": evidence_id,
        "source": f"data:{view.media_type};base64,{encoded}",
        "excerpt": view.data.decode() if is_text else "",
        "entire": view.entire,
        "can_move": view.can_move,
        "film": view.playback,
        "ticket": player_ticket(evidence_id=evidence_id, staff=request.user, playback=view.playback)
        if view.playback
        else "",
        "viewing": preferences_of(request.user),
    }
    return render(request, "web/shown.html", context)


@posts(Permission.OPEN_EVIDENCE)
def played(request: StaffRequest, case_id: UUID, evidence_id: UUID) -> HttpResponse:
    """Record that a person has played a video to its end."""
    sent = request.POST.get("ticket", "")[:MAX_TICKET]
    record_watched(case_id=case_id, evidence_id=evidence_id, staff=request.user, ticket=sent)
    return HttpResponse("seen by a person")


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
