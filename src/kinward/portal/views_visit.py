"""The beginning and the end of a visit."""

from typing import Final
from urllib.parse import urlencode

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_http_methods, require_POST

from kinward.families.api import (
    PortalOtherAccount,
    PortalSession,
    Start,
    enter_portal,
    leave_portal,
    name_in_notices,
    read_link,
    refuse_link,
    start_of_visit,
)
from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.policy import known_language
from kinward.portal.visitor import Visit, clear_visit, problem_page, set_visit, visit_of, visited

READ: Final = "kinward.portal.read"  # signs that a link was read in time
ANSWER_SECONDS: Final = 20 * 60  # to answer the question: nobody has to hurry
PAGES = {
    "family": "family",
    "pair": "pair",
    "ask": "family",
    "report": "report_something",
    "safe": "safe",
    "decisions": "decisions",
}


@require_http_methods(["GET", "POST"])
def enter_visit(request: HttpRequest, secret: str) -> HttpResponse:
    """Ask whether the link reached the right person, and begin the visit if they say so.

    Whoever is on a visit already has said so.
    """
    visiting = visit_of(request)
    try:
        if request.method == "POST" and request.POST.get("answer") == "no":
            refuse_link(secret)
            return _closed(request)
        if request.method == "GET" and visiting is None:
            return _question(request, read_link(secret, None), secret)
        key, session = enter_portal(secret, visiting, read_in_time=_was_read(request, secret))
    except KinwardError as error:
        with translation.override(translation.get_language_from_request(request)):
            ends = isinstance(error, PortalOtherAccount)
            return problem_page(request, error, ends=ends)
    response = redirect(_first_page(start_of_visit(session)))
    set_visit(response, key)
    return response


def _question(request: HttpRequest, session: PortalSession, secret: str) -> HttpResponse:
    """Show whose pages the link opens. `read` proves later that this was in time."""
    account = session.account
    language = known_language(account.language or translation.get_language_from_request(request))
    context = {
        "name": name_in_notices(account),
        "read": signing.dumps(secret, salt=READ),
        "account": None,
        "closed": False,
    }
    with translation.override(language):
        return render(request, "portal/enter.html", context)


def _closed(request: HttpRequest) -> HttpResponse:
    with translation.override(translation.get_language_from_request(request)):
        context = {"account": None, "closed": True, "app": config().family_url}
        return render(request, "portal/enter.html", context)


def _was_read(request: HttpRequest, secret: str) -> bool:
    """Return whether the link was read before it expired, and not too long ago."""
    try:
        read = signing.loads(request.POST.get("read", ""), salt=READ, max_age=ANSWER_SECONDS)
    except signing.BadSignature:
        return False
    return bool(read == secret)


def _first_page(start: Start) -> str:
    address = reverse(PAGES[start.page])
    return f"{address}?{urlencode({'code': start.code})}" if start.code else address


@require_POST
@visited
def leave_visit(request: Visit) -> HttpResponse:
    """End the visit."""
    leave_portal(request.portal)
    response = redirect("safety")
    clear_visit(response)
    return response
