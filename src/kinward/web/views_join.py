"""Joining the staff by a link, by which the person sets a password, and still being signed in."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from kinward.access.api import accept_invitation, read_invitation
from kinward.ground.errors import Invalid, KinwardError


@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """Show an invitation, and take the password of whoever has its link. To look uses nothing."""
    invitation, problem = read_invitation(secret), None
    if request.method == "POST":
        try:
            return _joined(request, secret)
        except KinwardError as error:
            problem = error
    context = {
        "invitation": invitation,
        "name": request.POST.get("name", ""),
        "problem": problem,
    }
    return render(request, "web/join.html", context, status=problem.status if problem else 200)


def _joined(request: HttpRequest, secret: str) -> HttpResponse:
    password = request.POST.get("password", "")
    if password != request.POST.get("again", ""):
        raise Invalid("The two passwords differ.")
    accept_invitation(secret=secret, username=request.POST.get("name", ""), password=password)
    logout(request)  # whoever was signed in at this browser is not this person
    messages.success(request, "Your password is set. Sign in, then set up your second factor.")
    return redirect("account_login")


@require_GET
def still(request: HttpRequest) -> HttpResponse:
    """Answer an open page, which asks every few seconds: once its session is over, it leaves."""
    response = HttpResponse(status=204)
    if not request.user.is_authenticated:
        response.headers["HX-Redirect"] = reverse("account_login")
    return response
