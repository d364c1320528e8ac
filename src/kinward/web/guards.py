"""Who may see a page or send a form: signed in, with the role, and with a second factor."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from kinward.access import Permission
from kinward.access.api import Staff
from kinward.ground.errors import Forbidden, KinwardError


class StaffRequest(HttpRequest):
    """A request whose user is known to be staff."""

    user: Staff


View = Callable[..., HttpResponse]


def needs(*permissions: Permission) -> Callable[[View], View]:
    """Let through staff with one of these permissions, once they have a second factor."""

    def guard(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            staff = cast("StaffRequest", request).user
            if not is_mfa_enabled(staff):
                messages.info(request, "First set up a second factor: it guards the evidence.")
                return redirect("mfa_index")
            if not any(staff.may(permission) for permission in permissions):
                raise Forbidden(f"Your role is {staff.role}.")
            return view(request, *args, **kwargs)

        return guarded

    return guard


def posts(*permissions: Permission, page: View | None = None) -> Callable[[View], View]:
    """Take a form from staff with one of these permissions.

    An error is shown on `page`, the one that the form is on: it is called with the request, the
    view's own arguments and `problem`. Without a page, the error becomes a page of its own.
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
    """Say what was done on the page that comes next."""
    messages.success(request, sentence)
    return redirect(to, *args)
