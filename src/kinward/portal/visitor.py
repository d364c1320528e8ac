"""The visitor: the cookie of a visit, the language of the page, and errors as pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation

from kinward.families.api import VISIT, PortalClosed, PortalSession, current_visit, zones_of
from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.people.api import Account
from kinward.policy import known_language

NAME: Final = "kinward-family"

View = Callable[..., HttpResponse]


class Visit(HttpRequest):
    """A request within a visit."""

    portal: PortalSession
    account: Account


def cookie_name() -> str:
    """Return the name of the cookie. Behind https no other host can set one with this prefix."""
    return f"__Host-{NAME}" if config().secure else NAME


def visit_of(request: HttpRequest) -> PortalSession | None:
    """Return the visit that this browser is on, if any."""
    try:
        return current_visit(request.COOKIES.get(cookie_name(), ""))
    except PortalClosed:
        return None


def visited(view: View) -> View:
    """Let only visitors see a view, in their language and time zone. Errors become pages."""

    @wraps(view)
    def visit_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        language = translation.get_language_from_request(request)
        try:
            with translation.override(language):
                portal = current_visit(request.COOKIES.get(cookie_name(), ""))
            visit = cast("Visit", request)
            visit.portal, visit.account = portal, portal.account
            language = known_language(portal.account.language or language)
            zone = zones_of(portal.account).zone_at(timezone.now())
            with translation.override(language), timezone.override(zone):
                return view(visit, *args, **kwargs)
        except KinwardError as error:
            with translation.override(language):
                return problem_page(request, error)

    return visit_view


def problem_page(request: HttpRequest, error: KinwardError, **more: Any) -> HttpResponse:
    """Render an error as a page, with its translated sentence and a link back to the app."""
    context = {
        "account": None,
        "sentence": translation.gettext(error.sentence),
        "error": error,
        "app": config().family_url,
        "closed": isinstance(error, PortalClosed),
        "ends": False,
        **more,
    }
    return render(request, "portal/problem.html", context, status=error.status)


def set_visit(response: HttpResponse, key: str) -> None:
    """Set the cookie with the key of a visit."""
    response.set_cookie(
        cookie_name(),
        key,
        max_age=VISIT,
        httponly=True,
        samesite="Lax",
        secure=config().secure,
    )


def clear_visit(response: HttpResponse) -> None:
    """Delete the cookie of a visit."""
    response.delete_cookie(cookie_name(), samesite="Lax")
