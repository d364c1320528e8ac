"""Middleware for every page: headers, database connection, forbidden characters and errors."""

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
    """Set the security and cache headers on every response."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return middleware


def close_connection(get_response: Handler) -> Handler:
    """Close the database connection after each request.

    Under ASGI each request has its own thread, so nothing would use the connection again.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            return get_response(request)
        finally:
            if not connection.in_atomic_block:
                connection.close()

    return middleware


def whole_text(get_response: Handler) -> Handler:
    """Refuse U+0000 in an address or a form. No browser sends it; PostgreSQL cannot store it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        sent = [values for form in (request.GET, request.POST) for _, values in form.lists()]
        if any("\0" in text for text in chain([request.path], *sent)):
            raise SuspiciousOperation("U+0000 in an address or a form.")
        return get_response(request)

    return middleware


class ProblemPages:
    """Turns a `KinwardError` into a page that shows its sentence."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Render the error page. Django calls this when a view raises."""
        if not isinstance(exception, KinwardError):
            return None
        # htmx swaps the response into the current page, so a whole page would nest.
        page = "web/problem_here.html" if getattr(request, "htmx", False) else "web/problem.html"
        response = render(request, page, {"error": exception}, status=exception.status)
        if (seconds := exception.retry_seconds) is not None:
            response.headers["Retry-After"] = str(seconds)
        return response
