"""One's own sessions: see them, end them, and leave nothing behind in the browser."""

from allauth.account import views as account
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from kinward.ground.errors import NotFound
from kinward.web.guards import done
from kinward.web.sessions import end_sessions, sessions_of

LEFT_BEHIND = '"cache", "storage"'  # the cookie of a known device stays


@require_GET
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """List the live sessions of whoever is signed in."""
    return render(request, "web/sessions.html", {"sessions": sessions_of(request)})


@require_POST
@login_required
def end(request: HttpRequest) -> HttpResponse:
    """End one other session of one's own, or all the others."""
    chosen = request.POST.get("session", "")
    ended = end_sessions(request, only=chosen)
    if chosen and not ended:
        raise NotFound("You have no other session like this.")
    sentence = "The session has ended." if chosen else "All your other sessions have ended."
    return done(request, sentence, "own_sessions")


def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out, and have the browser forget what it kept of this console."""
    response: HttpResponse = account.logout(request)
    if request.method == "POST":
        response.headers["Clear-Site-Data"] = LEFT_BEHIND
    return response
