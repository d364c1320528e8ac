"""User reports about content, an account or a contact."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kinward.families.api import start_of_visit
from kinward.findings.api import (
    USER_REPORT_CATEGORIES,
    UserReportIn,
    outcome_of_user_report,
    receive_user_report,
    user_reports_by,
)
from kinward.portal.helplines import for_place
from kinward.portal.visitor import Visit, visited


@require_http_methods(["GET", "POST"])
@visited
def report(request: Visit) -> HttpResponse:
    """Show the form, the outcomes of earlier user reports, and after sending thanks and help."""
    about = start_of_visit(request.portal)
    if request.method == "POST":
        sent = request.POST
        user_report = receive_user_report(
            report=UserReportIn(
                account_id=about.account_id,
                content_id=about.content_id,
                reporter_id=request.account.platform_id,
                category=sent.get("category", ""),
                text=sent.get("text", ""),
            ),
            actor=request.account.actor,
        )
        messages.success(
            request, _("Thank you. We have received your report, and a person will review it.")
        )
        response = redirect("report_something")
        response["Location"] += f"?help={USER_REPORT_CATEGORIES[user_report.category].help}"
        return response
    words = {
        "received": _("a person will review it"),
        "acted": _("action taken"),
        "closed": _("closed"),
    }
    context = {
        "account": request.account,
        "about": about,
        "categories": [
            (name, _(category.title))
            for name, category in USER_REPORT_CATEGORIES.items()
            if name != "guardian"
        ],
        "help": request.GET.get("help", ""),
        "helplines": for_place(request.account.jurisdiction),
        "mine": [
            (
                user_report.at,
                _(USER_REPORT_CATEGORIES[user_report.category].title),
                words[outcome_of_user_report(user_report)],
            )
            for user_report in user_reports_by(request.account)
        ],
    }
    return render(request, "portal/report.html", context)
