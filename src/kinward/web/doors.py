"""The bounds of the console's forms, and whose forms it reads."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse

from kinward.entrance import Bounds
from kinward.entrance.api import Cookies, PageBounds
from kinward.ground.config import config
from kinward.web.sessions import SessionStore

FORM: Final = 1024 * 1024  # a pack's file or an edition of the guidelines
FILE: Final = 2_621_440 + 64 * 1024  # what Django keeps in memory, and the other fields
SIGN_IN: Final = 64 * 1024
SECONDS: Final = 30.0
TAKES_FILES: Final = frozenset({"search_banks"})
# Nobody is signed in yet who sends these.
ANYBODY: Final = frozenset({"account_login", "mfa_authenticate", "mfa_login_webauthn", "join"})


def signed_in(cookies: Cookies) -> bool:
    """Return whether a live session of a member of the staff is in the cookies."""
    request = HttpRequest()
    request.session = SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    return get_user(request).is_authenticated


def console_reader(path: str) -> Callable[[Cookies], bool] | None:
    """Return who may read the answer of a page of the console; None if anybody may."""
    try:
        name = resolve(path).url_name
    except Resolver404:
        return None
    return None if name in ANYBODY else signed_in


def console_bounds(path: str) -> PageBounds | None:
    """Return the bounds of the forms of a page of the console, or None if it has none."""
    try:
        name = resolve(path).url_name
    except Resolver404:
        return None
    rate = config().body_rate
    if name in ANYBODY:
        return PageBounds(Bounds(SIGN_IN, SECONDS, rate))
    size = FILE if name in TAKES_FILES else FORM
    sign_in = f"{reverse('account_login')}?{urlencode({'next': path})}"
    return PageBounds(Bounds(size, SECONDS, rate), signed_in, sign_in)
