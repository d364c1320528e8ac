"""Middleware for every page: headers, database connection, forbidden characters and errors."""

import re
from collections.abc import Callable
from itertools import chain
from typing import Final

from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from kinward.access.api import log_refusal
from kinward.ground.config import config
from kinward.ground.errors import Forbidden, KinwardError
from kinward.ground.names import visible

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

# The directional embeddings, overrides and isolates that `kinward.ground.names` does not write.
TURNING: Final = re.compile(rb"\xe2(?:\x80[\xaa-\xae]|\x81[\xa6\xa7])")
FIELD_OR_TURNING: Final = re.compile(
    rb'<textarea\b[^>]*>.*?</textarea>|\bvalue="[^"]*"|(?P<mark>' + TURNING.pattern + rb")",
    re.DOTALL,
)

MAX_HOST: Final = 260  # characters of a host's name with its port
NAMELESS: Final = (
    "Kinward does not answer to {name}: its own address is {url}.\n"
    "If you run it, set KINWARD_PUBLIC_URL to the address that people open, such as "
    "https://safety.example.org, and start it again. A proxy has to pass on the header Host.\n"
)

Handler = Callable[[HttpRequest], HttpResponse]


def known_host(get_response: Handler) -> Handler:
    """Say what to set if a page is asked for by a name that Kinward does not know as its own."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            name = visible(request.META.get("HTTP_HOST", "")[:MAX_HOST])
            text = NAMELESS.format(name=name or "an empty name", url=config().url)
            return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")
        return get_response(request)

    return middleware


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


def no_turned_text(get_response: Handler) -> Handler:
    """Show each mark that would turn the text of a page around as words, wherever it came from.

    Templates show names with the filter `shown`. This holds for whatever forgets it. The values of
    form fields stay as they are, because they are sent back.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page and not response.streaming and TURNING.search(response.content):
            response.content = FIELD_OR_TURNING.sub(_in_words, response.content)
            if "Content-Length" in response.headers:
                response.headers["Content-Length"] = str(len(response.content))
        return response

    return middleware


def _in_words(found: re.Match[bytes]) -> bytes:
    mark = found["mark"]
    return b"[U+%04X]" % ord(mark.decode()) if mark else found[0]


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
        if isinstance(exception, Forbidden):
            who = str(getattr(request.user, "actor", "nobody"))
            where = f"{request.method} {request.path}"
            log_refusal(code=exception.code, who=who, where=where)
        # htmx swaps the response into the current page, so a whole page would nest.
        page = "web/problem_here.html" if getattr(request, "htmx", False) else "web/problem.html"
        response = render(request, page, {"error": exception}, status=exception.status)
        if (seconds := exception.retry_seconds) is not None:
            response.headers["Retry-After"] = str(seconds)
        return response
