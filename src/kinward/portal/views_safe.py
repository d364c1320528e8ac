"""Help for a teen who is not safe at home: helplines, a quick exit and trusted adults."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kinward.experience.api import person_of
from kinward.families.api import (
    call_trusted_now,
    confirm_trusted_adult,
    remove_trusted_adult,
    rules_for,
    trusted_adults_of,
)
from kinward.portal.helplines import FOR_YOUNG_PEOPLE, emergency_number, for_place
from kinward.portal.visitor import Visit, visited


@require_GET
@visited
def safe(request: Visit) -> HttpResponse:
    """Show help for a teen who is not safe at home: helplines, a quick exit and trusted adults."""
    named = trusted_adults_of(request.account)
    context = {
        "account": request.account,
        "trusted": named,
        "callable": any(trusted.confirmed_at is not None for trusted in named),
        "may_name": rules_for(request.account).may_be_guarded(person_of(request.account).age),
        "helplines": for_place(
            request.account.jurisdiction, (*FOR_YOUNG_PEOPLE, "home"), silent=True
        ),
        "emergency": emergency_number(request.account.jurisdiction),
    }
    return render(request, "portal/safe.html", context)


@require_POST
@visited
def confirm_trusted(request: Visit, trusted_id: int) -> HttpResponse:
    """Confirm that the right adult used the code."""
    confirm_trusted_adult(teen=request.account, trusted_id=trusted_id)
    return redirect("safe")


@require_POST
@visited
def call(request: Visit) -> HttpResponse:
    """Ask the trusted adults to get in touch."""
    if call_trusted_now(request.account):
        messages.success(request, _("We have asked them to get in touch with you."))
    return redirect("safe")


@require_POST
@visited
def untrust(request: Visit, trusted_id: int) -> HttpResponse:
    """Remove a trusted adult."""
    remove_trusted_adult(teen=request.account, trusted_id=trusted_id)
    return redirect("safe")
