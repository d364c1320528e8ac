"""Operations: parked and retried actions and reports, and agreements to report to production."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.access.api import keys_in_need
from kinward.enforcement.api import get_action, parked_actions, replay_action, struggling_actions
from kinward.ground.errors import KinwardError
from kinward.matching.api import open_floods, open_markings
from kinward.people.api import end_wave, open_waves
from kinward.reconciliation.api import advice_of, comparison, open_differences, sentence_of
from kinward.reporting.api import (
    approve_production,
    end_production,
    get_report,
    parked_reports,
    production_in_use,
    request_production,
)
from kinward.verdicts.api import refile_report
from kinward.web.guards import StaffRequest, done, needs, posts
from kinward.web.refused import refused_rows


@require_GET
@needs(Permission.REPLAY)
def operations(request: StaffRequest) -> HttpResponse:
    """Show parked actions and reports, retries, where reports go, and what was refused."""
    return _page(request)


def _page(
    request: StaffRequest, *, problem: KinwardError | None = None, **_ids: UUID | int
) -> HttpResponse:
    context = {
        "floods": open_floods()[:200],
        "markings": open_markings()[:200],
        "keys": keys_in_need()[:200],
        "waves": open_waves()[:200],
        "comparison": comparison(),
        "differences": [
            {"row": row, "sentence": sentence_of(row), "advice": advice_of(row)}
            for row in open_differences()[:200]
        ],
        "refused": refused_rows(),
        "settles_floods": request.user.may(Permission.SETTLE_FLOODS),
        "marks": request.user.may(Permission.MARK_HASHES),
        "authorities": production_in_use(),
        "problem": problem,
        "parked_actions": parked_actions()[:200],
        "struggling": struggling_actions()[:200],
        "parked_reports": parked_reports()[:200],
    }
    status = problem.status if problem else 200
    return render(request, "web/operations.html", context, status=status)


@posts(Permission.REPLAY)
def replay(request: StaffRequest, action_id: UUID) -> HttpResponse:
    """Send a parked action again."""
    action = get_action(action_id)
    replay_action(action=action, actor=request.user.actor)
    return done(request, "The action will be sent again.", "operations")


@posts(Permission.REPLAY)
def refile(request: StaffRequest, report_id: UUID) -> HttpResponse:
    """File a parked report again."""
    refile_report(report=get_report(report_id), actor=request.user.actor)
    return done(request, "The report will be filed again.", "operations")


@posts(Permission.END_WAVES, page=_page)
def end_alarm(request: StaffRequest, wave_id: int) -> HttpResponse:
    """End an alarm about changed ages, with a note of what it was."""
    end_wave(wave_id=wave_id, note=request.POST.get("note", ""), staff=request.user)
    return done(request, "The alarm has ended.", "operations")


@posts(Permission.SWITCH_REPORTING, page=_page)
def ask_production(request: StaffRequest) -> HttpResponse:
    """Request that reports go to an authority's production address."""
    sent = request.POST
    request_production(name=sent.get("authority", ""), why=sent.get("why", ""), staff=request.user)
    return done(
        request, "Production reporting requested. Another person must approve it.", "operations"
    )


@posts(Permission.SWITCH_REPORTING, page=_page)
def decide_production(request: StaffRequest, production_id: UUID) -> HttpResponse:
    """Approve production reporting, or end it."""
    agrees = request.POST.get("decision") == "agree"
    decide = approve_production if agrees else end_production
    agreement = decide(production_id=production_id, staff=request.user)
    effect = "are now filed for real" if agrees else "now wait"
    return done(request, f"Reports to {agreement.authority} {effect}.", "operations")
