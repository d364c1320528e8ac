"""Who may see a page: signed in, with the role, and with a second factor."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.errors import Forbidden


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
