"""The beginning and the end of a visit."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_GET, require_POST

from kinward.families.api import (
    PortalOtherAccount,
    Start,
    enter_portal,
    leave_portal,
    start_of_visit,
)
from kinward.ground.errors import KinwardError
from kinward.portal.visitor import Visit, clear_visit, problem_page, set_visit, visit_of, visited

PAGES = {
    "family": "family",
    "pair": "pair",
    "ask": "family",
    "report": "report_something",
    "safe": "safe",
    "decisions": "decisions",
}


@require_GET
def enter_visit(request: HttpRequest, secret: str) -> HttpResponse:
    """Enter by a link that opens once, and redirect to the first page."""
    try:
        key, session = enter_portal(secret, visit_of(request))
    except KinwardError as error:
        with translation.override(translation.get_language_from_request(request)):
            ends = isinstance(error, PortalOtherAccount)
            return problem_page(request, error, ends=ends)
    response = redirect(_first_page(start_of_visit(session)))
    set_visit(response, key)
    return response


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
