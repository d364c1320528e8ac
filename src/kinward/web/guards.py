"""Guards of views: a person needs to be signed in, to have the role, and to use a second factor."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST
from django_htmx.middleware import HtmxDetails

from kinward.access import Permission, in_words
from kinward.access.api import Staff, at_console, note_seen
from kinward.ground.errors import Forbidden, KinwardError
from kinward.web.sessions import factor_age


class StaffRequest(HttpRequest):
    """A request whose user is known to be staff. `htmx`: whether a part of a page asks."""

    user: Staff
    htmx: HtmxDetails


View = Callable[..., HttpResponse]


def needs(*permissions: Permission) -> Callable[[View], View]:
    """Admit staff who have one of these permissions and a second factor.

    What is grave asks for a fresh one where it is carried out: see `access.step_up`.
    """

    def guard(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            staff = cast("StaffRequest", request).user
            if not is_mfa_enabled(staff):
                messages.info(request, "Set up a second factor first. It protects the evidence.")
                return redirect("mfa_index")
            note_seen(staff)
            if not staff.roles:
                return render(request, "web/waiting.html", status=403)
            if not any(staff.may(permission) for permission in permissions):
                raise Forbidden(f"You work here as {in_words(staff.roles)}.")
            with at_console(factor_age(request)):
                return view(request, *args, **kwargs)

        return guarded

    return guard


def posts(*permissions: Permission, page: View | None = None) -> Callable[[View], View]:
    """Accept a form from staff who have one of these permissions.

    `page` is the view of the page with the form. It shows an error: it is called with the request,
    the view's own arguments and `problem`. Without `page`, the error gets a page of its own.
    """

    def receive(view: View) -> View:
        @require_POST
        @needs(*permissions)
        @wraps(view)
        def received(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except KinwardError as error:
                if page is None:
                    raise
                return page(request, *args, problem=error, **kwargs)

        return received

    return receive


def done(request: HttpRequest, sentence: str, to: str, *args: object) -> HttpResponse:
    """Redirect to a page that shows this sentence as a success message."""
    messages.success(request, sentence)
    return redirect(to, *args)
