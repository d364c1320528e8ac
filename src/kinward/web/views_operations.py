"""What is parked, what struggles, and sending it again."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kinward.access.roles import OPERATE
from kinward.cases.services import refile as refile_report
from kinward.enforcement import queries as actions
from kinward.enforcement import services as enforcement
from kinward.reporting import queries as reports
from kinward.reporting.services import get_report
from kinward.web.guards import StaffRequest, needs


@require_GET
@needs(OPERATE)
def operations(request: StaffRequest) -> HttpResponse:
    """Parked actions and reports, and actions that are being tried again."""
    context = {
        "parked_actions": actions.parked()[:200],
        "struggling": actions.struggling()[:200],
        "parked_reports": reports.parked()[:200],
    }
    return render(request, "web/operations.html", context)


@require_POST
@needs(OPERATE)
def replay(request: StaffRequest, action_id: UUID) -> HttpResponse:
    """Send a parked action again."""
    action = enforcement.get_action(action_id)
    enforcement.replay(action=action, actor=request.user.actor)
    messages.success(request, "The action is on its way again.")
    return redirect("operations")


@require_POST
@needs(OPERATE)
def refile(request: StaffRequest, report_id: UUID) -> HttpResponse:
    """File a parked report again."""
    refile_report(report=get_report(report_id), actor=request.user.actor)
    messages.success(request, "The report is on its way again.")
    return redirect("operations")
