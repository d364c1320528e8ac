"""Sessions of staff: each ends after some time without a person, and some time after its sign-in.

The rule sits where a session is read, so that every door that asks for one keeps it.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from django.contrib.auth import SESSION_KEY, user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from kinward.access.api import NEVER, Staff
from kinward.ground.addresses import address_group, client_address
from kinward.ground.config import config
from kinward.ground.names import visible

BEGAN: Final = "kinward_began"  # when its person signed in, in seconds since 1970
BY_PROVIDER: Final = "kinward_sso"  # whom a provider of single sign-on vouched for
SEEN: Final = "kinward_seen"  # when its person last asked for something
FACTOR: Final = "kinward_factor"  # whose second factor was shown last, and when
BROWSER: Final = "kinward_browser"  # what it called itself at the sign-in …
NETWORK: Final = "kinward_network"  # … and from where
MAX_BROWSER: Final = 200  # characters
EVERY: Final = 30  # seconds between two writes of it
HOUR: Final = 3600


class OwnSession(msgspec.Struct, frozen=True):
    """A session as its person sees it. `name` is no key, `own` whether this page is in it."""

    name: str
    browser: str
    network: str
    began: datetime
    seen: datetime
    own: bool


class SessionStore(DatabaseStore):
    """A session in the database, which is empty once its time is over."""

    def load(self) -> dict[str, Any]:
        """Return what the session holds, and nothing if it is over."""
        held: dict[str, Any] = super().load()
        if not is_over(held, time.time()):
            return held
        self.delete(self.session_key)
        self._session_key = None
        return {}

    @classmethod
    def get_session_store_class(cls) -> type[DatabaseStore]:
        """Return the class by which Django finds and makes the rows."""
        return cls


def is_over(held: Mapping[str, Any], now: float) -> bool:
    """Return whether a session in which somebody is signed in has come to its end."""
    if SESSION_KEY not in held:
        return False
    chosen = config()
    age, unattended = now - float(held.get(BEGAN, 0)), now - float(held.get(SEEN, 0))
    by_provider = str(held.get(BY_PROVIDER, {}).get("staff")) == held[SESSION_KEY]
    if by_provider and not vouched_for(held, held[SESSION_KEY], now):
        return True  # the provider is asked again whether they still belong
    return age >= chosen.session_hours * HOUR or unattended >= chosen.session_idle_minutes * 60


def network_of(request: HttpRequest) -> str:
    """Return the caller's address, or the /64 network of an IPv6 address."""
    chosen = config()
    chain = request.headers.get(chosen.forwarded_header, "")
    peer = request.META.get("REMOTE_ADDR") or ""
    return address_group(client_address(peer, [chain], chosen.proxies))


def note_provider(request: HttpRequest, staff: Staff) -> None:
    """Note that a provider of single sign-on has vouched for a person just now."""
    request.session[BY_PROVIDER] = {"staff": staff.pk, "at": time.time()}


def vouched_for(held: Mapping[str, Any] | SessionBase, staff_id: object, now: float) -> bool:
    """Return whether the provider has vouched for a person lately, as a session holds it."""
    word = held.get(BY_PROVIDER, {})
    lately = now - word.get("at", 0) < config().sso_minutes * 60
    return lately and str(word.get("staff")) == str(staff_id)


@receiver(user_logged_in, dispatch_uid="kinward.session_begins")
def begin_session(request: HttpRequest, **about: Any) -> None:
    """Note when a session begins. Django calls this at each sign-in."""
    request.session[BEGAN] = request.session[SEEN] = time.time()
    request.session[BROWSER] = visible(request.headers.get("User-Agent", "")[:MAX_BROWSER])
    request.session[NETWORK] = network_of(request)


def sessions_of(request: HttpRequest) -> list[OwnSession]:
    """Return the live sessions of whoever is signed in, the last seen first."""
    return sorted(
        (
            OwnSession(
                name=_name(key),
                browser=held.get(BROWSER, ""),
                network=held.get(NETWORK, ""),
                began=datetime.fromtimestamp(held.get(BEGAN, 0), UTC),
                seen=datetime.fromtimestamp(held.get(SEEN, 0), UTC),
                own=key == request.session.session_key,
            )
            for key, held in _held_by(request)
        ),
        key=lambda session: session.seen,
        reverse=True,
    )


def end_sessions(request: HttpRequest, *, only: str = "") -> int:
    """End the other sessions of whoever is signed in, or `only` the named one; return how many."""
    keys = [key for key, _ in _held_by(request) if key != request.session.session_key]
    ending = [key for key in keys if not only or _name(key) == only]
    for key in ending:
        SessionStore().delete(key)
    return len(ending)


def _held_by(request: HttpRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the key and the content of each live session of whoever is signed in."""
    now = time.time()
    for row in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        held = row.get_decoded()
        if held.get(SESSION_KEY) == str(request.user.pk) and not is_over(held, now):
            yield row.session_key, held


def _name(key: str) -> str:
    """Return what a page calls a session: nobody can sign in with it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def note_factor(request: HttpRequest, staff: Staff) -> None:
    """Note that a person has shown a second factor just now, and give their session a new id."""
    if request.user.is_authenticated:
        request.session.cycle_key()
    request.session[FACTOR] = {"staff": staff.pk, "at": time.time()}


def factor_age(request: HttpRequest) -> float:
    """Return how many seconds ago whoever is signed in showed a second factor."""
    shown: dict[str, float] = request.session.get(FACTOR, {})
    return time.time() - shown["at"] if shown.get("staff") == request.user.pk else NEVER


def note_activity(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Note that a person is there. A part of a page that refreshes itself says nothing of that."""

    def middleware(request: HttpRequest) -> HttpResponse:
        refreshes = request.method == "GET" and "HX-Request" in request.headers
        session = request.session
        if not refreshes and session.session_key and SESSION_KEY in session:
            now = time.time()
            if now - session.get(SEEN, 0) >= EVERY:
                session[SEEN] = now
        return get_response(request)

    return middleware
