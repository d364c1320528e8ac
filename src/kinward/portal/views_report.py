"""Reporting something: content, an account, a contact."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kinward.families.api import started
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
    """The form; once it was sent, thanks, help, and what came of earlier ones."""
    about = started(request.portal)
    if request.method == "POST":
        sent = request.POST
        made = receive_user_report(
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
        response["Location"] += f"?help={USER_REPORT_CATEGORIES[made.category].help}"
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
            (name, _(each.title))
            for name, each in USER_REPORT_CATEGORIES.items()
            if name != "guardian"
        ],
        "help": request.GET.get("help", ""),
        "helplines": for_place(request.account.jurisdiction),
        "mine": [
            (
                each.at,
                _(USER_REPORT_CATEGORIES[each.category].title),
                words[outcome_of_user_report(each)],
            )
            for each in user_reports_by(request.account)
        ],
    }
    return render(request, "portal/report.html", context)
