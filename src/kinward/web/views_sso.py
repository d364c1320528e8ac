"""Single sign-on: to the provider and back."""

import hmac
from typing import Final

import msgspec
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from kinward.access.api import (
    Staff,
    admit_identity,
    at_console,
    link_identity,
    require_fresh_factor,
    roles_of_groups,
)
from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.web.provider import (
    Asked,
    ProviderAnswerRefused,
    ask,
    identity_of,
)
from kinward.web.sessions import factor_age, note_provider

ASKED: Final = "kinward_sso_asked"
HERE: Final = frozenset({"same-origin", "none"})  # our page, or the address bar


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider. Whoever is signed in links it, with a fresh factor."""
    if request.headers.get("Sec-Fetch-Site", "none") not in HERE:
        return redirect("account_login")  # a link elsewhere signs nobody in without a press here
    try:
        _require_fresh(request)
        address, asked = ask(_back())
    except KinwardError as error:
        return _refused(request, error)
    request.session[ASKED] = msgspec.to_builtins(asked)
    return HttpResponseRedirect(address)


@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Sign in whom the provider vouches for; or link the account of whoever is signed in."""
    kept = request.session.pop(ASKED, None)
    try:
        asked = msgspec.convert(kept, Asked) if kept else None
        sent = request.GET.get("state", "")
        if asked is None or not hmac.compare_digest(sent.encode(), asked.state.encode()):
            raise ProviderAnswerRefused("This browser did not ask for it.")
        if "code" not in request.GET:
            raise ProviderAnswerRefused("The provider or the person declined.")
        identity = identity_of(asked, request.GET["code"], _back())
        if isinstance(request.user, Staff):
            _require_fresh(request)
            link_identity(identity, request.user)
            messages.success(request, "Your account is linked. From now on sign in there.")
            return redirect("home")
        staff = admit_identity(identity, roles_of_groups())
    except KinwardError as error:
        return _refused(request, error)
    note_provider(request, staff)
    record_authentication(request, staff, "sso")
    response: HttpResponse = perform_login(request, Login(user=staff, redirect_url=None))
    return response


def _refused(request: HttpRequest, error: KinwardError) -> HttpResponse:
    messages.error(request, str(error))
    return redirect("account_login")


def _require_fresh(request: HttpRequest) -> None:
    if isinstance(request.user, Staff):
        with at_console(factor_age(request)):
            require_fresh_factor()


def _back() -> str:
    return f"{config().url}{reverse('sso_back')}"
