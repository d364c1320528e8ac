"""What holds for every page: its headers, its connection, what may be sent to it, its errors."""

from collections.abc import Callable
from itertools import chain
from typing import Final

from django.core.exceptions import SuspiciousOperation
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from kinward.ground.errors import KinwardError

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

Handler = Callable[[HttpRequest], HttpResponse]


def page_headers(get_response: Handler) -> Handler:
    """Set the headers on whatever the views answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return middleware


def close_connection(get_response: Handler) -> Handler:
    """Close the database's connection with each page.

    Under ASGI each request has a thread of its own, whose connection nobody would use again.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            return get_response(request)
        finally:
            if not connection.in_atomic_block:
                connection.close()

    return middleware


def whole_text(get_response: Handler) -> Handler:
    """Refuse U+0000 in an address or a form: no browser sends it, the database cannot hold it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        sent = [values for form in (request.GET, request.POST) for _, values in form.lists()]
        if any("\0" in text for text in chain([request.path], *sent)):
            raise SuspiciousOperation("U+0000 in an address or a form.")
        return get_response(request)

    return middleware


class ProblemPages:
    """Turns an error of Kinward's into a page with its sentence."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django calls this when a view raises."""
        if not isinstance(exception, KinwardError):
            return None
        # What htmx asked for is put into the page that is there.
        page = "web/problem_here.html" if getattr(request, "htmx", False) else "web/problem.html"
        return render(request, page, {"error": exception}, status=exception.status)
