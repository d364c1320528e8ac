"""The adapters for allauth: no public sign-up, budgets of attempts, and secrets sealed at rest."""

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from kinward.access.api import (
    Attempt,
    Staff,
    TooManyAttempts,
    begin_attempt,
    count_refused_sign_in,
    give_back,
    is_of_provider,
    log_refusal,
    record_failed_sign_in,
    record_sign_in,
)
from kinward.ground.secrets import open_text, seal_text
from kinward.web.devices import device_of, keep_device
from kinward.web.provider import must_come_from_provider
from kinward.web.sessions import network_of

log = structlog.get_logger(__name__)


def take_attempt(request: HttpRequest, *, what: str, login: str) -> tuple[Attempt, bool]:
    """Count an attempt on an account; return it, and whether the device is a known one.

    Raises `ValidationError`, which the form shows, if its budget is spent.
    """
    device = device_of(request, login)
    user = request.user
    if isinstance(user, Staff) and user.username.lower() == login.strip().lower():
        device = device or f"session-{user.pk}"  # signed in already, and asked once more
    try:
        attempt = begin_attempt(what=what, login=login, network=network_of(request), device=device)
    except TooManyAttempts as error:
        count_refused_sign_in(error.code)
        log_refusal(code=error.code, who=network_of(request), where=f"sign-in with a {what}")
        raise ValidationError(error.sentence, code="too_many_login_attempts") from error
    return attempt, bool(device)


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Refuses sign-up: only an invitation creates a staff account."""

    _attempt: tuple[Attempt, bool]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the caller's address, by which allauth counts."""
        return network_of(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt with a password, before it is checked."""
        login = str(credentials.get("username", ""))
        self._attempt = take_attempt(request, what="password", login=login)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Return whose name and password these are, and give a right attempt back."""
        person = super().authenticate(request, **credentials)
        if person is not None:
            give_back(self._attempt[0])
        return person

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        login = str(credentials.get("username", ""))
        record_failed_sign_in(login=login, what="password", known=self._attempt[1])
        log.info("staff.sign_in_failed", network=network_of(request))

    def pre_login(self, request: HttpRequest, user: Any, **about: Any) -> HttpResponse | None:
        """Refuse who signs in past the provider of single sign-on, by password or passkey."""
        if must_come_from_provider(request, user, linked=is_of_provider(user)):
            messages.error(request, "Sign in with single sign-on.")
            return redirect("account_login")
        response: HttpResponse | None = super().pre_login(request, user, **about)
        return response

    def post_login(self, request: HttpRequest, user: Any, **about: Any) -> HttpResponse:
        """Record a sign-in, and remember the device."""
        response: HttpResponse = super().post_login(request, user, **about)
        used = [
            record.get("type") or record["method"]
            for record in get_authentication_records(request, user)
        ]
        known = bool(device_of(request, user.username))
        record_sign_in(staff=user, how=list(dict.fromkeys(used)), known=known)
        log.info("staff.signed_in", who=str(user.actor), network=network_of(request))
        keep_device(request, response, user)
        return response


class SealedMfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts TOTP secrets with a key derived from Django's secret key."""

    def encrypt(self, text: str) -> str:
        return seal_text(text, "mfa")

    def decrypt(self, encrypted_text: str) -> str:
        return open_text(encrypted_text, "mfa")
