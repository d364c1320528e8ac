"""The provider of single sign-on: what it is called here, and the way to it and back."""

import time
from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest
from django.utils import timezone

from kinward.access.api import Identity, Staff
from kinward.ages.api import (
    OpenIdClient,
    ProofRefused,
    code_challenge,
    discover,
    exchange,
    keys_of,
    verify_id_token,
)
from kinward.ground.config import config, require_safe
from kinward.ground.errors import KinwardError
from kinward.ground.names import visible
from kinward.web.sessions import vouched_for

MAX_GROUPS: Final = 1000
MAX_TEXT: Final = 255  # characters of a subject
MAX_NAME: Final = 150


class ProviderAnswerRefused(KinwardError):
    """Single sign-on did not work. Start again, or ask whoever runs this installation."""

    code = "sso.refused"
    status = 403


class Asked(msgspec.Struct, frozen=True):
    """What a browser was sent to the provider with, kept in its session until it comes back."""

    state: str
    nonce: str
    verifier: str


def is_offered() -> bool:
    """Return whether a provider is configured."""
    return bool(config().sso_issuer)


def ask(back: str) -> tuple[str, Asked]:
    """Return the address to send a browser to, and what to keep. `back`: where it comes back to."""
    ours = _client(back)
    asked = Asked(token_urlsafe(24), token_urlsafe(24), token_urlsafe(48))
    sent = {
        "scope": config().sso_scope,
        "response_type": "code",
        "client_id": ours.client_id,
        "redirect_uri": ours.redirect_uri,
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": code_challenge(asked.verifier),
        "code_challenge_method": "S256",
    }
    try:
        endpoint = discover(ours).authorization_endpoint
    except ProofRefused as error:
        raise ProviderAnswerRefused(error.detail) from error
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(sent)}", asked


def identity_of(asked: Asked, code: str, back: str) -> Identity:
    """Exchange a code, verify the ID token, and return whom it names.

    Raises `ProviderAnswerRefused`.
    """
    ours = _client(back)
    try:
        found = discover(ours)
        token = exchange(
            found, ours, code=code, verifier=asked.verifier, secret=config().sso_client_secret
        )
        now = timezone.now()
        claims = verify_id_token(
            token, client=ours, keys=keys_of(found), nonce=asked.nonce, now=now
        )
    except ProofRefused as error:
        raise ProviderAnswerRefused(error.detail) from error
    return Identity(
        ours.issuer, _subject(claims), _name(claims), _groups(claims), _external_id(claims)
    )


def _client(back: str) -> OpenIdClient:
    chosen = config()
    if not (chosen.sso_issuer and chosen.sso_client_id):
        raise ProviderAnswerRefused("It needs KINWARD_SSO_ISSUER and KINWARD_SSO_CLIENT_ID.")
    require_safe("KINWARD_SSO_ISSUER", chosen.sso_issuer)
    return OpenIdClient(chosen.sso_issuer, chosen.sso_client_id, back, "code")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= MAX_TEXT:
        raise ProviderAnswerRefused("The ID token names nobody.")
    return subject


def _external_id(claims: Mapping[str, Any]) -> str:
    """Return what the provider calls the person in SCIM, or an empty text."""
    named = claims.get(config().scim_claim)
    return named if isinstance(named, str) and len(named) <= MAX_TEXT else ""


def _name(claims: Mapping[str, Any]) -> str:
    """Return the name of a new account. It is a label: nothing is found by it."""
    for claim in (config().sso_name_claim, "preferred_username", "email", "sub"):
        name = claims.get(claim)
        if isinstance(name, str) and 1 <= len(name) <= MAX_NAME and visible(name) == name:
            return name
    raise ProviderAnswerRefused("The ID token has no name that can be shown.")


def _groups(claims: Mapping[str, Any]) -> list[str] | None:
    groups = claims.get(config().sso_groups_claim)
    if not isinstance(groups, list) or len(groups) > MAX_GROUPS:
        return None
    return [group for group in groups if isinstance(group, str)]


def must_come_from_provider(request: HttpRequest, staff: Staff, *, linked: bool) -> bool:
    """Return whether somebody may sign in through the provider only, and did not."""
    chosen = config()
    if not is_offered() or vouched_for(request.session, staff.pk, time.time()):
        return False
    if chosen.sso_break_glass and staff.username.lower() == chosen.sso_break_glass.lower():
        return False
    return chosen.sso_only or linked
