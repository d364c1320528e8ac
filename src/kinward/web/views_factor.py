"""The second factor, shown again before something grave."""

from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET


@require_GET
@login_required
def confirm(request: HttpRequest) -> HttpResponse:
    """Lead to the page that asks for a second factor: a code, or a security key.

    A password is none. Who has no second factor yet sets one up.
    """
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    pages = [method["url"] for method in methods if method["id"].startswith("mfa")]
    if not pages:
        return redirect("mfa_index")
    return redirect(f"{pages[0]}?{urlencode({'next': reverse('factor_confirmed')})}")


@require_GET
@login_required
def confirmed(request: HttpRequest) -> HttpResponse:
    """Say that the factor was confirmed, and what to do next."""
    return render(request, "web/confirmed.html")
