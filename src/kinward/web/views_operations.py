"""What is parked, what struggles, and sending it again; and whether reports are real."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kinward.access.permissions import Permission
from kinward.cases.services import refile as refile_report
from kinward.enforcement import queries as actions
from kinward.enforcement import services as enforcement
from kinward.errors import KinwardError
from kinward.reporting import production
from kinward.reporting import queries as reports
from kinward.reporting.services import get_report
from kinward.web.guards import StaffRequest, needs


@require_GET
@needs(Permission.REPLAY)
def operations(request: StaffRequest) -> HttpResponse:
    """Parked actions and reports, actions being tried again, and where reports go."""
    return _page(request)


def _page(request: StaffRequest, problem: KinwardError | None = None) -> HttpResponse:
    context = {
        "authorities": production.in_use(),
        "problem": problem,
        "parked_actions": actions.parked()[:200],
        "struggling": actions.struggling()[:200],
        "parked_reports": reports.parked()[:200],
    }
    status = problem.status if problem else 200
    return render(request, "web/operations.html", context, status=status)


@require_POST
@needs(Permission.REPLAY)
def replay(request: StaffRequest, action_id: UUID) -> HttpResponse:
    """Send a parked action again."""
    action = enforcement.get_action(action_id)
    enforcement.replay(action=action, actor=request.user.actor)
    messages.success(request, "The action is on its way again.")
    return redirect("operations")


@require_POST
@needs(Permission.REPLAY)
def refile(request: StaffRequest, report_id: UUID) -> HttpResponse:
    """File a parked report again."""
    refile_report(report=get_report(report_id), actor=request.user.actor)
    messages.success(request, "The report is on its way again.")
    return redirect("operations")


@require_POST
@needs(Permission.SWITCH_REPORTING)
def ask_production(request: StaffRequest) -> HttpResponse:
    """Ask to report for real."""
    sent = request.POST
    try:
        production.ask(name=sent.get("authority", ""), why=sent.get("why", ""), staff=request.user)
    except KinwardError as error:
        return _page(request, error)
    messages.success(request, "It is asked for. Another person has to agree.")
    return redirect("operations")


@require_POST
@needs(Permission.SWITCH_REPORTING)
def decide_production(request: StaffRequest, production_id: UUID) -> HttpResponse:
    """Agree to it, or end it."""
    agrees = request.POST.get("decision") == "agree"
    decide = production.agree if agrees else production.end
    try:
        found = decide(production_id=production_id, staff=request.user)
    except KinwardError as error:
        return _page(request, error)
    is_real = "are real from now on" if agrees else "wait from now on"
    messages.success(request, f"Reports to {found.authority} {is_real}.")
    return redirect("operations")
